import { MeshTrustAnchor } from "../components";
import {
  type CaCertificate,
  checkTrustAnchor,
  describeDuration,
  HOURS_PER_YEAR,
  TRUST_ANCHOR_VALIDITY_HOURS,
} from "../components/rules";
import { ConfigStack } from "./keys";
import { issuanceLifetime } from "./rotation";
import { findSigner } from "./signer";

const HOUR_SECONDS = 3600;

/**
 * Reports an issuer that is made here and would outlive its anchor, and proxies' certificates that would outlive it. What
 * is left to the anchor is asked when the issuer is signed.
 */
export function checkGeneratedIssuer(stack: ConfigStack): void {
  const { validityHours = HOURS_PER_YEAR } = stack.settings.issuer;
  const signer = findSigner(stack);
  const limit = signer === undefined ? Infinity : validityHoursOf(signer);
  if (signer !== undefined && validityHours > limit) {
    stack
      .at("issuer")
      .at("validityHours")
      .report({
        path: "",
        rule: `must be no longer than the validity of trust anchor ${signer.id} (${limit} hours)`,
        found: { value: validityHours },
        fixes: [{ set: "", to: String(limit) }],
      });
  }
  checkProxies(stack, validityHours * HOUR_SECONDS);
}

/** Reports proxies' certificates that would outlive a provided issuer. */
export function checkProvidedIssuer(stack: ConfigStack, issuer: CaCertificate): void {
  checkProxies(stack, lifetimeSeconds(issuer));
}

/** Reports proxies' certificates that outlive the newest issuer: nothing trusts them from its end on. */
function checkProxies(stack: ConfigStack, issuerSeconds: number): void {
  if (issuanceLifetime(stack) < issuerSeconds) {
    return;
  }
  stack.at("issuanceLifetime").report({
    path: "",
    rule: `must be less than the validity of the issuer (${describeDuration(issuerSeconds)})`,
    found: { value: stack.settings.issuanceLifetime },
    fixes: [{ set: "", to: describeDuration(Math.floor(issuerSeconds / 2)).replace(/ .*/, "") }],
  });
}

/** For how long an anchor is valid in all. */
function validityHoursOf({ certificate, validityHours }: MeshTrustAnchor): number {
  if (certificate === undefined) {
    return validityHours ?? TRUST_ANCHOR_VALIDITY_HOURS;
  }
  const { anchor } = checkTrustAnchor(certificate);
  // What cannot be parsed has been reported.
  return anchor === undefined ? Infinity : Math.floor(lifetimeSeconds(anchor) / HOUR_SECONDS);
}

function lifetimeSeconds({ notBefore, notAfter }: CaCertificate): number {
  return (notAfter.getTime() - notBefore.getTime()) / 1000;
}
