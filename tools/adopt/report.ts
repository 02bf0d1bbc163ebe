import { CaCertificate } from "../../components/rules";
import type { Plan } from "./plan";
import type { Left, Present } from "./present";
import type { Change } from "./write";

/** What was found, in lines. Nothing of it is secret. */
export function describePresent(present: Present): string[] {
  const { charts, issuer, webhooks, bundle, namespaces } = present;
  return [
    `Linkerd ${present.linkerdVersion ?? "of an unknown release"}, trust domain ${present.trustDomain}`,
    ...charts.map(({ chart, release, revision, version }) =>
      release === undefined
        ? `  ${chart}: linkerd install`
        : `  ${chart} ${version ?? ""}: Helm release ${release}, revision ${revision ?? "?"}`,
    ),
    `  trust bundle: ${counted(bundle.length, "trust anchor")} (${present.bundleOwner})`,
    ...bundle.map((pem) => `    ${certificateLine(pem)}`),
    `  issuer: scheme ${issuer.scheme} (${issuer.owner})`,
    `    ${certificateLine(issuer.certificate)}`,
    ...webhooks.map(({ service, owner, certificate }) =>
      certificate === undefined
        ? `  certificate of ${service}: ${owner}`
        : `  certificate of ${service}: renewed by cert-manager (Certificate ${certificate})`,
    ),
    ...namespaces.map(
      ({ name, inject, deployers }) =>
        `  namespace ${name}: ${inject === undefined ? "injected by its workloads" : `inject ${inject}`}; ` +
        (deployers.join("; ") || "no workload"),
    ),
  ];
}

/** What is written, in lines, without what is secret. */
export function describeChanges(changes: readonly Change[]): string[] {
  return changes.map(({ key, value, isSecret }) => {
    if (isSecret) return `  ${key} (secret)`;
    return value === undefined ? `  ${key} is removed` : `  ${key} = ${brief(value)}`;
  });
}

/** What is not carried over, in lines. */
export function describeLeft(left: readonly Left[]): string[] {
  return left.map(({ what, todo }) => `  ${what}: ${todo}`);
}

/** Why nothing is written. */
export function describeBlocked({ blocked }: Plan): string {
  return ["the mesh cannot be adopted as it is; nothing was written", ...describeLeft(blocked)].join("\n");
}

/** A value in one line, with certificates in short. */
function brief(value: unknown): string {
  const json = typeof value === "string" ? value : JSON.stringify(value);
  return json.replaceAll(
    /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----(\\n|\s)*/g,
    "<certificate>",
  );
}

function certificateLine(pem: string): string {
  try {
    const { subject, certificate, notAfter } = new CaCertificate(pem);
    return `${subject}, SHA-256 ${certificate.fingerprint256.slice(0, 23)}..., valid until ${notAfter.toISOString()}`;
  } catch {
    return "no certificate that can be read";
  }
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
