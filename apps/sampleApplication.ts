import * as pulumi from "@pulumi/pulumi";

import { InjectionGate, MeshGuard } from "../components";

/** Arguments of every sample application. */
export interface SampleApplicationArgs {
  /** Opens when pods are injected. */
  readonly gate: InjectionGate;
  /** Refuses pods without a proxy. */
  readonly guard: MeshGuard;
  /** PEMs of all trust anchors. */
  readonly trustBundlePem: pulumi.Input<string>;
  /** Whether the cluster has Linkerd's CNI plugin. Default false. */
  readonly cniEnabled?: boolean;
}
