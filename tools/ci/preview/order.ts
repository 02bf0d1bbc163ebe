/** URNs of what each resource depends on, by its own URN. */
export type Dependencies = ReadonlyMap<string, readonly string[]>;

/**
 * The order of changes: 1 for what can start at once, else one more than the highest among those that it waits for,
 * through resources that stay as they are too.
 *
 * @param groups The resources of each change, by URN; one URN is in one group at most.
 * @param dependencies Of every resource, changed or not.
 * @returns The number of each group.
 */
export function order(groups: readonly (readonly string[])[], dependencies: Dependencies): number[] {
  const groupOf = new Map(groups.flatMap((urns, group) => urns.map((urn) => [urn, group] as const)));
  const numbers = new Map<number, number>();

  const prerequisites = (group: number): Set<number> => {
    const found = new Set<number>();
    const seen = new Set<string>();
    const visit = (urn: string): void => {
      for (const next of dependencies.get(urn) ?? []) {
        if (seen.has(next)) continue;
        seen.add(next);
        const other = groupOf.get(next);
        if (other === undefined || other === group) visit(next);
        else found.add(other);
      }
    };
    (groups[group] ?? []).forEach(visit);
    return found;
  };

  const numberOf = (group: number, waiting: ReadonlySet<number>): number => {
    const known = numbers.get(group);
    if (known !== undefined) return known;
    // Two groups that wait for parts of each other go together.
    const before = [...prerequisites(group)].filter((other) => !waiting.has(other));
    const number = 1 + Math.max(0, ...before.map((other) => numberOf(other, new Set([...waiting, group]))));
    numbers.set(group, number);
    return number;
  };
  return groups.map((_, group) => numberOf(group, new Set()));
}

/** Who depends on each resource: the order in which resources are deleted. */
export function reverse(dependencies: Dependencies): Dependencies {
  const reversed = new Map<string, string[]>();
  for (const [urn, needed] of dependencies) {
    for (const other of needed) reversed.set(other, [...(reversed.get(other) ?? []), urn]);
  }
  return reversed;
}
