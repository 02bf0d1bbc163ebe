import type { Anchor, Configuration } from "./configuration";

/** Changes of a stack's file. */
export interface Edits {
  /** All anchors after it. Default: they stay as they are. */
  readonly anchors?: readonly Anchor[];
  /** Values by their path, which begins with a full key. */
  readonly set?: readonly { readonly path: readonly string[]; readonly value: string | number }[];
  /** Full keys. */
  readonly removed?: readonly string[];
}

/**
 * One change of the configuration with its deployment. `apply` deploys the configuration as it is; `add`, `sign` and `drop`
 * rotate the anchor; `issuer` and `webhooks` reissue.
 */
export interface Step {
  readonly name: "apply" | "add" | "sign" | "drop" | "issuer" | "webhooks";
  /** id of the anchor that it is about. */
  readonly anchor?: string;
  /** What has to be made outside of the program, with the key of the anchor. Default: nothing. */
  readonly make?: "anchor" | "issuer";
  readonly edits: Edits;
  /** After it. */
  readonly configuration: Configuration;
}

/** An id that no anchor has: the year, with a number where that is taken. */
export function newId(anchors: readonly Anchor[], now: Date): string {
  const year = String(now.getUTCFullYear());
  const ids = anchors.map(({ id }) => id);
  let id = year;
  for (let count = 2; ids.includes(id); count++) id = `${year}-${count}`;
  return id;
}
