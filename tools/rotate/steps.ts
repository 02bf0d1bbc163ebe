import type { WebhookCas } from "../../components/pki/webhookCas";
import { type Anchor, type Configuration, TRUST } from "./configuration";

/** Changes of a stack's file. */
export interface Edits {
  /** All anchors after it. Default: they stay as they are. */
  readonly anchors?: readonly Anchor[];
  /** Values by their path, which begins with a full key. */
  readonly set?: readonly {
    readonly path: readonly string[];
    readonly value: string | number | readonly number[];
  }[];
  /** Full keys. */
  readonly removed?: readonly string[];
}

/**
 * One change of the configuration with its deployment. `apply` deploys the configuration as it is; `add`, `sign` and `drop`
 * rotate the anchor; `issuer` and `webhooks` reissue; `add-ca`, `sign-ca` and `drop-ca` rotate the CA of the webhooks.
 */
export interface Step {
  readonly name: "apply" | "add" | "sign" | "drop" | "issuer" | "webhooks" | "add-ca" | "sign-ca" | "drop-ca";
  /** id of the anchor that it is about. */
  readonly anchor?: string;
  /** Generations of the CAs that it is about. */
  readonly cas?: readonly number[];
  /** What has to be made outside of the program, with the key of the anchor. Default: nothing. */
  readonly make?: "anchor" | "issuer";
  readonly edits: Edits;
  /** After it. */
  readonly configuration: Configuration;
}

/** An id for a new anchor: the year, with the next number where an anchor has that. */
export function newId(anchors: readonly Anchor[], now: Date): string {
  const year = String(now.getUTCFullYear());
  const numbers = anchors.flatMap(({ id }) => {
    const [, number = "1"] = new RegExp(`^${year}(?:-(\\d+))?$`).exec(id) ?? [undefined, "0"];
    return Number(number);
  });
  const last = Math.max(0, ...numbers);
  return last === 0 ? year : `${year}-${last + 1}`;
}

/** Adds an anchor, and names the signer: there must be no doubt which one signs. */
export function add(configuration: Configuration, id: string): Step {
  const { anchors, signer, source } = configuration;
  const entry = { id };
  return {
    name: "add",
    anchor: entry.id,
    ...(source === "provided" && { make: "anchor" }),
    edits: { anchors: [...anchors, entry], set: [{ path: [TRUST.signer], value: signer }] },
    configuration: { ...configuration, anchors: [...anchors, entry], signer },
  };
}

/** Has that anchor sign. */
export function sign(configuration: Configuration, { id }: Anchor): Step {
  const isProvided = configuration.source === "provided";
  return {
    name: "sign",
    anchor: id,
    ...(isProvided && { make: "issuer" }),
    edits: {
      set: [{ path: [TRUST.signer], value: id }],
      // The old anchor's; the new one is generated.
      removed: configuration.hasAnchorKey && !isProvided ? [TRUST.anchorKey] : [],
    },
    configuration: { ...configuration, signer: id },
  };
}

/** Drops those anchors; the signer stays. */
export function drop(configuration: Configuration, signer: string, old: readonly Anchor[]): Step {
  const anchors = configuration.anchors.filter((anchor) => !old.includes(anchor));
  return {
    name: "drop",
    anchor: old.map(({ id }) => id).join(", "),
    edits: { anchors, set: [{ path: [TRUST.signer], value: signer }] },
    configuration: { ...configuration, anchors, signer },
  };
}

/** Reissues a certificate, without another anchor. `signer`: id of the anchor that signs now. */
export function reissue(configuration: Configuration, subject: "issuer" | "webhooks", signer: string): Step {
  const generation = configuration.generations[subject] + 1;
  const isProvided = subject === "issuer" && configuration.source === "provided";
  return {
    name: subject,
    ...(isProvided && { make: "issuer" as const, anchor: signer }),
    edits: isProvided ? {} : { set: [{ path: [TRUST[subject], "generation"], value: generation }] },
    configuration,
  };
}

/** Has the API server trust one more CA of the webhooks. */
export function addCa(configuration: Configuration): Step {
  const { cas, signingCa } = configuration.webhookCas;
  const added = Math.max(...cas) + 1;
  return caStep("add-ca", configuration, [added], { cas: [...cas, added], signingCa });
}

/** Has that CA sign the certificates of the webhooks. */
export function signCa(configuration: Configuration, ca: number): Step {
  return caStep("sign-ca", configuration, [ca], { ...configuration.webhookCas, signingCa: ca });
}

/** Drops those CAs of the webhooks. */
export function dropCas(configuration: Configuration, old: readonly number[]): Step {
  const { cas, signingCa } = configuration.webhookCas;
  return caStep("drop-ca", configuration, old, { cas: cas.filter((ca) => !old.includes(ca)), signingCa });
}

function caStep(
  name: Step["name"],
  configuration: Configuration,
  about: readonly number[],
  webhookCas: WebhookCas,
): Step {
  return {
    name,
    cas: about,
    edits: {
      set: [
        { path: [TRUST.webhooks, "cas"], value: webhookCas.cas },
        { path: [TRUST.webhooks, "signingCa"], value: webhookCas.signingCa },
      ],
    },
    configuration: { ...configuration, webhookCas },
  };
}
