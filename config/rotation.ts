import { MeshRotation, Rotation, WebhookRotation } from "../components";
import { parseDuration, RotationLimits, rotationProblems, webhookLimits } from "../components/rules";
import { ConfigStack } from "./keys";
import { findSigner, validity } from "./signer";

/** What cert-manager does, where it issues the certificates; otherwise nothing of it matters. */
export function readRotation(stack: ConfigStack): MeshRotation | undefined {
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

function checkIdentity(stack: ConfigStack, identity: Rotation & MeshRotation["identity"]): void {
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
