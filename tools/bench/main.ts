import { Command, InvalidArgumentError } from "commander";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { run } from "../shared/run";
import { showError } from "../shared/runToEnd";
import { requireSandboxes } from "../sandbox/supervisor";
import { prepare } from "../sandbox/build/prepare";
import { pulumiTools } from "../sandbox/build/pulumi";
import { sandboxTools } from "../sandbox/build/tools";
import { type Equipment, measure, measurements, type Plan } from "./benchmark";
import { writeDocuments } from "./documents";
import { helmTool } from "../sandbox/build/helm";
import { stateService } from "./journal/backend";
import { chart, draw } from "./plot";
import { clock, describe } from "./progress";
import { report } from "./report";
import { Results, RESULTS_FOLDER } from "./results";
import { type Row, VARIANT_IDS, VARIANTS, type VariantId } from "./rows";
import { summarize } from "./summary";

/** Options of the command. */
interface Options {
  readonly namespaces: readonly number[];
  readonly readyDelay: readonly number[];
  readonly variants: readonly VariantId[];
  readonly deployments: number;
  readonly runs: number;
  readonly json: boolean;
  readonly continue: boolean;
  readonly writeDocs: boolean;
}

/** A reader of a list of whole numbers, separated by commas. */
function numbers(least: number, most: number): (text: string) => readonly number[] {
  return (text) =>
    text.split(",").map((item) => {
      const value = Number(item);
      if (item.trim() === "" || !Number.isInteger(value) || value < least || value > most) {
        throw new InvalidArgumentError(
          `expected whole numbers from ${least} to ${most}, such as ${least},10`,
        );
      }
      return value;
    });
}

function number(least: number, most: number): (text: string) => number {
  return (text) => {
    const [value, ...more] = numbers(least, most)(text);
    if (value === undefined || more.length > 0) throw new InvalidArgumentError("expected one number");
    return value;
  };
}

function variants(text: string): readonly VariantId[] {
  const letters = text.split(",");
  const unknown = letters.filter((letter) => !VARIANT_IDS.some((known) => known === letter));
  if (unknown.length > 0) throw new InvalidArgumentError(`expected some of ${VARIANT_IDS.join(",")}`);
  return VARIANT_IDS.filter((known) => letters.includes(known));
}

const legend = VARIANT_IDS.map((id) => `  ${id}  ${VARIANTS[id]}`).join("\n");

const command = new Command("bench")
  .description("Measures this program beside the scripts that do the same, each on a new sandbox of its own.")
  .option("--namespaces <n,...>", "numbers of application namespaces", numbers(1, 200), [1, 10, 100])
  .option("--ready-delay <s,...>", "seconds until a pod is ready", numbers(0, 600), [0, 10])
  .option("--variants <letter,...>", "which to measure", variants, VARIANT_IDS)
  .option("--deployments <n>", "Deployments per namespace", number(1, 5), 5)
  .option("--runs <n>", "how often each is measured", number(1, 100), 5)
  .option("--json", "print the rows as JSON instead of a table", false)
  .option("--continue", "keep what an interrupted benchmark has measured, and measure the rest", false)
  .option(
    "--write-docs",
    "write table and plot of all rows to docs/benchmarks.md and docs/benchmarks.svg",
    false,
  )
  .addHelpText("after", `\nVariants:\n${legend}`)
  .showHelpAfterError();

function planOf({ namespaces, readyDelay, deployments, variants, runs }: Options): Plan {
  const cases = readyDelay.flatMap((readyDelaySeconds) =>
    namespaces.map((count) => ({ namespaces: count, deployments, readyDelaySeconds })),
  );
  return { cases, variants, runs };
}

async function equip(signal: AbortSignal): Promise<Equipment> {
  await requireSandboxes();
  try {
    await run("openssl", ["version"]);
  } catch (error) {
    throw new UserError("the scripts that are compared need openssl on PATH", "install openssl", {
      cause: error,
    });
  }
  const [pulumi, sandbox, helm] = [await pulumiTools(), await sandboxTools(), await helmTool()];
  await prepare([pulumi, sandbox, helm, await stateService()], signal);
  return {
    sandbox: sandbox.tools,
    pulumi: pulumi.tools,
    helm: helm.tools,
    logs: join(RESULTS_FOLDER, "logs"),
    signal,
  };
}

/** Measures what the plan asks for and is not there yet, and tells of each on standard error. */
async function benchmark(plan: Plan, results: Results, signal: AbortSignal): Promise<Row[]> {
  const all = measurements(plan);
  const equipment = all.some((what) => results.find(what) === undefined) ? await equip(signal) : undefined;
  const elapsed = clock();
  const rows: Row[] = [];
  for (const [index, what] of all.entries()) {
    const earlier = results.find(what);
    if (earlier !== undefined || equipment === undefined) {
      if (earlier !== undefined) rows.push(earlier);
      continue;
    }
    process.stderr.write(`${elapsed()}  ${index + 1} of ${all.length}  ${describe(what)}: `);
    const row = await measure(what, equipment);
    process.stderr.write(`${row.wallSeconds.toFixed(1)} s\n`);
    await results.add(row);
    rows.push(row);
  }
  return rows;
}

async function main(print: (text: string) => void): Promise<void> {
  command.parse();
  const options = command.opts<Options>();
  const results = await Results.open(options.continue);
  const rows = await benchmark(planOf(options), results, interruption.signal);
  print(options.json ? JSON.stringify(rows, null, 2) : report(summarize(rows)));
  if (options.writeDocs) {
    const table = report(summarize(results.rows));
    const machine = `Measured with ${availableParallelism()} cores.`;
    const picture = "![Wall times of all variants](benchmarks.svg)";
    await writeDocuments([machine, table, picture].join("\n\n"), await draw(chart(results.rows)));
  }
}

// Standard output is for the result alone; whatever else is printed, by whomever, goes to standard error.
const output = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);

main((text) => output(`${text}\n`)).then(
  () => process.exit(),
  (error: unknown) => {
    showError(error);
    console.error("What was measured is kept: the same command with --continue measures the rest.");
    process.exit(1);
  },
);
