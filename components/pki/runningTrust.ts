import { RolledBy } from "../cluster/meshedPods";

/** A pod with a proxy, which runs or will. */
export interface MeshedPod {
  /** What to roll to have it recreated, e.g. `Deployment shop/web`. */
  readonly owner: string;
  readonly created: Date;
  readonly rolledBy: RolledBy;
  /** Fingerprints of the anchors that it was created with; undefined where it reads them when it starts, as Linkerd's own do. */
  readonly anchors?: ReadonlySet<string>;
}

/** What the pods of a mesh trust, and whose certificates they may have. */
export interface RunningTrust {
  readonly pods: readonly MeshedPod[];
  /** How long a certificate lives that identity issues. */
  readonly lifetimeSeconds: number;
  /** Since when the anchor signs the issuer, at the latest; undefined where cert-manager's issuer is one of others. */
  readonly signedSince?: Date;
  /** When identity last said that it uses another issuer (`IssuerUpdated`); Kubernetes forgets it after an hour. */
  readonly issuerUpdated?: Date;
}
