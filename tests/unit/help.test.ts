import assert from "node:assert/strict";

import { PROJECT } from "../../tools/shared/paths";
import { run } from "../../tools/shared/run";

/** Prints, at the end of a process, how many files of Pulumi's SDK it has loaded. */
const COUNT = `process.on("exit", () => {
  const files = Object.keys(require.cache);
  console.log("files of the SDK:", files.filter((file) => file.includes("/@pulumi/pulumi/")).length);
});`;

describe("--help", () => {
  for (const tool of ["verify", "report", "sandbox"]) {
    it(`of ${tool} does not load Pulumi's SDK`, async () => {
      const script = `${COUNT} process.argv.push("--help"); require("./tools/${tool}/main.ts");`;
      // The script takes the place of the file's name in the arguments.
      const args = ["--require", "./typescript.cjs", "--eval", script, "--", tool];
      const output = await run(process.execPath, args, { cwd: PROJECT });
      assert.match(output, /^Usage: /);
      assert.match(output, /files of the SDK: 0\n$/);
    });
  }
});
