import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { valueNames } from "../../components/cluster/valueNames";
import { chartFile } from "../support/chartValues";

const COMPONENTS = join(__dirname, "..", "..", "components");

/** The charts whose names each file holds. */
const FILES = {
  "controlPlane/valueNames.json": ["linkerd-crds", "linkerd-control-plane"],
  "extensions/vizValueNames.json": ["linkerd-viz"],
};

/** What the templates of that release use is kept as the lines of `grep -rhoE '\\.Values\\.[A-Za-z0-9_.]+' | sort -u`. */
function namesOf(chart: string): string[] {
  return valueNames({
    values: chartFile(chart, "values.yaml"),
    templates: chartFile(chart, "templates.txt"),
    subchartTemplates: chartFile("partials", "templates.txt"),
  });
}

describe("the names of values that the program knows", () => {
  for (const [file, charts] of Object.entries(FILES)) {
    it(`are those of the charts' values.yaml: ${file}`, () => {
      const path = join(COMPONENTS, file);
      const names = charts.map((chart) => [chart, namesOf(chart)]);
      const text = `${JSON.stringify({ release: "edge-26.8.3", ...Object.fromEntries(names) }, undefined, 2)}\n`;
      if (process.env.UPDATE_GOLDEN !== undefined) {
        writeFileSync(path, text);
      }
      assert.equal(readFileSync(path, "utf8"), text, "run npm run test:update-golden");
    });
  }
});
