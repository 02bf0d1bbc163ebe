import { Rotation, WebhookRotation } from "../components";
import { parseDuration, RotationLimits, rotationProblems, webhookLimits } from "../components/rules";
import { RotatingIdentityConfig } from "./certManager";
import { ConfigStack } from "./keys";
import { findSigner, validity } from "./signer";

/** cert-manager, installed here or by something else. */
export interface CertManagerConfig {
  /** Whether this program installs it. */
  readonly install: boolean;
  readonly namespace: string;
  readonly chartSource: string;
  readonly version: string;
  readonly highAvailability: boolean;
  readonly deadlineSeconds: number;
}

/** trust-manager, installed here or by something else. */
export interface TrustManagerConfig {
  /** Whether this program installs it. */
  readonly install: boolean;
  readonly namespace: string;
  readonly chartSource: string;
  readonly version: string;
}

/** What cert-manager does, with `certificates=cert-manager`. */
export interface RotationConfig {
  readonly certManager: CertManagerConfig;
  readonly identity: RotatingIdentityConfig;
  /** Undefined where the webhooks' certificates are generated. */
  readonly webhooks?: WebhookRotation;
  /** Undefined where the chart makes the ConfigMap of the trust bundle. */
  readonly trustManager?: TrustManagerConfig;
}

/** What cert-manager does, where it issues the certificates; otherwise nothing of it matters. */
export function readRotation(stack: ConfigStack): RotationConfig | undefined {
  const { settings } = stack;
  if (settings.certificates !== "cert-manager") {
    return undefined;
  }
  const { rotatingIdentity: identity, rotatingWebhooks } = settings;
  const webhooks = rotatingWebhooks.enabled ? rotatingWebhooks.rotation : undefined;
  checkIdentity(stack, identity);
  if (webhooks !== undefined) {
    checkWebhooks(stack, webhooks);
  }
  const { enabled, ...trustManager } = settings.trustManager;
  return {
    certManager: {
      ...settings.certManager,
      version: settings.certManagerVersion,
      chartSource: settings.certManagerChartSource,
    },
    identity,
    webhooks,
    ...(enabled && {
      trustManager: {
        ...trustManager,
        version: settings.trustManagerVersion,
        chartSource: settings.trustManagerChartSource,
      },
    }),
  };
}

/** Key `issuanceLifetime`, in seconds. */
export function issuanceLifetime({ settings }: ConfigStack): number {
  // Its rule is that of a duration.
  return parseDuration(settings.issuanceLifetime) ?? 0;
}

function checkIdentity(stack: ConfigStack, identity: RotatingIdentityConfig): void {
  const signer = findSigner(stack);
  const limits: RotationLimits = {
    signs: { seconds: issuanceLifetime(stack), what: "the life of a proxy's certificate (issuanceLifetime)" },
    signedBy: signer && identity.issuerRef === undefined ? validity(signer) : undefined,
  };
  stack.at("rotatingIdentity").report(...rotationProblems(identity, limits));
}

function checkWebhooks(stack: ConfigStack, { caRotation, ...rotation }: Rotation & WebhookRotation): void {
  const place = stack.at("rotatingWebhooks");
  if (caRotation !== undefined) {
    const paths = { duration: "caDuration", renewBefore: "caRenewBefore" };
    place.report(...rotationProblems(caRotation, {}, paths));
  }
  place.report(...rotationProblems(rotation, caRotation && webhookLimits(caRotation)));
}
