import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { normalizePem } from "./certificate";

/** How the PEMs of a trust bundle are ordered: as they are given, or by their SHA-256 as trust-manager does it. */
export type TrustBundleOrder = "given" | "fingerprint";

/**
 * The trust bundle: every anchor's PEM. The order matters, because `linkerd check` compares the bundle of each pod with
 * the control plane's as text.
 */
export function trustBundle(
  anchors: readonly { readonly certPem: pulumi.Input<string> }[],
  order: TrustBundleOrder = "given",
): pulumi.Output<string> {
  return pulumi.all(anchors.map((anchor) => anchor.certPem)).apply((pems) => {
    const normalized = pems.map(normalizePem);
    return (order === "given" ? normalized : sortBy(normalized, fingerprint)).join("");
  });
}

function fingerprint(pem: string): string {
  return new X509Certificate(pem).fingerprint256;
}

function sortBy(texts: readonly string[], key: (text: string) => string): string[] {
  return [...texts].sort((a, b) => (key(a) < key(b) ? -1 : 1));
}
