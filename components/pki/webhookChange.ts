import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

import { sha256 } from "../certificates/pem";
import { clusterHook, gate } from "../cluster/hook";
import { settled } from "../cluster/settled";
import { liveCertificates, TOKEN_DIGITS } from "./deployedTrust";
import { FIRST_CA, WebhookCas } from "./webhookCas";
import { RELOAD_SECONDS } from "./podTrust";
import { signersOf } from "./trustChange";

/** One of the webhooks, or tap, as the cluster has it. */
export interface DeployedWebhook {
  readonly namespace: string;
  /** Its Service. */
  readonly service: string;
  /** The CAs that the API server trusts for it, without what has expired. */
  readonly cas: readonly X509Certificate[];
  /** The certificate in its Secret; undefined where there is none, or it has expired. Never its key. */
  readonly serving?: X509Certificate;
  /** When that was last written. */
  readonly written?: Date;
}

/** A CA as the configuration leads to it: its PEM; undefined where it is yet to be made. */
export interface ResultingCa {
  readonly generation: number;
  readonly pem?: string;
}

/** A change of the CAs of one namespace. */
export interface WebhookChange {
  readonly deployed: readonly DeployedWebhook[];
  readonly cas: readonly ResultingCa[];
  readonly signingCa: number;
  /**
   * PEMs of CAs of others that the API server goes on to trust. It then comes to trust the next CA before that signs, too
   * (`webhookOverlap`). Default: there are none.
   */
  readonly former?: string;
}

/** What is in the way of a change of CAs. */
export interface WebhookObstacles {
  /** Why it is never allowed. */
  readonly problems: readonly string[];
  /** Until when it must be awaited that webhooks have reloaded their certificates. */
  readonly until?: Date;
}

/** Common name of the CA of a namespace's webhooks. */
export function caName(namespace: string): string {
  return `webhook-issuer.${namespace}`;
}

/** Generation of a CA, which its subject has as its serial number from the second on. */
export function generationOf({ subject }: X509Certificate): number {
  return Number(/^serialNumber=(\d+)$/m.exec(subject)?.[1] ?? FIRST_CA);
}

/** What is in the way of a change; nothing where the webhooks are not of this program, or the API server refuses them anyway. */
export function webhookObstacles(
  { deployed, cas, signingCa, former }: WebhookChange,
  now: Date,
): WebhookObstacles {
  const next = former === undefined ? cas.find(({ generation }) => generation === signingCa) : undefined;
  const resulting = [...cas, { pem: former }];
  const stays = (ca: X509Certificate): boolean => resulting.some((each) => isSameKey(each, ca));
  const problems = new Map<string, string[]>();
  let until: Date | undefined;
  for (const { namespace, service, cas: trusted, serving, written } of deployed) {
    const signers = serving === undefined ? [] : signersOf([serving], trusted);
    const inUse = signers.find((ca) => isOwnCa(ca, namespace));
    if (inUse === undefined) {
      continue;
    }
    const found = [
      ...(signers.some(stays)
        ? []
        : [`signed by CA ${generationOf(inUse)}, which would be dropped while it signs`]),
      ...(next === undefined || trusted.some((ca) => isSameKey(next, ca))
        ? []
        : [`to be signed by CA ${signingCa}, which the API server does not trust yet`]),
    ];
    for (const problem of found) {
      problems.set(problem, [...(problems.get(problem) ?? []), `${namespace}/${service}`]);
    }
    if (written !== undefined && !trusted.every(stays)) {
      const reloaded = new Date(written.getTime() + RELOAD_SECONDS * 1000);
      until = now < reloaded && (until === undefined || until < reloaded) ? reloaded : until;
    }
  }
  return {
    problems: [...problems].map(([problem, services]) =>
      services.length === 1
        ? `the certificate of ${services.join()} is ${problem}`
        : `the certificates of ${services.join(", ")} are ${problem}`,
    ),
    until,
  };
}

/** Whether this program made the CA for the webhooks of that namespace. */
export function isOwnCa({ subject }: X509Certificate, namespace: string): boolean {
  return subject.split("\n").includes(`CN=${caName(namespace)}`);
}

/** cert-manager renews a CA under its key, and a certificate of either is valid under both. */
function isSameKey({ pem = "" }: Pick<ResultingCa, "pem">, { publicKey }: X509Certificate): boolean {
  return liveCertificates(pem).some((ca) => ca.publicKey.equals(publicKey));
}

/** Names the change from the CAs that are deployed, of all namespaces, to those that are configured. */
export function webhookOutageToken(
  deployed: readonly DeployedWebhook[],
  { cas, signingCa }: WebhookCas,
): string {
  const trusted = deployed.flatMap((webhook) => webhook.cas.map(({ fingerprint256 }) => fingerprint256));
  return sha256(JSON.stringify([[...new Set(trusted)].sort(), cas, signingCa])).slice(0, TOKEN_DIGITS);
}

/** Arguments of {@link webhookGate}. */
export interface WebhookGateArgs extends WebhookCas, Pick<WebhookChange, "former"> {
  readonly namespace: pulumi.Input<string>;
  /** PEMs of the CAs, in their order. */
  readonly certPems: readonly pulumi.Output<string>[];
  /** Reads what the cluster has. Default: nothing is compared. */
  readonly read?: () => Promise<readonly DeployedWebhook[]>;
  /** Names the one change that is let through. Default: none. */
  readonly acceptOutage?: string;
}

/** Whether the CAs that are configured keep the webhooks that run. */
export interface WebhookGate {
  /** Is asked when CAs change: let all that writes a CA or a certificate to the cluster depend on it. */
  readonly gate: pulumi.Resource;
  /** Asks the same before a certificate is signed, because the one that it replaces would not come back. */
  readonly beforeIssue: pulumi.ResourceHook;
  /** Rejects with the refusal in a preview, which runs no hooks; `up` ends with it. */
  readonly checked: Promise<void>;
}

/** Compares the CAs that are configured with those that are deployed, as a child of `parent`. */
export function webhookGate(parent: pulumi.Resource, name: string, args: WebhookGateArgs): WebhookGate {
  const { namespace, cas, signingCa, certPems, read, former } = args;
  const check = async (): Promise<void> => {
    const place = await settled(namespace);
    const pems = await Promise.all(certPems.map(settled));
    const deployed = await read?.();
    if (deployed !== undefined) {
      refuseWebhookChange(deployed, args, {
        deployed: deployed.filter((webhook) => webhook.namespace === place),
        cas: cas.map((generation, index) => ({ generation, pem: pems[index] })),
        signingCa,
        former,
      });
    }
  };
  const checked = pulumi.runtime.isDryRun() ? check() : Promise.resolve();
  // Who does not await it sees the refusal in `up`.
  checked.catch(() => undefined);
  const trust = pulumi
    .all([...certPems])
    .apply((pems) => sha256(`${pems.join("")}${signingCa}${former ?? ""}`));
  const beforeIssue = clusterHook(name, check);
  return { gate: gate(`${name}-unbroken`, beforeIssue, { trust }, { parent }), beforeIssue, checked };
}

/**
 * Refuses a change of CAs after which the API server would not trust a webhook that runs.
 *
 * @param all What is deployed in all namespaces.
 * @throws RunError with the webhooks, the step that comes first, and the way to do it all the same.
 */
export function refuseWebhookChange(
  all: readonly DeployedWebhook[],
  { cas, signingCa, acceptOutage }: WebhookCas & Pick<WebhookGateArgs, "acceptOutage">,
  change: WebhookChange,
  now = new Date(),
): void {
  const { problems, until } = webhookObstacles(change, now);
  const token = webhookOutageToken(all, { cas, signingCa });
  if ((problems.length === 0 && until === undefined) || acceptOutage === token) {
    return;
  }
  const { deployed } = change;
  const trusted = unique(deployed.flatMap((webhook) => webhook.cas.map(generationOf)));
  const signing = unique(
    deployed.flatMap((webhook) =>
      (webhook.serving === undefined ? [] : signersOf([webhook.serving], webhook.cas)).map(generationOf),
    ),
  );
  throw new pulumi.RunError(
    [
      ...(problems.length === 0
        ? [
            "This change of linkerd-mtls:webhookCertificates.cas must wait until " +
              `${until?.toISOString()}: webhooks reload their certificates within ` +
              `${RELOAD_SECONDS} s, and may serve one of the CA that is dropped.`,
          ]
        : [
            "After this change of linkerd-mtls:webhookCertificates the API server would not trust webhooks that run:",
            ...problems.map((problem) => `  - ${problem}`),
            `On the cluster, CA ${trusted.join(" and ")} ${trusted.length === 1 ? "is" : "are"} trusted, and CA ${signing.join(" and ")} signs.`,
            "Rotate in three steps, each with its own `up`: trust the new CA too; then sign by it; at the end drop the old one " +
              '(docs/operations.md, "Rotating the CAs of the webhooks"). What may come next:',
            ...setCas({ cas: unique([...trusted, ...cas]), signingCa: signing[0] ?? FIRST_CA }),
          ]),
      'For this change with an outage, see docs/operations.md, "Rotating the CAs of the webhooks":',
      `    pulumi config set linkerd-mtls:acceptOutage ${token}    # allows this change, and no other`,
    ].join("\n"),
  );
}

/** The commands that configure CAs. */
export function setCas({ cas, signingCa }: WebhookCas): string[] {
  const key = "linkerd-mtls:webhookCertificates";
  return [
    `    pulumi config rm --path ${key}.cas`,
    ...cas.map((generation, index) => `    pulumi config set --path '${key}.cas[${index}]' ${generation}`),
    `    pulumi config set --path ${key}.signingCa ${signingCa}`,
  ];
}

function unique(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((one, other) => one - other);
}
