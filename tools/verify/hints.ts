/** The page that says what to do about each finding. */
const PAGE = "docs/operations.md";

/** Sections of {@link PAGE}, by what they are about. */
export const HINTS = {
  outside: "pods-outside-the-mesh",
  passedOver: "pods-that-the-injector-passes-over",
  bundle: "pods-with-another-trust-bundle",
  trustDomain: "changing-the-trust-domain",
  expiry: "expiry",
  reissue: "reissuing-the-issuer-or-the-webhooks-certificates",
  issuer: "an-issuer-that-identity-does-not-use",
  anchor: "rotating-the-trust-anchor",
  webhook: "webhooks-that-cannot-be-called",
  guard: "a-guard-that-does-not-refuse",
  plaintext: "plaintext-between-meshed-pods",
  policies: "policies-that-have-no-effect",
  drift: "a-cluster-that-differs-from-its-stack",
  link: "clusters-that-do-not-trust-each-other",
  absent: "no-control-plane",
} as const;

/** Which section says what to do. */
export type HintSection = keyof typeof HINTS;

/** Where a section is. */
export function hintLink(section: HintSection): string {
  return `${PAGE}#${HINTS[section]}`;
}
