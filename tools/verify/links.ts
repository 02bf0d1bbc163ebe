import { type CaCertificate, parseCertificates } from "../../components/certificates/certificateFile";
import { TRUST_ROOTS_KEY } from "../../components/trustManager/trustRoots";
import type { LinkedCluster } from "./linkedClusters";
import { type Check, check, type Group } from "./model";
import { trustedPath } from "./serverCertificates";
import type { Snapshot } from "./snapshot";

/** Checks that clusters that are linked trust each other; their bundles need not be the same. */
export function checkLinks({ mesh, now, linked }: Snapshot): Group {
  const own = { bundle: mesh.trustRoots?.data?.[TRUST_ROOTS_KEY] ?? "", issuerPem: mesh.issuerPem };
  const checks =
    linked === undefined
      ? [
          {
            check: "linked clusters trust each other",
            result: "skipped" as const,
            note: "--links asks the other clusters",
          },
        ]
      : linked.map((other) => checkLink(own, other, now));
  return { group: "links", checks };
}

type Trust = Pick<LinkedCluster, "bundle" | "issuerPem">;

function checkLink(own: Trust, other: LinkedCluster, now: Date): Check {
  const what = `both ends of Link ${other.link} trust each other`;
  if (other.unknown !== undefined) {
    return check(what, [`the other cluster cannot be asked: ${other.unknown}`], "link", "warning");
  }
  const [here, there] = [own, other].map(({ bundle }) => valid(bundle, now));
  const common = (here ?? []).filter((anchor) => there?.some((each) => each.equals(anchor)));
  const found =
    common.length === 0
      ? ["the bundles have no trust anchor in common"]
      : [
          ...refusal("this cluster's issuer", own.issuerPem, there ?? [], "the other cluster"),
          ...refusal("the other cluster's issuer", other.issuerPem, here ?? [], "this cluster"),
        ];
  const count = new Set(
    [...(here ?? []), ...(there ?? [])].map(({ certificate }) => certificate.fingerprint256),
  );
  const unread = other.issuerPem === undefined ? "; its issuer must not be read" : "";
  return {
    ...check(what, found, "link"),
    note: `${common.length} of ${count.size} anchors in common${unread}`,
  };
}

/** The anchors of a bundle that have not expired: proxies trust no others. */
function valid(bundle: string, now: Date): readonly CaCertificate[] {
  const anchors = parseCertificates(bundle);
  return typeof anchors === "string" ? [] : anchors.filter(({ notAfter }) => notAfter > now);
}

function refusal(whose: string, pem = "", anchors: readonly CaCertificate[], who: string): string[] {
  const chain = parseCertificates(pem);
  // What cannot be read is for the checks of certificates to say.
  if (typeof chain === "string" || trustedPath(chain, anchors).signer !== undefined) return [];
  return [`${whose} is signed by ${chain.at(-1)?.issuer ?? "?"}, which ${who} does not trust`];
}
