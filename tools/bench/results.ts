import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { PROJECT } from "../shared/paths";
import type { Measurement } from "./benchmark";
import type { Row } from "./rows";

/** Where a benchmark keeps its rows and its commands' output. Ignored by git; capitals keep it apart from sandboxes. */
export const RESULTS_FOLDER = join(PROJECT, ".sandbox", "BENCH");

/** The rows so far, written after each measurement. */
export class Results {
  private constructor(
    private readonly file: string,
    private readonly kept: Row[],
  ) {}

  /** @param keep Whether the rows of an earlier benchmark stay; otherwise they are dropped with the first new row. */
  public static async open(keep: boolean, file = join(RESULTS_FOLDER, "results.json")): Promise<Results> {
    const earlier = keep && existsSync(file) ? (JSON.parse(await readFile(file, "utf8")) as Row[]) : [];
    return new Results(file, earlier);
  }

  /** All rows, of this benchmark and of those that it continues. */
  public get rows(): readonly Row[] {
    return this.kept;
  }

  /** The row of that measurement, if there is one. */
  public find({ case: wanted, run, variant }: Measurement): Row | undefined {
    return this.kept.find(
      (row) =>
        row.variant === variant &&
        row.run === run &&
        row.namespaces === wanted.namespaces &&
        row.deployments === wanted.deployments &&
        row.readyDelaySeconds === wanted.readyDelaySeconds,
    );
  }

  /** Adds a row and writes the file, whole or not at all. */
  public async add(row: Row): Promise<void> {
    this.kept.push(row);
    await mkdir(dirname(this.file), { recursive: true });
    await writeFile(`${this.file}.new`, `${JSON.stringify(this.kept, null, 2)}\n`);
    await rename(`${this.file}.new`, this.file);
  }
}
