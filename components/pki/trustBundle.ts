import * as pulumi from "@pulumi/pulumi";

import { joinPems } from "../certificates/pem";

/**
 * The trust bundle: the PEMs of all trust anchors, in the order given. The order matters, because `linkerd check` compares
 * the bundle of each pod with the control plane's as text.
 */
export function trustBundle(certPems: readonly pulumi.Input<string>[]): pulumi.Output<string> {
  return pulumi.all([...certPems]).apply(joinPems);
}
