import { X509Certificate } from "node:crypto";

import {
  checkIssuer,
  checkIssuerKey,
  checkTrustAnchor,
  describeFound,
  LINKERD_VERSION,
  type Problem,
  type Properties,
} from "../../components/rules";
import { identityIssuerName } from "../../components/pki/identityIssuer";
import { carried } from "./charts";
import { issuerKeys } from "./issuer";
import { leftOf } from "./left";
import { adoption } from "./marks";
import type { Left, Present, StackNow } from "./present";

/** What is to be written to the stack's configuration. */
export interface Plan {
  /** Values by key, without the project's name; undefined where a key must go. */
  readonly keys: Readonly<Record<string, unknown>>;
  /** PEM of the issuer's key, for the key `issuerKey`; undefined where cert-manager keeps it. */
  readonly issuerKey?: string;
  readonly left: readonly Left[];
  /** Why nothing can be written, with what to do about it; empty where it can. */
  readonly blocked: readonly Left[];
}

/** Keys that contradict certificates that are provided, or cert-manager's with an issuer of its own. */
const ABSENT = ["signingAnchor", "trustAnchorKey", "issuer", "imageRegistry"];

/** Decides what the configuration of a stack gets from a mesh. */
export function planAdoption(present: Present, stack: StackNow): Plan {
  const { trustDomain, linkerdVersion } = present;
  const anchors = trustAnchors(present, stack.config);
  const values = carried(present, stack);
  const left = [...anchors.left, ...values.left, ...leftOf(present)];
  const blocked = [
    ...unfit(present),
    ...anchors.blocked,
    ...(present.issuer.renewedBy === undefined ? issuerProblems(present, anchors.pems) : []),
  ];
  return {
    left,
    blocked,
    keys: {
      ...Object.fromEntries(ABSENT.map((key) => [key, undefined])),
      linkerdVersion,
      trustDomain,
      ...issuerKeys(present.issuer),
      trustAnchors: anchors.entries,
      ...values.keys,
      namespaces: namespaces(present, stack.config),
      adopt: adoption(present),
    },
    ...(present.issuer.renewedBy === undefined && { issuerKey: present.issuer.key }),
  };
}

function unfit({ linkerdVersion, charts, stack }: Present): Left[] {
  const fits = LINKERD_VERSION.allows(linkerdVersion);
  const renamed = charts.filter(
    ({ chart, release }) =>
      release !== undefined && release !== `${chart === "linkerd-viz" ? chart : "linkerd"}/${chart}`,
  );
  return [
    ...(fits
      ? []
      : [
          {
            what: `Linkerd ${linkerdVersion ?? "of an unknown release"}`,
            todo: "this program knows edge releases: upgrade to one first, with the tool that installed it",
          },
        ]),
    ...renamed.map(({ chart, release = "" }) => ({
      what: `Helm release ${release} of chart ${chart}`,
      todo: "Helm cannot rename a release, and this program's is named as its chart, in linkerd or linkerd-viz",
    })),
    ...(stack === undefined
      ? []
      : [{ what: `stack ${stack} made this mesh`, todo: "change the mesh with that stack" }]),
  ];
}

/** The entries of the trust bundle; the ids that the stack has for them stay. */
function trustAnchors(
  { bundle }: Present,
  config: Properties,
): {
  readonly entries: readonly { readonly id: string; readonly certificate: string }[];
  readonly pems: readonly string[];
  readonly left: readonly Left[];
  readonly blocked: readonly Left[];
} {
  const known = new Map(
    (Array.isArray(config.trustAnchors) ? (config.trustAnchors as Properties[]) : []).map((entry) => [
      fingerprint(entry.certificate),
      String(entry.id),
    ]),
  );
  const checked = bundle.map((pem) => ({ pem, print: fingerprint(pem), findings: checkTrustAnchor(pem) }));
  const isOver = ({ findings: { anchor } }: (typeof checked)[number]): boolean =>
    anchor !== undefined && anchor.notAfter.getTime() <= Date.now();
  const kept = checked.filter((anchor) => !isOver(anchor));
  return {
    pems: kept.map(({ pem }) => pem),
    entries: kept.map(({ pem, print = "" }) => ({
      id: known.get(print) ?? `adopted-${print.replaceAll(":", "").slice(0, 8).toLowerCase()}`,
      certificate: pem,
    })),
    left: checked.filter(isOver).map(({ findings: { anchor } }) => ({
      what: `trust anchor ${anchor?.subject ?? ""}`,
      todo: `it expired on ${anchor?.notAfter.toISOString() ?? ""}, and is left out of the bundle: nothing trusts it`,
    })),
    blocked: [
      ...(kept.length > 0
        ? []
        : [
            {
              what: "the trust bundle",
              todo: "it has no valid trust anchor: see docs/operations.md, Recovery",
            },
          ]),
      ...kept.flatMap(({ findings: { problems } }) => described("a trust anchor", problems)),
    ],
  };
}

/** SHA-256 of a certificate; undefined where it is none. */
function fingerprint(pem: unknown): string | undefined {
  try {
    return new X509Certificate(String(pem)).fingerprint256;
  } catch {
    return undefined;
  }
}

function issuerProblems({ issuer, trustDomain }: Present, pems: readonly string[]): Left[] {
  const anchors = pems.map((pem) => checkTrustAnchor(pem).anchor).filter((anchor) => anchor !== undefined);
  const { issuer: parsed, problems } = checkIssuer(issuer.certificate, { anchors, trustDomain });
  return [
    ...described(`the issuer ${identityIssuerName(trustDomain)}`, problems),
    ...described("the issuer's key", checkIssuerKey(issuer.key, parsed)),
  ];
}

function described(what: string, problems: readonly Problem[]): Left[] {
  return problems.map(({ rule, found }) => ({ what, todo: `it ${rule}, but ${describeFound(found)}` }));
}

/** Those of the stack, and those of the mesh that it does not have. */
function namespaces({ namespaces: present }: Present, config: Properties): readonly unknown[] {
  const own = Array.isArray(config.namespaces) ? (config.namespaces as Properties[]) : [];
  const names = own.map(({ name }) => name);
  return [
    ...own,
    ...present
      .filter(({ name }) => !names.includes(name))
      .map(({ name, inject }) => ({
        name,
        existing: true,
        ...(inject !== undefined && { inject }),
      })),
  ];
}
