import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

const HOUR_MS = 60 * 60 * 1000;

/** An issuer may end this much after its anchor, as one does that is made after it for the same number of hours. */
const TOLERANCE_HOURS = 1;

/** Inputs of a certificate that is signed. In a preview the PEM of an anchor that is yet to be made is a value of Pulumi's own. */
interface SignedInputs {
  readonly caCertPem: unknown;
  readonly validityPeriodHours: number;
}

/** A hook before an issuer is signed, in a preview too, that refuses one which would outlive its anchor. */
export function lifetimeHook(name: string): pulumi.ResourceHook {
  return new pulumi.ResourceHook(
    name,
    ({ newInputs }) => {
      refuseOutliving(newInputs as SignedInputs);
    },
    { onDryRun: true },
  );
}

/**
 * Refuses an issuer that would be valid for longer than its anchor is from now on.
 *
 * @throws RunError with what is left to the anchor and both ways out.
 */
function refuseOutliving({ caCertPem, validityPeriodHours }: SignedInputs): void {
  if (typeof caCertPem !== "string") {
    return;
  }
  const { subject, validTo } = new X509Certificate(caCertPem);
  const end = new Date(validTo);
  const left = (end.getTime() - Date.now()) / HOUR_MS;
  if (validityPeriodHours <= left + TOLERANCE_HOURS) {
    return;
  }
  throw new pulumi.RunError(
    [
      `linkerd-mtls:issuer.validityHours must be at most ${Math.max(0, Math.floor(left))}, what is left to its trust anchor ` +
        `(${subject}, until ${end.toISOString()}), but is ${validityPeriodHours}: from then on no proxy trusts another.`,
      'Rotate the trust anchor (docs/operations.md, "Rotating the trust anchor"), or shorten the issuer:',
      `    pulumi config set --path linkerd-mtls:issuer.validityHours ${Math.max(1, Math.floor(left))}`,
    ].join("\n"),
  );
}
