import { Problem } from "../validation/problem";
import { COUNT } from "../validation/rule";
import { IssuanceArgs } from "./keyGeneration";

/** Generation of the CA that a mesh has from its start. */
export const FIRST_CA = 1;

/** How the certificates of webhooks are issued, and by which CA. */
export interface WebhookIssuanceArgs extends IssuanceArgs {
  /**
   * Generations of the CAs that the API server trusts, each with a key of its own. A new CA is trusted first, signs then,
   * and the old one is dropped at the end, each in a deployment of its own. Default: the first one, 1.
   */
  readonly cas?: readonly number[];
  /** Generation of the CA that signs. Default: the only one. */
  readonly signingCa?: number;
}

/** The CAs of webhooks as they are configured. */
export interface WebhookCas {
  readonly cas: readonly number[];
  readonly signingCa: number;
}

/** The CAs with the defaults. */
export function webhookCas({ cas = [FIRST_CA], signingCa }: WebhookIssuanceArgs = {}): WebhookCas {
  return { cas, signingCa: signingCa ?? cas[0] ?? FIRST_CA };
}

/** Problems of a list of CAs. */
export function webhookCaListProblems(value: unknown): Problem[] {
  const rule = "must be a list of at least one generation of a CA (1, 2, ...), each once";
  const isList =
    Array.isArray(value) &&
    value.every(COUNT.allows) &&
    value.length > 0 &&
    new Set(value).size === value.length;
  return value === undefined || isList
    ? []
    : [{ path: "", rule, found: { value }, fixes: [{ set: "[0]", to: String(FIRST_CA) }] }];
}

/** Problems of the CA that signs, where the list has none. `isRenewed`: cert-manager renews the CA. */
export function signingCaProblems(args: WebhookIssuanceArgs, isRenewed: boolean): Problem[] {
  const { cas } = webhookCas(args);
  const { signingCa } = args;
  if (webhookCaListProblems(cas).length > 0) {
    return [];
  }
  if (isRenewed && cas.length > 1) {
    const rule = "must be one CA where cert-manager renews it (rotatingWebhooks.caInjection)";
    return [{ path: "cas", rule, found: { value: cas } }];
  }
  return (signingCa === undefined ? cas.length === 1 : cas.includes(signingCa))
    ? []
    : [
        {
          path: "signingCa",
          rule: `must be one of the CAs that are trusted (${cas.join(", ")})`,
          found: { value: signingCa },
          fixes: [{ set: "signingCa", to: String(cas[0]) }],
        },
      ];
}
