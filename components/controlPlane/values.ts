/**
 * The values that this program gives to the chart linkerd-control-plane, and no others. The chart has no schema and
 * ignores a name that it does not know, so `tests/program` compares them with the names that it does know.
 */
export interface ControlPlaneValues {
  /** The trust bundle, PEM. */
  readonly identityTrustAnchorsPEM: string;
  /** Trust domain. */
  readonly identityTrustDomain: string;
  readonly identity: {
    readonly issuer: {
      /** `kubernetes.io/tls`: the issuer is a Secret that exists already, so its key is not among the values. */
      readonly scheme: "kubernetes.io/tls";
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

/** Values of one admission webhook. */
export interface WebhookValues {
  /** The certificate is a Secret that exists already; without it every render would make a new one. */
  readonly externalSecret: true;
  /** PEM of the CA that the API server trusts for this webhook. */
  readonly caBundle: string;
}

/** PEMs of the CAs of the control plane's webhooks. */
export interface WebhookCaBundles<T = string> {
  readonly proxyInjector: T;
  readonly profileValidator: T;
  readonly policyValidator: T;
}

/** The values of a webhook whose CA this is. */
export function webhookValues(caBundle: string): WebhookValues {
  return { externalSecret: true, caBundle };
}

/** Once a day; the documented example of the chart. */
const HEARTBEAT_SCHEDULE = "0 0 * * *";

/** The values of the control plane. */
export function controlPlaneValues(args: {
  trustBundlePem: string;
  trustDomain: string;
  webhookCaBundles: WebhookCaBundles;
  cniEnabled: boolean;
}): ControlPlaneValues {
  return {
    identityTrustAnchorsPEM: args.trustBundlePem,
    identityTrustDomain: args.trustDomain,
    identity: { issuer: { scheme: "kubernetes.io/tls" } },
    proxyInjector: webhookValues(args.webhookCaBundles.proxyInjector),
    profileValidator: webhookValues(args.webhookCaBundles.profileValidator),
    policyValidator: webhookValues(args.webhookCaBundles.policyValidator),
    cniEnabled: args.cniEnabled,
    heartbeatSchedule: HEARTBEAT_SCHEDULE,
  };
}
