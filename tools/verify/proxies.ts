import { X509Certificate } from "node:crypto";

import { sha256 } from "../../components/certificates/pem";
import { DEFAULT_TRUST_DOMAIN } from "../../components/pki/deployedTrust";
import { TRUST_ROOTS_KEY } from "../../components/trustManager/trustRoots";
import {
  isLive,
  LOCAL_NAME_VARIABLE,
  proxyOf,
  TRUST_ANCHORS_VARIABLE,
  variable,
} from "../../components/cluster/meshedPods";
import { type Check, check, type Group } from "./model";
import { byOwner, type Found } from "./owners";
import type { Snapshot } from "./snapshot";

/** The trust domain in the name of a proxy: what follows the control plane's namespace. */
const TRUST_DOMAIN = /\.serviceaccount\.identity\.[^.]+\.(.+)$/;

/** On pods of the charts: SHA-256 of the bundle that they were created with. */
const BUNDLE_HASH = "linkerd.io/trust-root-sha256";

/** Finds the proxies that were created with another trust than the control plane has now: they have to be recreated. */
export function checkProxies(snapshot: Snapshot): Group {
  const { pods, mesh } = snapshot;
  const trustDomain = mesh.values.identityTrustDomain ?? DEFAULT_TRUST_DOMAIN;
  const bundle = anchorsOf(mesh.trustRoots?.data?.[TRUST_ROOTS_KEY] ?? "");
  const isOlder = olderThanBundle(snapshot);
  const texts = new Map<string, Difference>();
  const apart: Found[] = [];
  const behind: Found[] = [];
  const elsewhere: Found[] = [];
  for (const pod of pods.filter(isLive)) {
    const proxy = proxyOf(pod);
    if (proxy === undefined) continue;
    const text = variable(proxy, TRUST_ANCHORS_VARIABLE);
    if (text === undefined) {
      // A proxy of the charts reads the ConfigMap when it starts.
      if (isOlder(pod)) behind.push([pod, "was created before the trust bundle changed"]);
    } else {
      const difference = texts.get(text) ?? compare(anchorsOf(text), bundle);
      texts.set(text, difference);
      if (difference.reason !== undefined) {
        (difference.isApart ? apart : behind).push([pod, difference.reason]);
      }
    }
    const [, domain] = TRUST_DOMAIN.exec(variable(proxy, LOCAL_NAME_VARIABLE) ?? "") ?? [];
    if (domain !== undefined && domain !== trustDomain) {
      elsewhere.push([pod, `is of trust domain ${domain}`]);
    }
  }
  const trusts: Check[] =
    mesh.trustRoots === undefined
      ? []
      : [
          check("proxies share a trust anchor with the control plane", byOwner(apart), "bundle"),
          check("proxies have the trust bundle of the control plane", byOwner(behind), "bundle", "warning"),
        ];
  return {
    group: "proxies",
    checks: [
      ...trusts,
      check(`proxies are of the trust domain ${trustDomain}`, byOwner(elsewhere), "trustDomain"),
    ],
  };
}

/** Whether a pod of the charts was created before the trust bundle was last changed, and has the hash of another one. */
function olderThanBundle({ mesh: { trustRoots } }: Snapshot): (pod: Snapshot["pods"][number]) => boolean {
  const text = trustRoots?.data?.[TRUST_ROOTS_KEY] ?? "";
  const hashes = [text, text.trim(), `${text.trim()}\n`].map(sha256);
  const times = (trustRoots?.metadata?.managedFields ?? []).flatMap(({ fieldsV1, time }) =>
    fieldsV1 !== undefined && "f:data" in fieldsV1 && time !== undefined ? [time.getTime()] : [],
  );
  const changed = Math.max(...times, 0);
  return ({ metadata }) =>
    (metadata?.creationTimestamp?.getTime() ?? Infinity) < changed &&
    !hashes.includes(metadata?.annotations?.[BUNDLE_HASH] ?? "");
}

/** What is different between two bundles. */
interface Difference {
  /** In words; undefined where it is the same one. */
  readonly reason?: string;
  /** Whether they have nothing in common. */
  readonly isApart: boolean;
}

/** Subjects of the certificates of a bundle by their fingerprints; what cannot be read is not trusted. */
type Anchors = ReadonlyMap<string, string>;

function anchorsOf(pem: string): Anchors {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return new Map(
    blocks.flatMap((block) => {
      try {
        const { fingerprint256, subject } = new X509Certificate(block);
        return [
          [
            fingerprint256,
            `${subject.replaceAll("\n", ", ")} (SHA-256 ${fingerprint256.slice(0, 11)}...)`,
          ] as const,
        ];
      } catch {
        return [];
      }
    }),
  );
}

function compare(own: Anchors, bundle: Anchors): Difference {
  const only = (some: Anchors, others: Anchors): string[] =>
    [...some].flatMap(([fingerprint, subject]) => (others.has(fingerprint) ? [] : [subject]));
  const [missing, extra] = [only(bundle, own), only(own, bundle)];
  const parts = [
    ...(missing.length > 0 ? [`lacks ${missing.join(" and ")}`] : []),
    ...(extra.length > 0 ? [`still has ${extra.join(" and ")}`] : []),
  ];
  return {
    ...(parts.length > 0 && { reason: parts.join(", ") }),
    isApart: missing.length === bundle.size,
  };
}
