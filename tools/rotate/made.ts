/** A resource of a stack's state, as `pulumi stack export` has it, as far as it matters here. */
export interface StateResource {
  readonly urn: string;
  readonly type: string;
  readonly inputs?: {
    readonly keepers?: { readonly generation?: string };
    readonly validityPeriodHours?: number;
  };
  readonly outputs?: {
    readonly certPem?: unknown;
    readonly metadata?: { readonly namespace?: string; readonly name?: string };
    /** Of a Helm release. */
    readonly namespace?: string;
  };
}

/** A certificate that the program made, and how. */
export interface MadeCertificate {
  readonly pem: string;
  readonly generation: number;
  readonly validityHours?: number;
}

/** What a stack has made, as its state says: which certificate belongs to which entry of the configuration. */
export interface Made {
  /** Generated trust anchors, by id. */
  readonly anchors: ReadonlyMap<string, MadeCertificate>;
  /** The issuer, where the program signs it. */
  readonly issuer?: MadeCertificate;
  /** The webhooks' certificates that the program signs. */
  readonly webhooks: readonly MadeCertificate[];
  /** Its workloads with the names that pods have of their owners, e.g. `Deployment shop/web`. */
  readonly owners: ReadonlySet<string>;
  /** Namespaces of its Helm releases. */
  readonly namespaces: ReadonlySet<string>;
  /** Whether an operation on it was killed. */
  readonly wasKilled: boolean;
}

const MESH = "linkerd";
const WORKLOAD = /^kubernetes:apps\/v1:(Deployment|StatefulSet|DaemonSet)$/;
const WEBHOOK = /WebhookCertificates\$tls:index\/locallySignedCert:LocallySignedCert::(.+)-certificate$/;

/** Reads it from the resources of a state. */
export function readMade(resources: readonly StateResource[], wasKilled: boolean): Made {
  const byName = new Map(resources.map((resource) => [`${resource.type} ${nameOf(resource)}`, resource]));
  const certificate = (kind: string, name: string): MadeCertificate | undefined => {
    const made = byName.get(`tls:index/${kind} ${name}-certificate`);
    const pem = made?.outputs?.certPem;
    if (typeof pem !== "string") return undefined;
    const counter = byName.get(`random:index/randomId:RandomId ${name}-generation`);
    const generation = Number(counter?.inputs?.keepers?.generation ?? 1);
    return { pem, generation, validityHours: made?.inputs?.validityPeriodHours };
  };
  const prefix = `${MESH}-trust-anchor-`;
  const anchors = resources
    .filter(({ type }) => type === "linkerd-mtls:index:TrustAnchor")
    .flatMap((component) => {
      const name = nameOf(component);
      const made = certificate("selfSignedCert:SelfSignedCert", name);
      return made === undefined ? [] : [[name.slice(prefix.length), made] as const];
    });
  return {
    anchors: new Map(anchors),
    issuer: certificate("locallySignedCert:LocallySignedCert", `${MESH}-identity-issuer`),
    webhooks: resources.flatMap(({ urn }) => {
      const [, name] = WEBHOOK.exec(urn) ?? [];
      const made = name === undefined ? undefined : certificate("locallySignedCert:LocallySignedCert", name);
      return made ?? [];
    }),
    owners: new Set(
      resources.flatMap(({ type, outputs }) => {
        const [, kind] = WORKLOAD.exec(type) ?? [];
        const { namespace = "", name = "" } = outputs?.metadata ?? {};
        return kind === undefined ? [] : [`${kind} ${namespace}/${name}`];
      }),
    ),
    namespaces: new Set(
      resources.flatMap(({ type, outputs }) =>
        type === "kubernetes:helm.sh/v3:Release" ? (outputs?.namespace ?? []) : [],
      ),
    ),
    wasKilled,
  };
}

/** Whether a deployment of the stack rolls the pods of this owner. */
export function isOwn({ owners, namespaces }: Made, owner: string): boolean {
  const [, namespace = ""] = /^\S+ (.*)\//.exec(owner) ?? [];
  return owners.has(owner) || namespaces.has(namespace);
}

function nameOf({ urn }: StateResource): string {
  return urn.split("::").at(-1) ?? "";
}
