#!/usr/bin/env node
// `npm run verify` where this is installed as a package: tsx compiles TypeScript as it is loaded.
import { createRequire } from "node:module";
import process from "node:process";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);

// Not that of the folder in which the command is called.
process.env.TSX_TSCONFIG_PATH = fileURLToPath(import.meta.resolve("../tsconfig.json"));
require("../typescript.cjs");
require("../tools/verify/main.ts");
