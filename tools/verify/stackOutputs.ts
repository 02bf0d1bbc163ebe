import { text } from "node:stream/consumers";
import { readFile } from "node:fs/promises";

import type { CertificateSummary } from "../../components/pki/certificateSummary";
import { isObject } from "../../components/validation/problem";
import { messageOf, UserError } from "../shared/errors";

/** What a stack of this program says that it has deployed. */
export interface StackOutputs {
  readonly trustDomain: string;
  /** By id. */
  readonly trustAnchors: Readonly<Record<string, CertificateSummary>>;
  /** Absent where cert-manager issues it. */
  readonly issuer?: CertificateSummary;
  /** By Service; without those that cert-manager issues. */
  readonly webhookCertificates: Readonly<Record<string, CertificateSummary>>;
  /** By namespace and generation; without those that cert-manager renews. */
  readonly webhookCas: Readonly<Record<string, Readonly<Record<string, CertificateSummary>>>>;
  /** By chart. */
  readonly chartVersions: Readonly<Record<string, string>>;
  readonly meshedNamespaces: readonly string[];
}

/** Stands for standard input. */
const STDIN = "-";

/**
 * Reads what `pulumi stack output --json` has written.
 *
 * @param file Its path, or `-` for standard input.
 * @throws UserError where it cannot be read, or is of another program.
 */
export async function readStackOutputs(file: string): Promise<StackOutputs> {
  const remedy = "pulumi stack output --json --stack STACK > FILE";
  let outputs: unknown;
  try {
    outputs = JSON.parse(file === STDIN ? await text(process.stdin) : await readFile(file, "utf8"));
  } catch (error) {
    throw new UserError(`the stack's outputs cannot be read: ${messageOf(error)}`, remedy, { cause: error });
  }
  return checked(outputs, file === STDIN ? "standard input" : file, remedy);
}

/** Outputs by name and what each is, as far as it matters here. */
const EXPECTED: Readonly<Record<keyof StackOutputs, (value: unknown) => boolean>> = {
  trustDomain: (value) => typeof value === "string",
  trustAnchors: areSummaries,
  issuer: (value) => value === undefined || isSummary(value),
  webhookCertificates: areSummaries,
  webhookCas: (value) => isObject(value) && Object.values(value).every(areSummaries),
  chartVersions: isObject,
  meshedNamespaces: Array.isArray,
};

function checked(outputs: unknown, from: string, remedy: string): StackOutputs {
  const wrong = isObject(outputs)
    ? Object.entries(EXPECTED).find(([name, holds]) => !holds(outputs[name]))?.[0]
    : "trustDomain";
  if (wrong === undefined) return outputs as StackOutputs;
  throw new UserError(`${from} has no outputs of this program: ${wrong} is missing`, remedy);
}

function isSummary(value: unknown): boolean {
  return isObject(value) && typeof value.fingerprint === "string";
}

function areSummaries(value: unknown): boolean {
  return isObject(value) && Object.values(value).every(isSummary);
}
