import js from "@eslint/js";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig({ ignores: ["node_modules/", ".sandbox/"] }, js.configs.recommended, {
  files: ["**/*.ts"],
  extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
  languageOptions: { parserOptions: { projectService: true } },
  rules: {
    // Numbers and booleans read well in messages as they are.
    "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
    // A Pulumi resource is often created for its effect alone.
    "no-new": "off",
    // @kubernetes/client-node takes plain objects for its models, which it declares as classes.
    "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
  },
});
