import type { Dependent } from "../sandbox/criticalPath";

/** A part of a deployment: a component of the mesh, or several of one kind, with everything in them. */
export interface Part {
  /** Its kind, e.g. `IdentityIssuer`; of a resource outside of components, its type and name. */
  readonly name: string;
  /** Components of this kind; 1 for a resource. */
  readonly components: number;
  /** Resources in them. */
  readonly resources: number;
  /** Names of the parts that it waits for, without those that another of them waits for. */
  readonly waitsFor: readonly string[];
  /** 1 for what waits for nothing; otherwise one more than the last of what it waits for. */
  readonly stage: number;
}

const COMPONENT = /^linkerd-mtls:index:(\w+)$/;
/** What is no part of its own: its children are. */
const WHOLE = "LinkerdMesh";

interface Found {
  readonly components: Set<string>;
  resources: number;
  readonly waitsFor: Set<string>;
}

/** The parts of a stack's state in the order in which a deployment makes them. What is in no component is left out. */
export function partsOf(resources: readonly Dependent[]): Part[] {
  const partOf = new Map(resources.map(({ urn }) => [urn, partName(urn)]));
  const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
  const found = new Map<string, Found>();
  for (const { urn, parent, dependencies = [] } of resources) {
    const name = partOf.get(urn);
    if (name === undefined) continue;
    const part = found.get(name) ?? { components: new Set(), resources: 0, waitsFor: new Set() };
    found.set(name, part);
    if (isTop(urn, name)) part.components.add(urn);
    if (!COMPONENT.test(typesOf(urn).at(-1) ?? "")) part.resources++;
    // Of a component that is whole, what it waits for holds for all in it.
    const above = parent !== undefined && partOf.get(parent) === undefined ? byUrn.get(parent) : undefined;
    for (const dependency of [...dependencies, ...(above?.dependencies ?? [])]) {
      const other = partOf.get(dependency);
      if (other !== undefined && other !== name) part.waitsFor.add(other);
    }
  }
  const waits = new Map([...found].map(([name, { waitsFor }]) => [name, waitsFor]));
  const stages = stagesOf(waits);
  return [...found]
    .map(([name, { components, resources: number }]) => ({
      name,
      components: Math.max(components.size, 1),
      resources: number,
      waitsFor: direct(name, waits),
      stage: stages.get(name) ?? 1,
    }))
    .sort((one, other) => one.stage - other.stage || one.name.localeCompare(other.name));
}

/** Types of the components around a resource, and its own, from the outside in. */
function typesOf(urn: string): string[] {
  return (urn.split("::")[2] ?? "").split("$");
}

/** The component below the whole mesh, or the outermost one. */
function partName(urn: string): string | undefined {
  const [outer = "", inner] = typesOf(urn);
  const kind = COMPONENT.exec(outer)?.[1];
  if (kind !== WHOLE) return kind;
  if (inner === undefined) return undefined;
  return COMPONENT.exec(inner)?.[1] ?? `${inner.split(":").at(-1) ?? ""} ${urn.split("::")[3] ?? ""}`;
}

/** Whether it is the component that gives its part the name. */
function isTop(urn: string, name: string): boolean {
  return COMPONENT.exec(typesOf(urn).at(-1) ?? "")?.[1] === name;
}

type Waits = ReadonlyMap<string, ReadonlySet<string>>;

/** All that a part waits for, directly or not. */
function reach(name: string, waits: Waits, seen = new Set<string>()): Set<string> {
  for (const other of waits.get(name) ?? []) {
    if (seen.has(other)) continue;
    seen.add(other);
    reach(other, waits, seen);
  }
  return seen;
}

/** What a part waits for without what it waits for through another part anyway. */
function direct(name: string, waits: Waits): string[] {
  const all = [...(waits.get(name) ?? [])];
  return all
    .filter((other) => !all.some((between) => between !== other && reach(between, waits).has(other)))
    .sort();
}

/** The stage of each part. Parts that wait for each other, which an engine refuses, end the search. */
function stagesOf(waits: Waits): ReadonlyMap<string, number> {
  const stages = new Map<string, number>();
  const visit = (name: string): number => {
    const known = stages.get(name);
    if (known !== undefined) return known;
    stages.set(name, 1);
    const stage = 1 + Math.max(0, ...[...(waits.get(name) ?? [])].map(visit));
    stages.set(name, stage);
    return stage;
  };
  for (const name of waits.keys()) visit(name);
  return stages;
}
