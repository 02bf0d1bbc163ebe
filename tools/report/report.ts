import type { Dependent } from "../sandbox/criticalPath";
import { type Group } from "../verify/model";
import type { Snapshot } from "../verify/snapshot";
import { verify } from "../verify/verify";
import { type Certificates, certificatesOf } from "./certificates";
import { type Part, partsOf } from "./deployment";
import { type Identities, identitiesOf } from "./identities";
import { type NamespaceRow, namespacesOf } from "./namespaces";
import { type Policies, policiesOf } from "./policies";
import { type RotationRow, rotationOf } from "./rotation";

/** All that is read for a report. */
export interface Material {
  /** What the cluster is called, e.g. its context. */
  readonly cluster: string;
  readonly snapshot: Snapshot;
  /** Resources of the stack's state; undefined where no stack is known. */
  readonly state?: readonly Dependent[];
}

/** What the page shows, in its order. */
export interface Report {
  readonly cluster: string;
  readonly now: Date;
  readonly findings: readonly Group[];
  readonly certificates: Certificates;
  /** Undefined where no stack is known. */
  readonly deployment?: readonly Part[];
  readonly namespaces: readonly NamespaceRow[];
  readonly identities: Identities;
  /** Undefined where the user must not read them. */
  readonly policies?: Policies;
  readonly rotation: readonly RotationRow[];
}

/** Sorts what was read into what is shown. */
export function reportOf({ cluster, snapshot, state }: Material): Report {
  return {
    cluster,
    now: snapshot.now,
    findings: verify(snapshot),
    certificates: certificatesOf(snapshot),
    ...(state !== undefined && { deployment: partsOf(state) }),
    namespaces: namespacesOf(snapshot),
    identities: identitiesOf(snapshot),
    ...(snapshot.policies !== undefined && { policies: policiesOf(snapshot.policies, snapshot) }),
    rotation: rotationOf(snapshot),
  };
}
