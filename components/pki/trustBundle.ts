import * as pulumi from "@pulumi/pulumi";

import { normalizePem } from "./certificate";

/**
 * The trust bundle: every anchor's PEM, in the order given. The order matters, because `linkerd check` compares the
 * bundle of each pod with the control plane's as text.
 */
export function trustBundle(
  anchors: readonly { readonly certPem: pulumi.Input<string> }[],
): pulumi.Output<string> {
  return pulumi.all(anchors.map((anchor) => anchor.certPem)).apply((pems) => pems.map(normalizePem).join(""));
}
