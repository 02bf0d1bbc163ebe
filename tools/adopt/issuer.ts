import { describeDuration, parseDuration } from "../../components/rules";
import type { PresentIssuer } from "./present";

/** cert-manager's defaults for a Certificate that does not say it. */
const DURATION = "2160h";
const RENEW_BEFORE = "720h";

/** The keys that say where the issuer comes from, without its private key. */
export function issuerKeys({ certificate, renewedBy }: PresentIssuer): Readonly<Record<string, unknown>> {
  if (renewedBy === undefined) {
    return { certificates: "provided", issuerCertificate: certificate.trim() };
  }
  const { issuerRef, duration = DURATION, renewBefore = RENEW_BEFORE } = renewedBy;
  const { name, kind, group } = issuerRef;
  return {
    certificates: "cert-manager",
    issuerCertificate: undefined,
    issuerKey: undefined,
    certManager: { install: false },
    rotatingIdentity: {
      duration: short(duration),
      renewBefore: short(renewBefore),
      issuerRef: { name, ...(kind !== undefined && { kind }), ...(group !== undefined && { group }) },
    },
    // The stack signs the webhooks' certificates, whoever did so before.
    rotatingWebhooks: { enabled: false },
  };
}

/** `48h` for `48h0m0s`. */
function short(duration: string): string {
  const seconds = parseDuration(duration);
  return seconds === undefined ? duration : describeDuration(seconds).split(" ", 1).join();
}
