import { type Case, type Row, VARIANT_IDS, type VariantId } from "./rows";

/** All runs of one variant of one case. */
export interface Summary {
  readonly case: Case;
  readonly variant: VariantId;
  readonly rows: readonly Row[];
  readonly wallSeconds: number;
  /** Median wall time over that of (b) and of (c) in the same case; undefined where that was not measured. */
  readonly toB: number | undefined;
  readonly toC: number | undefined;
}

/**
 * The middle value, or the mean of the two in the middle.
 *
 * @throws Error when there is no value.
 */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.ceil(sorted.length / 2) - 1];
  if (upper === undefined || lower === undefined) throw new Error("there is no median of nothing");
  return (lower + upper) / 2;
}

/** One summary per variant and case, the smaller cases first, in the order of the variants. */
export function summarize(rows: readonly Row[]): Summary[] {
  const cases = new Map<string, Row[]>();
  const bySize = (one: Row, other: Row) =>
    one.readyDelaySeconds - other.readyDelaySeconds || one.namespaces - other.namespaces;
  for (const row of rows.toSorted(bySize)) {
    const key = JSON.stringify([row.readyDelaySeconds, row.namespaces, row.deployments]);
    cases.set(key, [...(cases.get(key) ?? []), row]);
  }
  return [...cases.values()].flatMap((ofCase) => {
    const of = (variant: VariantId) => ofCase.filter((row) => row.variant === variant);
    const wall = (variant: VariantId) => {
      const measured = of(variant).map(({ wallSeconds }) => wallSeconds);
      return measured.length === 0 ? undefined : median(measured);
    };
    const [b, c] = [wall("b"), wall("c")];
    return VARIANT_IDS.flatMap((variant): Summary[] => {
      const wallSeconds = wall(variant);
      const [first] = of(variant);
      if (wallSeconds === undefined || first === undefined) return [];
      const { namespaces, deployments, readyDelaySeconds } = first;
      return [
        {
          case: { namespaces, deployments, readyDelaySeconds },
          variant,
          rows: of(variant),
          wallSeconds,
          toB: b && wallSeconds / b,
          toC: c && wallSeconds / c,
        },
      ];
    });
  });
}
