import { existsSync } from "node:fs";
import { join } from "node:path";

import { isChartDirectory } from "../components";
import { ConfigReader, NAMESPACE, setCommand } from "./reader";

/** A key that says where charts come from; a directory must hold `charts`. */
export function readChartSource(
  reader: ConfigReader,
  key: string,
  byDefault: string,
  charts: readonly string[],
): string {
  const source = reader.text(key) ?? byDefault;
  if (isChartDirectory(source)) {
    for (const chart of charts) {
      const file = join(source, chart, "Chart.yaml");
      if (!existsSync(file)) {
        const rule = `must hold the chart ${chart} where it is a directory`;
        reader.problem(`${NAMESPACE}:${key}`, rule, `${file} does not exist`, setCommand(key, byDefault));
      }
    }
  } else if (!/^(https|oci):\/\/[^/]/.test(source)) {
    const rule = "must be an https:// repository, an oci:// registry or a directory";
    reader.invalid(key, rule, source, byDefault);
  }
  return source;
}
