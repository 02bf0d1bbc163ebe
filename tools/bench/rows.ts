/** The ways to bring applications into the mesh that are compared, by the letters of docs/benchmarks.md. */
export const VARIANTS = {
  a: "this program, state in files",
  b: "script: helm --wait, then restart",
  c: "script: helm --wait, no restart",
  d: "script: no wait, then restart",
  e: "script: guard, no wait, no restart",
  f: "this program, state in a journal",
} as const;

/** For whom each backend of the program's state is measured. */
export const BACKENDS = {
  a: "Pulumi's `file://` backend, as in the sandbox: concerns who keeps the state in files, on S3 or the like",
  f: "a journal, by a service that speaks Pulumi Cloud's protocol: concerns who keeps the state in Pulumi Cloud",
} as const satisfies Partial<Record<keyof typeof VARIANTS, string>>;

/** One of them. */
export type VariantId = keyof typeof VARIANTS;

/** Every letter, in the order in which they take turns. */
export const VARIANT_IDS = Object.keys(VARIANTS) as VariantId[];

/** What is deployed, and to what kind of cluster. */
export interface Case {
  /** Number of application namespaces. */
  readonly namespaces: number;
  /** Number of Deployments in each, with one pod each. */
  readonly deployments: number;
  /** How long each pod takes to become ready, the control plane's pods too. */
  readonly readyDelaySeconds: number;
}

/** One measurement: one variant of one case on a sandbox of its own. */
export interface Row extends Case {
  readonly variant: VariantId;
  /** Counts from 1. The variants take turns within a run. */
  readonly run: number;
  /** Pods that the Deployments ask for. */
  readonly podsWanted: number;
  /** Pods of the applications that the API server stored, from the first to the end of the clock. */
  readonly podsCreated: number;
  /** Of these, the ones without a proxy. */
  readonly podsEverUnmeshed: number;
  /** Pods without a proxy that exist when everything is over. */
  readonly podsUnmeshedAtEnd: number;
  /** Pods that are ready when everything is over. */
  readonly podsReadyAtEnd: number;
  /** Attempts to create a pod that the API server refused. */
  readonly denials: number;
  /** ReplicaSets beyond the first of each Deployment. */
  readonly restarts: number;
  /** The whole process, on a sandbox that runs already. */
  readonly wallSeconds: number;
  /** Requests that the API server answered meanwhile, to whomever. */
  readonly apiRequests: number;
  /** Only (a) and (f): a preview without changes afterwards, as a whole process. */
  readonly previewSeconds?: number;
  /** Only (a) and (f): the most memory that the program's own process held. */
  readonly programMemoryMiB?: number;
  /** Only (a) and (f): the most memory that Pulumi's engine held. */
  readonly engineMemoryMiB?: number;
}
