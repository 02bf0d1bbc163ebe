import * as pulumi from "@pulumi/pulumi";

import { MeshTrustAnchor } from "../components";
import {
  checkAnchorKey,
  checkTrustAnchor,
  Problem,
  TRUST_ANCHOR_VALIDITY_HOURS,
  unexpected,
} from "../components/rules";
import { ConfigStack } from "./keys";

const HOUR_SECONDS = 3600;

/** The anchor that key `signingAnchor` names; where it names none, the only one. */
export function findSigner({ settings }: ConfigStack): MeshTrustAnchor | undefined {
  const { trustAnchors, signingAnchor } = settings;
  const [only] = trustAnchors.length === 1 ? trustAnchors : [];
  return signingAnchor === undefined ? only : trustAnchors.find(({ id }) => id === signingAnchor);
}

/** Key `signingAnchor`. `elsewhere`: no anchor signs here. */
export function readSigningAnchor(stack: ConfigStack, elsewhere: boolean): string {
  const { trustAnchors, signingAnchor, trustAnchorKey } = stack.settings;
  const signer = findSigner(stack);
  const report = (rule: string, example: string): void => {
    stack.at("signingAnchor").report({
      path: "",
      rule,
      found: { value: signer?.id ?? signingAnchor },
      fixes: [{ set: "", to: example }],
    });
  };
  const [first] = trustAnchors;
  if (signer === undefined && first !== undefined && (signingAnchor !== undefined || !elsewhere)) {
    report(`must be one of the trust anchors (${trustAnchors.map(({ id }) => id).join(", ")})`, first.id);
  } else if (signer?.certificate !== undefined && !elsewhere && trustAnchorKey === undefined) {
    report("must be an anchor without a certificate, whose key is here", "<id>");
  }
  return signer?.id ?? signingAnchor ?? "";
}

/** Key `trustAnchorKey`, the key of the signing anchor where that has a certificate. `elsewhere`: no anchor signs here. */
export function readTrustAnchorKey(
  stack: ConfigStack,
  elsewhere: boolean,
): pulumi.Output<string> | undefined {
  const name = "trustAnchorKey";
  const key = stack.settings[name];
  const place = stack.at(name);
  if (key === undefined) {
    return undefined;
  }
  const certificate = findSigner(stack)?.certificate;
  if (elsewhere || certificate === undefined) {
    const rule = "must be set only where the signing anchor has a certificate and signs here";
    place.report(unexpected("", rule, "is set"));
    return undefined;
  }
  const report = (...problems: readonly Problem[]): void => {
    place.report(...problems.map((problem) => ({ ...problem, fixes: [{ set: "", fromFile: "ca.key" }] })));
  };
  if (!stack.isSecret(name)) {
    report({ path: "", rule: "must be a secret", found: "is in plaintext" });
  }
  report(...checkAnchorKey(key, checkTrustAnchor(certificate).anchor));
  return stack.secret(name);
}

/** For how long an anchor signs: a provided one from now, one that is made here in all. */
export function validity({ id, certificate, validityHours = TRUST_ANCHOR_VALIDITY_HOURS }: MeshTrustAnchor): {
  readonly seconds: number;
  readonly what: string;
} {
  if (certificate === undefined) {
    return { seconds: validityHours * HOUR_SECONDS, what: `the validity of trust anchor ${id}` };
  }
  const { anchor } = checkTrustAnchor(certificate);
  // What cannot be parsed has been reported.
  const seconds =
    anchor === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(0, Math.floor((anchor.notAfter.getTime() - Date.now()) / 1000));
  return { seconds, what: `what is left to trust anchor ${id}` };
}
