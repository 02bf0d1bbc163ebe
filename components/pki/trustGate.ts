import * as pulumi from "@pulumi/pulumi";

import { joinPems, sha256 } from "../certificates/pem";
import { clusterHook, gate } from "../cluster/hook";
import { settled } from "../cluster/settled";
import { DeployedTrust, PlannedTrust } from "./deployedTrust";
import { warnOfOutage } from "./outage";
import { refuseBeforePods } from "./podTrust";
import { refuseTrustChange, ResultingTrust } from "./trustChange";

/** Arguments of {@link trustGate}. */
export interface TrustGateArgs {
  /** What the cluster has. Default: nothing is compared. */
  readonly deployed?: DeployedTrust;
  readonly planned: PlannedTrust;
  /** PEMs of the anchors, in the order of the plan. */
  readonly certPems: readonly pulumi.Output<string>[];
  /** PEM of an issuer that is not signed here. */
  readonly issuer?: pulumi.Input<string>;
}

/** Whether the trust that is configured keeps the traffic of the mesh that is deployed. */
export interface TrustGate {
  /**
   * Let all that writes trust to the cluster depend on these: a gate that is asked when the trust changes, and fails where
   * that would cut traffic; nothing where the cluster has no trust yet, so that a new mesh does not wait.
   */
  readonly before: readonly pulumi.Resource[];
  /** Rejects with the refusal, in a preview too, which runs no hooks. */
  readonly checked: Promise<void>;
}

type Change = readonly [DeployedTrust, PlannedTrust, ResultingTrust];

/** Compares the trust that is configured with the one that is deployed, as a child of `parent`. */
export function trustGate(parent: pulumi.Resource, name: string, args: TrustGateArgs): TrustGate {
  const { deployed, planned, certPems, issuer = "" } = args;
  const read = async (): Promise<ResultingTrust> => {
    // What a preview does not know is made in the `up` after it.
    const pems = await Promise.all(certPems.map(settled));
    return {
      anchors: pems.map((pem) => (pem === undefined ? "new" : { pem })),
      issuer: await settled(issuer),
    };
  };
  const check = async (allowed?: (...change: Change) => Promise<void>): Promise<void> => {
    if (deployed === undefined) {
      return;
    }
    const resulting = await read();
    refuseTrustChange(deployed, planned, resulting);
    await refuseBeforePods(deployed, planned, resulting);
    await allowed?.(deployed, planned, resulting);
  };
  // Once in each operation; the gate asks again.
  const checked = check(warnOfOutage);
  // Who does not await it sees the refusal in `up`.
  checked.catch(() => undefined);
  const trust = pulumi
    .all([pulumi.all([...certPems]), issuer])
    .apply(([pems, provided]) =>
      sha256(`${joinPems(pems)}${planned.signingAnchor ?? provided}${planned.trustDomain}`),
    );
  const hook = clusterHook(name, () => check());
  const unbroken = gate(`${name}-unbroken`, hook, { trust }, { parent });
  return { before: deployed?.anchors.length === 0 ? [] : [unbroken], checked };
}
