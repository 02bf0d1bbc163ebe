import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Rooms of components/, each of which imports only from those before it. */
const ROOMS = [
  "validation",
  "certificates",
  "cluster",
  "certManager",
  "trustManager",
  "pki",
  "controlPlane",
  "rolls",
  "injection",
  "mesh",
  "extensions",
  "monitoring",
];

/** Refuses imports whose text matches a pattern. */
const refuse = (files, message, ...patterns) => ({
  files,
  rules: { "no-restricted-imports": ["error", { patterns: patterns.map((regex) => ({ regex, message })) }] },
});

/** Imports go down only: components/ <- config/, apps/ <- index.ts <- tools/. */
const floors = [
  ...ROOMS.map((room, index) => {
    const allowed = ROOMS.slice(0, index + 1);
    return refuse(
      [`components/${room}/**`],
      `${room} imports only from ${allowed.join(", ")}.`,
      `^\\.\\.(?!/(${allowed.join("|")})/)`,
      // These rules stand by themselves.
      ...(room === "certificates" ? ["^@pulumi/"] : []),
    );
  }),
  refuse(["components/*.ts"], "components/ imports only from itself.", "^\\.\\."),
  refuse(
    ["config/**", "apps/**"],
    "config/ and apps/ import only from components/.",
    "^\\.\\.(?!/components(/|$))",
  ),
  refuse(["index.ts"], "The program imports no tools and no tests.", "^\\./(tools|tests)/"),
  {
    files: ["components/**"],
    rules: {
      "no-restricted-globals": [
        "error",
        ...["__dirname", "__filename"].map((name) => ({
          name,
          message: "Components read no files of the checkout.",
        })),
      ],
    },
  },
];

export default defineConfig(
  { ignores: ["node_modules/", ".sandbox/"] },
  js.configs.recommended,
  {
    files: ["**/*.ts", "**/*.tsx"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // Numbers and booleans read well in messages as they are.
      "@typescript-eslint/restrict-template-expressions": [
        "error",
        { allowNumber: true, allowBoolean: true },
      ],
      // A Pulumi resource is often created for its effect alone.
      "no-new": "off",
      // @kubernetes/client-node takes plain objects for its models, which it declares as classes.
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
    },
  },
  floors,
);
