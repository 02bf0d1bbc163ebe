import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { clusterHook } from "../cluster/hook";
import { DeployedTrust, liveCertificates, outageToken, PlannedTrust } from "./deployedTrust";

/** A configured anchor: its PEM; `new` where it is yet to be made; `unknown` where it is not asked. */
export type AnchorState = { readonly pem: string } | "new" | "unknown";

/** What the configuration leads to. */
export interface ResultingTrust {
  /** In the order of {@link PlannedTrust.trustAnchors}. */
  readonly anchors: readonly AnchorState[];
  /** PEM of an issuer that is not signed here. */
  readonly issuer?: string;
}

/**
 * Refuses another trust domain than that of the mesh that is deployed.
 *
 * @throws RunError with the ways out.
 */
export function refuseTrustDomain(deployed: DeployedTrust, planned: PlannedTrust): void {
  const { trustDomain = planned.trustDomain } = deployed;
  if (trustDomain === planned.trustDomain || isAccepted(deployed, planned)) {
    return;
  }
  throw new pulumi.RunError(
    [
      `linkerd-mtls:trustDomain must stay ${trustDomain}, which the mesh on this cluster has, but is ${planned.trustDomain}.`,
      "Proxies that run keep their names in the old domain, so they and those that start after the change refuse each " +
        "other until every meshed pod of the cluster has been recreated.",
      `    pulumi config set linkerd-mtls:trustDomain ${trustDomain}`,
      ...recovery(deployed, planned, "Changing the trust domain"),
    ].join("\n"),
  );
}

/**
 * Refuses a change of anchors or issuer that makes proxies which run refuse those that start after it.
 *
 * @throws RunError with what would be cut, the staged way and the way to do it all the same.
 */
export function refuseTrustChange(
  deployed: DeployedTrust,
  planned: PlannedTrust,
  resulting: ResultingTrust,
): void {
  const problems = trustProblems(deployed, planned, resulting);
  if (problems.length === 0 || isAccepted(deployed, planned)) {
    return;
  }
  throw new pulumi.RunError(
    [
      "This change of linkerd-mtls:trustAnchors and the issuer would cut traffic between meshed pods that run:",
      ...problems.map((problem) => `  - ${problem}`),
      "On the cluster (ConfigMap linkerd-identity-trust-roots):",
      ...deployed.anchors.map((anchor) => `  - ${describe(anchor)}`),
      "Rotate in three steps, each with its own `up`: add the new anchor under a new id and keep the signer, until every " +
        "meshed pod has been recreated; then change the signer; at the end remove the old anchor " +
        '(docs/operations.md, "Rotating the trust anchor").',
      ...recovery(deployed, planned, "Replacing all trust at once"),
    ].join("\n"),
  );
}

/**
 * A hook for the key and the certificate of the signing anchor: where a mesh is deployed, new ones are refused before they
 * are made, because those that they replace would not come back. Without it, `up` would see that only afterwards.
 */
export function signerHook(
  name: string,
  deployed: DeployedTrust,
  planned: PlannedTrust,
): pulumi.ResourceHook {
  const anchors = planned.trustAnchors.map(({ id, certificate }) =>
    id === planned.signingAnchor ? "new" : certificate === undefined ? "unknown" : { pem: certificate },
  );
  return clusterHook(name, () => {
    refuseTrustChange(deployed, planned, { anchors });
    return Promise.resolve();
  });
}

/** What would be cut; nothing where no mesh is deployed. */
export function trustProblems(
  deployed: DeployedTrust,
  { trustAnchors, signingAnchor }: PlannedTrust,
  { anchors, issuer }: ResultingTrust,
): string[] {
  if (deployed.anchors.length === 0) {
    return [];
  }
  const planned = trustAnchors.map(({ id }, index) => ({ id, state: anchors[index] ?? "unknown" }));
  const stays = (anchor: X509Certificate): boolean => staysIn({ anchors }, anchor);
  const problems: string[] = [];

  if (!deployed.anchors.some(stays)) {
    problems.push(
      `none of the trust anchors on the cluster stays: proxies that run trust no certificate of ${planned.map(({ id }) => id).join(", ")}`,
    );
  }
  const signer = planned.find(({ id }) => id === signingAnchor);
  if (signer !== undefined && signer.state !== "unknown") {
    const { state } = signer;
    if (!deployed.anchors.some((anchor) => isSame(state, anchor))) {
      problems.push(
        `the issuer is signed by anchor ${signer.id}, which proxies that run do not trust yet: they refuse each certificate that it issues`,
      );
    }
  } else if (issuer !== undefined) {
    const chain = liveCertificates(issuer);
    if (chain.length > 0 && signersOf(chain, deployed.anchors).length === 0) {
      problems.push(
        "issuerCertificate is signed by an anchor that proxies that run do not trust yet: they refuse each certificate that it issues",
      );
    }
  }
  const inUse = signersOf(deployed.issuer, deployed.anchors);
  if (inUse.length > 0 && !inUse.some(stays)) {
    problems.push(
      `the anchor of the issuer in use does not stay (${inUse.map(({ fingerprint256 }) => fingerprint256).join(", ")}): new proxies refuse the certificates of those that run`,
    );
  }
  return problems;
}

/** Whether a deployed anchor is one of those that are configured. */
export function staysIn({ anchors }: ResultingTrust, anchor: X509Certificate): boolean {
  return anchors.some((state) => state === "unknown" || isSame(state, anchor));
}

/** The deployed anchors that will sign the issuer. */
export function resultingSigners(
  deployed: DeployedTrust,
  { trustAnchors, signingAnchor }: PlannedTrust,
  { anchors, issuer }: ResultingTrust,
): X509Certificate[] {
  const signer = anchors[trustAnchors.findIndex(({ id }) => id === signingAnchor)];
  return signer !== undefined
    ? deployed.anchors.filter((anchor) => isSame(signer, anchor))
    : signersOf(liveCertificates(issuer ?? ""), deployed.anchors);
}

function isSame(state: AnchorState, { fingerprint256 }: X509Certificate): boolean {
  return (
    typeof state === "object" &&
    liveCertificates(state.pem).some((anchor) => anchor.fingerprint256 === fingerprint256)
  );
}

/** The anchors that signed one of a chain's certificates. */
export function signersOf(
  chain: readonly X509Certificate[],
  anchors: readonly X509Certificate[],
): X509Certificate[] {
  return anchors.filter(({ publicKey }) => chain.some((certificate) => certificate.verify(publicKey)));
}

/** Whether the configuration names this change as one that is wanted although it cuts traffic. */
export function isAccepted(deployed: DeployedTrust, planned: PlannedTrust): boolean {
  return planned.acceptOutage === outageToken(deployed, planned);
}

/** The way to make a change all the same. */
export function recovery(deployed: DeployedTrust, planned: PlannedTrust, section: string): string[] {
  return [
    `For this change with an outage, see docs/operations.md, "${section}":`,
    `    pulumi config set linkerd-mtls:acceptOutage ${outageToken(deployed, planned)}    # allows this change, and no other`,
  ];
}

function describe({ subject, fingerprint256, validTo }: X509Certificate): string {
  return `${fingerprint256} (${subject.replaceAll("\n", ", ")}), valid until ${new Date(validTo).toISOString()}`;
}
