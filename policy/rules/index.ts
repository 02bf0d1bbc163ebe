import type { Rule } from "../rule";
import { approvedInboundPolicy } from "./approvedInboundPolicy";
import { certificateLifetimes } from "./certificateLifetimes";
import { failClosed } from "./failClosed";
import { keysInSecretsOnly } from "./keysInSecretsOnly";
import { pinnedVersions } from "./pinnedVersions";
import { protectedInProduction } from "./protectedInProduction";

/** All rules of the pack. */
export const RULES: readonly Rule[] = [
  keysInSecretsOnly,
  approvedInboundPolicy,
  certificateLifetimes,
  pinnedVersions,
  failClosed,
  protectedInProduction,
];
