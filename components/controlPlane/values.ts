import { formatDuration } from "../validation/duration";
import { WebhookTrust } from "../pki/webhookTrust";
import { ControlPlaneSettings, SettingsValues, settingsValues } from "./settings";

/**
 * The values that this program gives to the chart linkerd-control-plane, and no others. The chart has no schema and
 * ignores a name that it does not know, so `tests/program` compares them with the names that it does know.
 */
export interface ControlPlaneValues extends SettingsValues {
  /** The trust bundle, PEM. */
  readonly identityTrustAnchorsPEM: string;
  /** Trust domain. */
  readonly identityTrustDomain: string;
  readonly identity: {
    /** Somebody else makes the ConfigMap of the trust bundle; `identityTrustAnchorsPEM` still rolls the pods. */
    readonly externalCA?: true;
    readonly issuer: {
      /** `kubernetes.io/tls`: the issuer is a Secret that exists already, so its key is not among the values. */
      readonly scheme: "kubernetes.io/tls";
      /** Validity of the proxies' certificates, as Go writes it. */
      readonly issuanceLifetime: string;
    };
  };
  /** The webhook that injects proxies. */
  readonly proxyInjector: WebhookValues;
  /** The webhook that checks ServiceProfiles. */
  readonly profileValidator: WebhookValues;
  /** The webhook that checks policies. */
  readonly policyValidator: WebhookValues;
  /** Whether Linkerd's CNI plugin redirects the pods' traffic, instead of an init container of each. */
  readonly cniEnabled: boolean;
  /** When the heartbeat runs, as a cron schedule. Without it every render takes the current time. */
  readonly heartbeatSchedule: string;
}

/** Values of one admission webhook: how the API server comes to trust it, and where its certificate is. */
export type WebhookValues = WebhookTrust & {
  /** The certificate is a Secret that exists already; without it every render would make a new one. */
  readonly externalSecret: true;
};

/** Services of the control plane's webhooks. */
export const CONTROL_PLANE_WEBHOOKS = [
  "linkerd-proxy-injector",
  "linkerd-sp-validator",
  "linkerd-policy-validator",
] as const;

/** Service of a webhook of the control plane. */
export type ControlPlaneWebhook = (typeof CONTROL_PLANE_WEBHOOKS)[number];

/** The values of a webhook. */
export function webhookValues(trust: WebhookTrust): WebhookValues {
  return { externalSecret: true, ...trust };
}

/** Once a day; the documented example of the chart. */
const HEARTBEAT_SCHEDULE = "0 0 * * *";

/** The values of the control plane. */
export function controlPlaneValues(args: {
  trustBundlePem: string;
  trustDomain: string;
  issuanceLifetime: number;
  webhookTrust: Readonly<Record<ControlPlaneWebhook, WebhookTrust>>;
  cniEnabled: boolean;
  externalTrustRoots?: boolean;
  settings?: ControlPlaneSettings;
}): ControlPlaneValues {
  return {
    identityTrustAnchorsPEM: args.trustBundlePem,
    identityTrustDomain: args.trustDomain,
    identity: {
      ...(args.externalTrustRoots === true && { externalCA: true }),
      issuer: { scheme: "kubernetes.io/tls", issuanceLifetime: formatDuration(args.issuanceLifetime) },
    },
    proxyInjector: webhookValues(args.webhookTrust["linkerd-proxy-injector"]),
    profileValidator: webhookValues(args.webhookTrust["linkerd-sp-validator"]),
    policyValidator: webhookValues(args.webhookTrust["linkerd-policy-validator"]),
    cniEnabled: args.cniEnabled,
    heartbeatSchedule: HEARTBEAT_SCHEDULE,
    ...settingsValues(args.settings ?? {}),
  };
}
