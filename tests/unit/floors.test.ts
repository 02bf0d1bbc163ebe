import assert from "node:assert/strict";
import { join } from "node:path";

import { ESLint } from "eslint";

const ROOT = join(__dirname, "..", "..");

describe("floors", () => {
  // Of all rules only this one, which needs no types.
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfig: { languageOptions: { parserOptions: { projectService: false } } },
    ruleFilter: ({ ruleId }) => ruleId === "no-restricted-imports",
  });
  const isRefused = async (filePath: string, specifier: string): Promise<boolean> => {
    const code = `import { it } from "${specifier}";\nexport { it };\n`;
    const [result] = await eslint.lintText(code, { filePath: join(ROOT, filePath) });
    assert.ok(result);
    return result.messages.some(({ ruleId }) => ruleId === "no-restricted-imports");
  };

  before(async () => {
    // The first run loads the configuration.
    await eslint.lintText("", { filePath: join(ROOT, "index.ts") });
  });

  const up: [file: string, specifier: string][] = [
    ["components/validation/rule.ts", "../mesh/clients"],
    ["components/cluster/client.ts", "../pki/trustAnchor"],
    ["components/pki/trustAnchor.ts", "../linkerdMesh"],
    ["components/pki/trustAnchor.ts", "../index"],
    ["components/pki/trustAnchor.ts", ".."],
    ["components/mesh/clients.ts", "../../config/index"],
    ["components/mesh/clients.ts", "../../tools/shared/paths"],
    ["components/mesh/clients.ts", "../../Pulumi.yaml"],
    ["components/certificates/certificateRules.ts", "@pulumi/pulumi"],
    ["components/index.ts", "../config"],
    ["config/index.ts", "../apps"],
    ["config/index.ts", "../tools/shared/paths"],
    ["apps/shop.ts", "../config/index"],
    ["index.ts", "./tools/shared/paths"],
  ];
  for (const [file, specifier] of up) {
    it(`keep ${specifier} out of ${file}`, async () => {
      assert.ok(await isRefused(file, specifier));
    });
  }

  const down: [file: string, specifier: string][] = [
    ["components/mesh/clients.ts", "../validation/rule"],
    ["components/mesh/clients.ts", "./workloadKind"],
    ["components/mesh/clients.ts", "@pulumi/pulumi"],
    ["components/index.ts", "./mesh/clients"],
    ["config/index.ts", "../components/rules"],
    ["apps/shop.ts", "../components"],
    ["index.ts", "./config/index"],
    ["tools/ci/main.ts", "../../config/index"],
  ];
  for (const [file, specifier] of down) {
    it(`let ${specifier} into ${file}`, async () => {
      assert.ok(!(await isRefused(file, specifier)));
    });
  }
});
