import { type DeployedTrust, liveCertificates, type PlannedTrust } from "../../components/pki/deployedTrust";
import { type Validity, validityOf } from "../../components/pki/expiry";
import { type AnchorState, type ResultingTrust, signersOf } from "../../components/pki/trustChange";
import { TRUST_ANCHOR_VALIDITY_HOURS } from "../../components/pki/trustAnchor";
import type { Configuration } from "./configuration";
import type { Made } from "./made";

/** The PEM of each anchor; `new` where the next deployment makes it. */
export function anchorStates({ anchors }: Configuration, made: Made): AnchorState[] {
  return anchors.map(({ id, certificate, generation = 1, validityHours = TRUST_ANCHOR_VALIDITY_HOURS }) => {
    if (certificate !== undefined) return { pem: certificate };
    const own = made.anchors.get(id);
    const isMade = own?.generation === generation && own.validityHours === validityHours;
    return own !== undefined && isMade ? { pem: own.pem } : "new";
  });
}

/** A configuration as the program's own checks compare it with what is deployed. */
export function changeTo(
  configuration: Configuration,
  made: Made,
): { readonly planned: PlannedTrust; readonly resulting: ResultingTrust } {
  const { anchors, signer, source, trustDomain, issuerCertificate, certManager } = configuration;
  const elsewhere = source === "provided" || certManager.issuerRef;
  return {
    planned: { trustDomain, trustAnchors: anchors, signingAnchor: elsewhere ? undefined : signer },
    resulting: { anchors: anchorStates(configuration, made), issuer: issuerCertificate },
  };
}

/** Fingerprints of those certificates in PEM texts that have not expired. */
function fingerprints(states: readonly AnchorState[]): string[] {
  return states.flatMap((state) =>
    typeof state === "object" ? liveCertificates(state.pem).map(({ fingerprint256 }) => fingerprint256) : [],
  );
}

/** What of the configuration is not deployed, each as a sentence; nothing where all is. */
export function undeployed(configuration: Configuration, made: Made, deployed: DeployedTrust): string[] {
  const { source, signer, certManager, generations, issuerCertificate } = configuration;
  const states = anchorStates(configuration, made);
  const configured = fingerprints(states);
  const present = deployed.anchors.map(({ fingerprint256 }) => fingerprint256);
  const missing = configuration.anchors.filter((_, index) => {
    const state = states[index] ?? "new";
    return state === "new" || fingerprints([state]).some((each) => !present.includes(each));
  });
  const extra = present.filter((each) => !configured.includes(each));
  const signing = states[configuration.anchors.findIndex(({ id }) => id === signer)];
  const issuer = deployed.issuer[0]?.fingerprint256;
  const newest = (pem = ""): string | undefined => liveCertificates(pem)[0]?.fingerprint256;
  const signsHere = source === "generated" || (source === "cert-manager" && !certManager.issuerRef);
  const isSigned =
    issuer === undefined ||
    signersOf(deployed.issuer, deployed.anchors).some(({ fingerprint256 }) =>
      fingerprints(signing === undefined ? [] : [signing]).includes(fingerprint256),
    );
  const isReissued =
    source !== "generated" ||
    (made.issuer?.generation === generations.issuer && newest(made.issuer.pem) === issuer);
  return [
    ...missing.map(({ id }) => `trust anchor ${id} is not in the bundle on the cluster`),
    ...extra.map((each) => `the bundle on the cluster still has an anchor that is not configured (${each})`),
    ...(signsHere && !isSigned ? [`the issuer on the cluster is not signed by anchor ${signer}`] : []),
    ...(signsHere && isSigned && !isReissued
      ? [`the issuer on the cluster is not generation ${generations.issuer}`]
      : []),
    ...(source === "provided" && newest(issuerCertificate) !== issuer
      ? ["the issuer on the cluster is not the one of issuerCertificate"]
      : []),
    ...(made.webhooks.some(({ generation }) => generation !== generations.webhooks)
      ? [`certificates of webhooks are not generation ${generations.webhooks}`]
      : []),
  ];
}

/** id of the configured anchor that signs the issuer on the cluster; undefined where none does. */
export function signerInUse(
  configuration: Configuration,
  made: Made,
  { issuer, anchors }: DeployedTrust,
): string | undefined {
  const inUse = signersOf(issuer, anchors).map(({ fingerprint256 }) => fingerprint256);
  const index = anchorStates(configuration, made).findIndex((state) =>
    fingerprints([state]).some((each) => inUse.includes(each)),
  );
  return configuration.anchors[index]?.id;
}

/** When a certificate is valid; undefined where the text has none. */
export function validityIn(pem: string): Validity | undefined {
  try {
    return validityOf(pem);
  } catch {
    return undefined;
  }
}
