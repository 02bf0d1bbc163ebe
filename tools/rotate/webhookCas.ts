import { LINKERD_NAMESPACE, VIZ_NAMESPACE } from "../../components/controlPlane/linkerdNamespace";
import { fingerprints } from "../../components/pki/deployedTrust";
import { isNearEnd } from "../../components/pki/expiry";
import { RELOAD_SECONDS } from "../../components/pki/podTrust";
import type { WebhookCas } from "../../components/pki/webhookCas";
import {
  type DeployedWebhook,
  generationOf,
  isOwnCa,
  type WebhookObstacles,
  webhookObstacles,
} from "../../components/pki/webhookChange";
import { validityIn } from "./trust";

/** Where the rotation of the webhooks' CAs is. */
export interface CaRotation {
  /** A CA that is trusted and does not sign yet. */
  readonly next?: number;
  /** CAs that do not sign any more, and are trusted still. */
  readonly old: readonly number[];
}

/**
 * The webhooks without the CAs of others that the API server goes on to trust (`adopt.webhookCas`): these are in no step of
 * a rotation. `former`: their PEMs.
 */
export function withoutFormer(
  webhooks: readonly DeployedWebhook[],
  former: string | undefined,
): readonly DeployedWebhook[] {
  const prints = fingerprints(former ?? "");
  return webhooks.map((webhook) => ({
    ...webhook,
    // One that signs is this stack's own: the configuration was written while it was there.
    cas: webhook.cas.filter(
      ({ fingerprint256, publicKey }) =>
        !prints.has(fingerprint256) || webhook.serving?.verify(publicKey) === true,
    ),
  }));
}

/** Where the CAs that are configured are on their way. */
export function caRotation({ cas, signingCa }: WebhookCas): CaRotation {
  const index = cas.indexOf(signingCa);
  return {
    next: index < cas.length - 1 ? cas.at(-1) : undefined,
    old: cas.slice(0, Math.max(index, 0)),
  };
}

/** What of the CAs is not deployed, each as a sentence; nothing of webhooks that the API server does not trust at all. */
export function undeployedCas(
  { cas, signingCa }: WebhookCas,
  webhooks: readonly DeployedWebhook[],
): string[] {
  const present = own(webhooks);
  const trusted = present.map((webhook) => webhook.cas.map(generationOf));
  const missing = cas.filter((ca) => trusted.some((generations) => !generations.includes(ca)));
  const extra = new Set(trusted.flat().filter((ca) => !cas.includes(ca)));
  const unsigned = present.filter(
    ({ cas: known, serving }) =>
      !known.some((ca) => generationOf(ca) === signingCa && serving?.verify(ca.publicKey) === true),
  );
  return [
    ...missing.map((ca) => `the API server does not trust CA ${ca} of the webhooks yet`),
    ...[...extra].map(
      (ca) => `the API server still trusts CA ${ca} of the webhooks, which is not configured`,
    ),
    ...(unsigned.length > 0
      ? [
          `CA ${signingCa} has not signed the certificates of ${unsigned.map(({ service }) => service).join(", ")}`,
        ]
      : []),
  ];
}

/** What the program's own check says of these CAs. */
export function caObstacles(
  { cas, signingCa }: WebhookCas,
  webhooks: readonly DeployedWebhook[],
  now: Date,
): WebhookObstacles {
  const found = [...new Set(webhooks.map(({ namespace }) => namespace))].map((namespace) => {
    const deployed = webhooks.filter((webhook) => webhook.namespace === namespace);
    const known = deployed.flatMap((webhook) => webhook.cas);
    const resulting = cas.map((generation) => ({
      generation,
      pem: known.find((ca) => generationOf(ca) === generation)?.toString(),
    }));
    return webhookObstacles({ deployed, cas: resulting, signingCa }, now);
  });
  const ends = found.flatMap(({ until }) => until?.getTime() ?? []);
  return {
    problems: found.flatMap(({ problems }) => problems),
    ...(ends.length > 0 && { until: new Date(Math.max(...ends)) }),
  };
}

/** Whether the CA that signs is near its end somewhere. */
export function isCaNearEnd(
  { signingCa }: WebhookCas,
  webhooks: readonly DeployedWebhook[],
  now: Date,
): boolean {
  return own(webhooks).some(({ cas }) =>
    cas.some((ca) => {
      const validity = validityIn(ca.toString());
      return generationOf(ca) === signingCa && validity !== undefined && isNearEnd(validity, now);
    }),
  );
}

/** Workloads that Linkerd's charts restart when a CA is added or dropped: its PEM is in a checksum of their templates. */
export const CA_RESTARTS: readonly string[] = [
  `Deployment ${LINKERD_NAMESPACE}/linkerd-destination`,
  `Deployment ${LINKERD_NAMESPACE}/linkerd-proxy-injector`,
  `Deployment ${VIZ_NAMESPACE}/tap`,
  `Deployment ${VIZ_NAMESPACE}/tap-injector`,
];

/** How long webhooks take to serve a new certificate. */
export const RELOAD = `${RELOAD_SECONDS / 60}m`;

/** Those whose CA this program made. */
function own(webhooks: readonly DeployedWebhook[]): DeployedWebhook[] {
  return webhooks.filter(({ namespace, cas }) => cas.some((ca) => isOwnCa(ca, namespace)));
}
