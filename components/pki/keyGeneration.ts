import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";
import * as tls from "@pulumi/tls";

import { throwInputProblems } from "../validation/inputProblems";
import { check } from "../validation/problem";
import { COUNT, Rule } from "../validation/rule";

/** How a certificate is issued. */
export interface IssuanceArgs {
  /**
   * Counts the issues of the certificate, from 1. Raising it makes a new key and a new certificate; nothing else does,
   * because a reissue is an explicit change. Default 1.
   */
  readonly generation?: number;
  /** Validity in hours from the moment of issue. */
  readonly validityHours?: number;
}

/** Hours in a year of 365 days, the unit in which validities are usually thought of. */
export const HOURS_PER_YEAR = 8760;

/** A hundred years; the tls provider counts nanoseconds in 64 bits, and gets past 292 years a certificate that has expired. */
export const MAX_VALIDITY_HOURS = 100 * HOURS_PER_YEAR;

/** Rule of a validity. `what`: says what the longest one is. */
export function hoursUpTo(longest: number, what: string): Rule<number> {
  return {
    ...COUNT,
    rule: `must be a whole number of hours, 1 to ${longest} (${what})`,
    allows: (value): value is number => COUNT.allows(value) && value <= longest,
  };
}

/** Rule of {@link IssuanceArgs.validityHours}. */
export const VALIDITY_HOURS = hoursUpTo(MAX_VALIDITY_HOURS, "100 years");

/** A private key that lives as long as its certificate's generation. */
export interface KeyGeneration {
  readonly key: tls.PrivateKey;
  /** Goes into the certificate's subject, so that two generations can be told apart. */
  readonly serialNumber: pulumi.Output<string>;
}

/** Checks how a component's certificate is issued. `rule`: of its validity. */
export function checkIssuance(
  component: string,
  { generation, validityHours }: IssuanceArgs,
  rule = VALIDITY_HOURS,
): void {
  throwInputProblems(component, [
    ...check("generation", generation, COUNT),
    ...check("validityHours", validityHours, rule),
  ]);
}

/** Makes the key and the subject serial number of one generation, as children of `parent`; `hooks` run before either. */
export function keyGeneration(
  parent: pulumi.Resource,
  name: string,
  generation = 1,
  hooks?: pulumi.ResourceHookBinding,
): KeyGeneration {
  const counter = new random.RandomId(
    `${name}-generation`,
    { byteLength: 8, keepers: { generation: String(generation) } },
    { parent, hooks },
  );
  const key = new tls.PrivateKey(
    `${name}-key`,
    // The one kind of key that Linkerd takes for its identity: ECDSA P-256.
    { algorithm: "ECDSA", ecdsaCurve: "P256" },
    // A tls.PrivateKey has no keepers of its own.
    { parent, replacementTrigger: generation, hooks },
  );
  return { key, serialNumber: counter.hex };
}
