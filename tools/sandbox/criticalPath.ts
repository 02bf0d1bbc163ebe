import type { EngineEvent } from "@pulumi/pulumi/automation";

/** What the state has of a resource, as far as its place in the order matters. */
export interface Dependent {
  readonly urn: string;
  /** URNs of what it waits for: explicit, and through its inputs. */
  readonly dependencies?: readonly string[];
  /** URN of its parent, for whose dependencies it waits too. */
  readonly parent?: string;
}

/** When the engine worked on a resource, in milliseconds since the timeline began. */
interface Span {
  readonly start: number;
  end: number;
}

/** One resource of a critical path. */
export interface Step {
  /** Type and name, e.g. `Release linkerd-crds-release`. */
  readonly resource: string;
  /** Seconds between the end of the step before and its start: program, engine and hooks that ran before. */
  readonly waited: number;
  /** Seconds from its start to its end. */
  readonly took: number;
}

/** Records when the engine works on each resource. */
export class Timeline {
  private readonly began: number;
  private readonly spans = new Map<string, Span>();

  /** `clock`: milliseconds since whenever. */
  public constructor(private readonly clock: () => number = () => performance.now()) {
    this.began = clock();
  }

  /** Takes an event of an operation, at the moment when it arrives. */
  public readonly onEvent = ({ resourcePreEvent, resOutputsEvent }: EngineEvent): void => {
    const now = this.clock() - this.began;
    const started = resourcePreEvent?.metadata.urn;
    if (started !== undefined && !this.spans.has(started)) {
      this.spans.set(started, { start: now, end: now });
    }
    const span = this.spans.get(resOutputsEvent?.metadata.urn ?? "");
    if (span !== undefined) {
      span.end = now;
    }
  };

  /** Seconds since the timeline began. */
  public get seconds(): number {
    return (this.clock() - this.began) / 1000;
  }

  /**
   * The chain of resources that ended last: from the resource that ended last back through the dependency of each that
   * ended last before it began.
   */
  public criticalPath(resources: readonly Dependent[]): readonly Step[] {
    const byUrn = new Map(resources.map((resource) => [resource.urn, resource]));
    const dependenciesOf = (urn: string | undefined): string[] => {
      const resource = byUrn.get(urn ?? "");
      return resource === undefined
        ? []
        : [...(resource.dependencies ?? []), ...dependenciesOf(resource.parent)];
    };
    // Components begin and end with their children; they are no work of their own.
    const spans = new Map(
      [...this.spans].filter(([urn]) => !/:linkerd-mtls:index:\w+::|pulumi:Stack::/.test(urn)),
    );
    const lastOf = (urns: Iterable<string>): string | undefined =>
      [...urns]
        .filter((urn) => spans.has(urn))
        .sort((one, other) => (spans.get(one)?.end ?? 0) - (spans.get(other)?.end ?? 0))
        .at(-1);
    const steps: Step[] = [];
    for (let urn = lastOf(spans.keys()); urn !== undefined;) {
      const { start, end } = spans.get(urn) ?? { start: 0, end: 0 };
      const before = lastOf(dependenciesOf(urn));
      const ready = before === undefined ? 0 : (spans.get(before)?.end ?? 0);
      steps.unshift({ resource: describe(urn), waited: (start - ready) / 1000, took: (end - start) / 1000 });
      urn = before;
    }
    return steps;
  }
}

/** The path as a table, with what the last step left to the end of the operation. */
export function formatPath(steps: readonly Step[], seconds: number): string {
  const total = steps.reduce((sum, { waited, took }) => sum + waited + took, 0);
  const row = (waited: string, took: string, resource: string): string =>
    `${waited.padStart(8)} ${took.padStart(8)}  ${resource}`;
  return [
    "Critical path, in seconds:",
    row("waited", "took", "resource"),
    ...steps.map(({ waited, took, resource }) => row(waited.toFixed(1), took.toFixed(1), resource)),
    row((seconds - total).toFixed(1), "", "end of the operation"),
    row("", seconds.toFixed(1), "in all"),
  ].join("\n");
}

function describe(urn: string): string {
  const [, , types = "", name = ""] = urn.split("::");
  return `${types.split(":").at(-1) ?? ""} ${name}`;
}
