import { type CaCertificate, parseCertificates } from "../../components/certificates/certificateFile";
import { secretOf } from "../../components/controlPlane/webhookServers";
import { valid } from "./certificateCheck";
import { lifeOf } from "./life";
import { type Check, check } from "./model";
import type { ServerState, Snapshot } from "./snapshot";

/** Purposes with which a certificate serves: for servers, or for all. */
const SERVER_PURPOSES = ["1.3.6.1.5.5.7.3.1", "2.5.29.37.0"];

/** Whether the API server would take the certificate of a webhook or of tap: its CA, its name, its time. */
export function checkServerCertificate(server: ServerState, { now, renewals }: Snapshot): Check[] {
  const { namespace, service, live, certificatePem } = server;
  if (live === undefined) {
    return [];
  }
  const what = `certificate of ${namespace}/${service} is valid, and trusted by the API server`;
  const secret = `${namespace}/${secretOf(server)}`;
  const cas = parseCertificates(live.caBundle);
  if (typeof cas === "string") {
    return [check(what, [`caBundle of ${server.kind} ${server.name}: ${cas}`], "webhook")];
  }
  if (certificatePem === undefined) {
    return [{ check: what, result: "skipped", note: `Secret ${secret} is not read` }];
  }
  const chain = parseCertificates(certificatePem);
  const [leaf] = chain;
  if (typeof chain === "string" || typeof leaf !== "object") {
    const found = typeof chain === "string" && certificatePem !== "" ? chain : "is not there, or has none";
    return [check(what, [`Secret ${secret}: ${found}`], "webhook")];
  }
  const name = `${service}.${namespace}.svc`;
  const { signer, path } = trustedPath(chain, cas);
  const above = [...path.slice(1), ...(signer === undefined || path.includes(signer) ? [] : [signer])];
  const problems = [
    ...(leaf.dnsNames.includes(name)
      ? []
      : [`has the names ${leaf.dnsNames.join(", ") || "none"}, not ${name}`]),
    ...(leaf.purposes === undefined || SERVER_PURPOSES.some((purpose) => leaf.purposes?.includes(purpose))
      ? []
      : ["is not for servers (extended key usage)"]),
    ...(signer === undefined
      ? [`signed by ${leaf.issuer}, which is not in the caBundle of ${server.kind} ${server.name}`]
      : []),
    ...above.flatMap((ca) => {
      const { result, description } = lifeOf(ca, now);
      return result === "error" ? [`its CA ${ca.subject}: ${description}`] : [];
    }),
  ];
  return [
    valid(what, problems, lifeOf(leaf, now, renewals[secret]), problems.length > 0 ? "webhook" : "reissue"),
  ];
}

/** The certificates from the first to the one that a trusted CA has signed, or that is one. */
export function trustedPath(
  chain: readonly CaCertificate[],
  cas: readonly CaCertificate[],
): { readonly path: readonly CaCertificate[]; readonly signer?: CaCertificate } {
  for (const [index, certificate] of chain.entries()) {
    const previous = chain[index - 1];
    if (previous !== undefined && !previous.isSignedBy(certificate)) {
      break;
    }
    const signer = cas.find((ca) => ca.equals(certificate) || certificate.isSignedBy(ca));
    if (signer !== undefined) {
      return { path: chain.slice(0, index + 1), signer };
    }
  }
  return { path: chain.slice(0, 1) };
}
