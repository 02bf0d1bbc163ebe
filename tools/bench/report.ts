import { BACKENDS, type Row, VARIANTS } from "./rows";
import { median, type Summary } from "./summary";

/** The table of all variants, one per ready delay, and what only the program has, as Markdown. */
export function report(summaries: readonly Summary[]): string {
  const delays = [...new Set(summaries.map((summary) => summary.case.readyDelaySeconds))];
  const comparisons = delays.flatMap((delay) => [
    `### Pods that become ready ${delay === 0 ? "at once" : `after ${delay} s`}`,
    comparison(summaries.filter((summary) => summary.case.readyDelaySeconds === delay)),
  ]);
  const program = summaries.filter(({ variant }) => variant in BACKENDS);
  const detail =
    program.length === 0 ? [] : ["### More on this program", backends(program), programDetail(program)];
  return [...comparisons, ...detail].join("\n\n");
}

function comparison(summaries: readonly Summary[]): string {
  const header = [
    "Namespaces",
    "Variant",
    "Wall time, s",
    "to (b)",
    "to (c)",
    "Pods created per pod wanted",
    "Pods ever unmeshed",
    "Unmeshed at the end",
    "Ready at the end",
    "Restarts",
    "Refusals",
    "API requests",
    "Runs",
  ];
  return table(
    header,
    summaries.map((summary) => {
      const values = (of: (row: Row) => number) => summary.rows.map(of);
      return [
        String(summary.case.namespaces),
        `(${summary.variant}) ${VARIANTS[summary.variant]}`,
        spread(
          values((row) => row.wallSeconds),
          1,
        ),
        ratio(summary.toB),
        ratio(summary.toC),
        spread(
          values((row) => row.podsCreated / row.podsWanted),
          2,
        ),
        spread(values((row) => row.podsEverUnmeshed)),
        spread(values((row) => row.podsUnmeshedAtEnd)),
        `${spread(values((row) => row.podsReadyAtEnd))} of ${summary.rows[0]?.podsWanted ?? 0}`,
        spread(values((row) => row.restarts)),
        spread(values((row) => row.denials)),
        spread(values((row) => row.apiRequests)),
        String(summary.rows.length),
      ];
    }),
  );
}

/** Where the state of each of them is kept, and whom that concerns. */
function backends(summaries: readonly Summary[]): string {
  const lines = Object.entries(BACKENDS).filter(([id]) => summaries.some(({ variant }) => variant === id));
  return lines.map(([id, backend]) => `- (${id}): ${backend}.`).join("\n");
}

function programDetail(summaries: readonly Summary[]): string {
  const header = [
    "Variant",
    "Namespaces",
    "Pods ready after, s",
    "Preview without changes, s",
    "Memory of the program, MiB",
    "Memory of the engine, MiB",
  ];
  return table(
    header,
    summaries.map(({ case: { namespaces, readyDelaySeconds }, variant, rows }) => {
      const values = (of: (row: Row) => number | undefined) =>
        rows.map(of).filter((value) => value !== undefined);
      return [
        `(${variant})`,
        String(namespaces),
        String(readyDelaySeconds),
        spread(
          values((row) => row.previewSeconds),
          1,
        ),
        spread(values((row) => row.programMemoryMiB)),
        spread(values((row) => row.engineMemoryMiB)),
      ];
    }),
  );
}

/** The median, and the range unless all values read alike. */
function spread(values: readonly number[], digits = 0): string {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((value) =>
    value.toFixed(digits),
  );
  return least === most ? `${middle}` : `${middle} (${least} to ${most})`;
}

function ratio(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(2);
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return [header, header.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
