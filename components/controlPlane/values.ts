import { WebhookTrust } from "../pki/webhookCertificates";
import { formatDuration } from "../validation/duration";
import { ControlPlaneSettings, SettingsValues, settingsValues } from "./settings";

/**
 * The values that this program sets in the chart linkerd-control-plane. The chart has no schema and ignores unknown names,
 * so `tests/program` compares them with the names that the chart has.
 */
export interface ControlPlaneValues extends SettingsValues {
  /** The trust bundle, PEM. */
  readonly identityTrustAnchorsPEM: string;
  /** Trust domain. */
  readonly identityTrustDomain: string;
  readonly identity: {
    /** The chart does not create the ConfigMap of the trust bundle; `identityTrustAnchorsPEM` still restarts the pods. */
    readonly externalCA?: true;
    readonly issuer: {
      /** `kubernetes.io/tls`: the issuer is an existing Secret, so the values do not contain its key. */
      readonly scheme: "kubernetes.io/tls";
      /** Validity of the proxies' certificates, as a Go duration. */
      readonly issuanceLifetime: string;
    };
  };
  /** The webhook that injects proxies. */
  readonly proxyInjector: WebhookValues;
  /** The webhook that validates ServiceProfiles. */
  readonly profileValidator: WebhookValues;
  /** The webhook that validates policies. */
  readonly policyValidator: WebhookValues;
  /** Whether Linkerd's CNI plugin redirects traffic, instead of an init container in each pod. */
  readonly cniEnabled: boolean;
  /** Cron schedule of the heartbeat. Without it, each rendering uses the current time. */
  readonly heartbeatSchedule: string;
}

/** Values of one admission webhook: its CA bundle, and where its certificate is. */
export type WebhookValues = WebhookTrust & {
  /** The certificate is an existing Secret; without this, each rendering would generate a new one. */
  readonly externalSecret: true;
};

/** Services of the control plane's webhooks. */
export const CONTROL_PLANE_WEBHOOKS = [
  "linkerd-proxy-injector",
  "linkerd-sp-validator",
  "linkerd-policy-validator",
] as const;

/** Service of one of the control plane's webhooks. */
export type ControlPlaneWebhook = (typeof CONTROL_PLANE_WEBHOOKS)[number];

/** The values of a webhook. */
export function webhookValues(trust: WebhookTrust): WebhookValues {
  return { externalSecret: true, ...trust };
}

/** Once a day, as in the example in the chart's values.yaml. */
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
