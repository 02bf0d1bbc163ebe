import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { LinkerdVersion } from "../controlPlane/version";
import { InjectionGate } from "./injectionGate";
import { MeshGuard } from "./meshGuard";

/**
 * What everything that is meshed needs to know of its mesh. `LinkerdMesh` is one. For a mesh that other tools have
 * installed, leave out the gate and the guard.
 */
export interface Mesh {
  /** Its cluster, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
  /** PEMs of all trust anchors. A proxy gets them when its pod is created, so pods roll when they change. */
  readonly trustBundlePem: pulumi.Input<string>;
  /** Trust domain. A proxy gets its name in it when its pod is created, so pods roll when it changes. Default `cluster.local`. */
  readonly trustDomain?: string;
  /** Opens when pods are injected; asked before each roll-out. */
  readonly gate?: InjectionGate;
  /** Refuses pods without a proxy. It outlives the meshed pods. */
  readonly guard?: MeshGuard;
  /** Whether the cluster has Linkerd's CNI plugin, so that no pod needs a privileged init container. Default false. */
  readonly cniEnabled?: boolean;
  /** Installed release; it decides which version of a policy is asked for. Default: the default release. */
  readonly linkerdVersion?: LinkerdVersion;
}
