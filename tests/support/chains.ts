import "reflect-metadata";

import { createPrivateKey } from "node:crypto";

import * as asn1 from "@peculiar/asn1-x509";
import * as x509 from "@peculiar/x509";

import { makeAnchor, makeIssuer } from "../../tools/offlineCa/authority";
import {
  changed,
  chainCertificate,
  type ChainCertificate,
  type ChainCertificateArgs,
  dnsConstraints,
  nameConstraints,
} from "./chainCertificates";
import { opensslCertificate, type OpensslArgs } from "./opensslChains";

/** What a stack with provided certificates is given, all of it PEM. */
export interface ChainText {
  readonly anchors: readonly string[];
  readonly issuerCertificate: string;
  readonly issuerKey: string;
}

/** A chain and what becomes of it. */
export interface Chain {
  readonly title: string;
  /** The same here and by Linkerd; or why it is refused here, while Linkerd's Go code takes it. */
  readonly verdict: "accepted" | "refused" | { readonly stricter: string };
  readonly make: () => Promise<ChainText>;
}

const TRUST_DOMAIN = "cluster.local";
const ROOT = `root.linkerd.${TRUST_DOMAIN}`;
const NAME = `identity.linkerd.${TRUST_DOMAIN}`;
const ANY_PURPOSE = "2.5.29.37.0";
const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
const { digitalSignature, cRLSign, keyCertSign, keyEncipherment } = x509.KeyUsageFlags;

type Args = ChainCertificateArgs;

const root = (args: Args = {}): Promise<ChainCertificate> => chainCertificate(ROOT, args);
const between = (signer: ChainCertificate, args: Args = {}): Promise<ChainCertificate> =>
  chainCertificate("middle", { signer, ...args });
const identity = (signer: ChainCertificate, args: Args = {}): Promise<ChainCertificate> =>
  chainCertificate(NAME, { signer, names: [NAME], pathLength: 0, ...args });

/** An anchor and an issuer that it signed. */
async function pair(anchor: Args = {}, issuer: Args = {}): Promise<ChainText> {
  const made = await root(anchor);
  return textOf([made], [await identity(made, issuer)]);
}

/** An anchor, an issuer, and a CA between them. */
async function triple(anchor: Args, middle: Args, issuer: Args = {}): Promise<ChainText> {
  const made = await root(anchor);
  const below = await between(made, middle);
  return textOf([made], [await identity(below, issuer), below]);
}

const ISSUER_OF_OPENSSL: OpensslArgs = { subject: `/CN=${NAME}`, extensions: [`subjectAltName=DNS:${NAME}`] };

/** An anchor and an issuer that openssl makes. */
async function byOpenssl(
  anchor: Partial<OpensslArgs>,
  issuer: Partial<OpensslArgs> = {},
): Promise<ChainText> {
  const signer = await opensslCertificate({ subject: `/CN=${ROOT}`, ...anchor });
  const { certificate, key } = await opensslCertificate({ ...ISSUER_OF_OPENSSL, ...issuer, signer });
  return { anchors: [signer.certificate], issuerCertificate: certificate, issuerKey: key };
}

function textOf(anchors: readonly ChainCertificate[], chain: readonly ChainCertificate[]): ChainText {
  return {
    anchors: anchors.map(({ pem }) => pem),
    issuerCertificate: chain.map(({ pem }) => pem).join(""),
    issuerKey: chain[0]?.key ?? "",
  };
}

/** A pair with an issuer, or an anchor, that was changed after it was signed. */
async function changedPair(
  which: "anchor" | "issuer",
  change: (contents: asn1.Certificate) => void,
): Promise<ChainText> {
  const anchor = await root();
  const issuer = await identity(anchor);
  return which === "anchor"
    ? textOf([changed(anchor, change)], [issuer])
    : textOf([anchor], [changed(issuer, change)]);
}

/** A pair whose texts are written in another way. */
async function written(
  change: Partial<Record<keyof ChainText, (text: string) => string>>,
): Promise<ChainText> {
  const { anchors, issuerCertificate, issuerKey } = await pair();
  const same = (text: string): string => text;
  return {
    anchors: anchors.map(change.anchors ?? same),
    issuerCertificate: (change.issuerCertificate ?? same)(issuerCertificate),
    issuerKey: (change.issuerKey ?? same)(issuerKey),
  };
}

const everywhere = (change: (text: string) => string): Promise<ChainText> =>
  written({ anchors: change, issuerCertificate: change, issuerKey: change });

const oneLine = (pem: string): string => pem.replaceAll("\n", "");
const unwrapped = (pem: string): string => pem.replace(/(?<=[A-Za-z0-9+/=])\n(?=[A-Za-z0-9+/=])/g, "");
const relabelled = (pem: string, label: string): string => pem.replaceAll("PRIVATE KEY", label);

function keyAs(type: "sec1" | "pkcs8", options: object = {}): (pem: string) => string {
  return (pem) => String(createPrivateKey(pem).export({ type, format: "pem", ...options }));
}

const utf8 = (text: string): x509.JsonName => [{ CN: [{ utf8String: text } as never] }];
const printable = (text: string): x509.JsonName => [{ CN: [{ printableString: text } as never] }];

/** An extension that nobody knows; its contents are NULL. */
const unknown = (critical: boolean): x509.Extension =>
  new x509.Extension("1.3.6.1.4.1.55555.1", critical, new Uint8Array([5, 0]));
const policies = (critical: boolean): x509.Extension =>
  new x509.CertificatePolicyExtension(["2.5.29.32.0"], critical);

const chain = (title: string, verdict: Chain["verdict"], make: Chain["make"]): Chain => ({
  title,
  verdict,
  make,
});
const accepted = (title: string, make: Chain["make"]): Chain => chain(title, "accepted", make);
const refused = (title: string, make: Chain["make"]): Chain => chain(title, "refused", make);
const stricter = (title: string, why: string, make: Chain["make"]): Chain =>
  chain(title, { stricter: why }, make);

const MISTAKE = "it is most likely a mistake";
const PROXY = "Linkerd's proxy (rustls-webpki) refuses it";

const MAKERS: readonly Chain[] = [
  accepted("made by offline-ca", async () => {
    const anchor = await makeAnchor({ trustDomain: TRUST_DOMAIN, validityHours: 9000 });
    const issuer = await makeIssuer(anchor, { trustDomain: TRUST_DOMAIN, validityHours: 8760 });
    return {
      anchors: [anchor.certificate],
      issuerCertificate: issuer.certificate,
      issuerKey: issuer.key,
    };
  }),
  accepted("made by offline-ca from an anchor of openssl", async () => {
    const anchor = await opensslCertificate({ subject: `/CN=${ROOT}` });
    const issuer = await makeIssuer(anchor, { trustDomain: TRUST_DOMAIN, validityHours: 8000 });
    return {
      anchors: [anchor.certificate],
      issuerCertificate: issuer.certificate,
      issuerKey: issuer.key,
    };
  }),
  accepted("made by openssl", () => byOpenssl({})),
  accepted("made by openssl, RSA 2048 anchor", () => byOpenssl({ kind: "RSA 2048" })),
  accepted("made by openssl, RSA 4096 anchor with a name of several parts", () =>
    byOpenssl({ kind: "RSA 4096", subject: "/C=CH/O=Example_Org/CN=Müller Root" }),
  ),
  refused("made by openssl, RSA issuer", () => byOpenssl({}, { kind: "RSA 2048" })),
  accepted("made by openssl, with a CA between", async () => {
    const anchor = await opensslCertificate({ subject: "/CN=root" });
    const middle = await opensslCertificate({ subject: "/CN=middle", signer: anchor });
    const issuer = await opensslCertificate({ ...ISSUER_OF_OPENSSL, signer: middle });
    return {
      anchors: [anchor.certificate],
      issuerCertificate: issuer.certificate + middle.certificate,
      issuerKey: issuer.key,
    };
  }),
  accepted("as step makes it: the name as common name only, path lengths 1 and 0", () =>
    pair({ pathLength: 1 }, { names: undefined, pathLength: 0 }),
  ),
  accepted("as cert-manager makes it: for digital signatures too", () =>
    pair({}, { usages: digitalSignature | keyEncipherment | keyCertSign }),
  ),
  accepted("as Pulumi's tls provider makes it: extended key usages for both", () =>
    pair({}, { purposes: [serverAuth, clientAuth] }),
  ),
];

const KEYS_AND_SIGNATURES: readonly Chain[] = [
  accepted("RSA 2048 anchor", () => pair({ kind: "RSA 2048" })),
  accepted("RSA 4096 anchor", () => pair({ kind: "RSA 4096" })),
  refused("RSA 3072 anchor", () => pair({ kind: "RSA 3072" })),
  refused("P-384 anchor", () => pair({ kind: "P-384" })),
  refused("Ed25519 anchor", () => pair({ kind: "Ed25519" })),
  refused("RSA 2048 issuer", () => pair({}, { kind: "RSA 2048" })),
  refused("P-384 issuer", () => pair({}, { kind: "P-384" })),
  refused("Ed25519 issuer", () => pair({}, { kind: "Ed25519" })),
  refused("RSA anchor that an ECDSA key signed", async () => {
    const anchor = await root({ kind: "RSA 2048", signer: await root() });
    return textOf([anchor], [await identity(anchor)]);
  }),
  accepted("ECDSA anchor that another CA signed", async () => {
    const anchor = await root({ signer: await root({ kind: "RSA 2048" }) });
    return textOf([anchor], [await identity(anchor)]);
  }),
  stricter("P-384 CA between", "a CA between follows the rules for anchors", () =>
    triple({}, { kind: "P-384" }, { hash: "SHA-256" }),
  ),
  accepted("RSA CA between", () => triple({}, { kind: "RSA 2048" })),
  refused("anchor signed with SHA-384", () => pair({ hash: "SHA-384" })),
  refused("issuer signed with SHA-384", () => pair({}, { hash: "SHA-384" })),
  refused("issuer signed with SHA-1", () => pair({}, { hash: "SHA-1" })),
  refused("anchor signed with SHA-1", () => pair({ hash: "SHA-1" })),
  refused("issuer with a damaged signature", () =>
    changedPair("issuer", (contents) => {
      const damaged = new Uint8Array(contents.signatureValue);
      damaged.set([(damaged.at(-1) ?? 0) ^ 1], damaged.length - 1);
      contents.signatureValue = damaged.buffer;
    }),
  ),
  accepted("anchor with a damaged signature of its own, which nobody looks at", () =>
    changedPair("anchor", (contents) => {
      const damaged = new Uint8Array(contents.signatureValue);
      damaged.set([(damaged.at(-1) ?? 0) ^ 1], damaged.length - 1);
      contents.signatureValue = damaged.buffer;
    }),
  ),
  refused("anchor that names two signature algorithms", () =>
    changedPair("anchor", (contents) => {
      // ECDSA with SHA-384.
      contents.signatureAlgorithm = new asn1.AlgorithmIdentifier({ algorithm: "1.2.840.10045.4.3.3" });
    }),
  ),
];

const SIGNERS: readonly Chain[] = [
  refused("signed by another anchor", async () => textOf([await root()], [await identity(await root())])),
  refused("signed by an anchor of another name", async () => {
    const anchor = await root();
    return textOf([anchor], [await identity(anchor, { issuer: "CN=another" })]);
  }),
  accepted("a CA between, after the issuer", () => triple({}, {})),
  refused("a CA between, left out", async () => {
    const anchor = await root();
    return textOf([anchor], [await identity(await between(anchor))]);
  }),
  accepted("two CAs between", async () => {
    const anchor = await root();
    const upper = await between(anchor, { subject: "CN=upper" });
    const lower = await between(upper, { subject: "CN=lower" });
    return textOf([anchor], [await identity(lower), lower, upper]);
  }),
  stricter(
    "two CAs between, in the wrong order",
    `${MISTAKE}, and TLS wants each after what it signed`,
    async () => {
      const anchor = await root();
      const upper = await between(anchor, { subject: "CN=upper" });
      const lower = await between(upper, { subject: "CN=lower" });
      return textOf([anchor], [await identity(lower), upper, lower]);
    },
  ),
  refused("the CA between before the issuer", async () => {
    const anchor = await root();
    const middle = await between(anchor);
    const issuer = await identity(middle);
    return { ...textOf([anchor], [middle, issuer]), issuerKey: issuer.key };
  }),
  accepted("followed by its root", async () => {
    const anchor = await root({ pathLength: 1 });
    return textOf([anchor], [await identity(anchor), anchor]);
  }),
  accepted("a CA between, followed by the root", async () => {
    const anchor = await root();
    const middle = await between(anchor);
    return textOf([anchor], [await identity(middle), middle, anchor]);
  }),
  accepted("followed by a former certificate of its root", async () => {
    const anchor = await root({ pathLength: 1 });
    const former = await root({ pathLength: 1, keys: anchor.keys, hours: [-200, 4000] });
    return textOf([anchor], [await identity(anchor, { hours: [-1, 3000] }), former]);
  }),
  stricter("followed by another root", MISTAKE, async () => {
    const anchor = await root();
    return textOf([anchor], [await identity(anchor), await root()]);
  }),
  accepted("signed by the second of two anchors", async () => {
    const anchor = await root();
    return textOf([await root(), anchor], [await identity(anchor)]);
  }),
  accepted("the same anchor twice", async () => {
    const anchor = await root();
    return textOf([anchor, anchor], [await identity(anchor)]);
  }),
  accepted("two anchors of one key", async () => {
    const anchor = await root({ hours: [-9000, 100] });
    return textOf([anchor, await root({ keys: anchor.keys })], [await identity(anchor)]);
  }),
  accepted("an anchor that is itself the issuer", async () => {
    const anchor = await root({ subject: `CN=${NAME}`, names: [NAME] });
    return textOf([anchor], [anchor]);
  }),
  accepted("an issuer in the bundle, whose own signer is not", async () => {
    const issuer = await identity(await root(), { pathLength: 1 });
    return textOf([issuer], [issuer]);
  }),
  accepted("an issuer that outlives its anchor, which is warned of", () => pair({ hours: [-1, 100] })),
  stricter("two certificates as one anchor", "each anchor has an id of its own", async () => {
    const [anchor, other] = [await root(), await root()];
    return { ...textOf([], [await identity(anchor)]), anchors: [anchor.pem + other.pem] };
  }),
];

const VALIDITY: readonly Chain[] = [
  refused("expired issuer", () => pair({}, { hours: [-200, -1] })),
  refused("issuer that is not valid yet", () => pair({}, { hours: [1, 200] })),
  refused("expired anchor", () => pair({ hours: [-200, -1] })),
  refused("anchor that is not valid yet", () => pair({ hours: [1, 200] })),
  refused("expired anchor beside the one that signs", async () => {
    const anchor = await root();
    return textOf([anchor, await root({ hours: [-200, -1] })], [await identity(anchor)]);
  }),
  refused("expired CA between", () => triple({}, { hours: [-200, -1] })),
  stricter("issuer in its last hour", "a deployment may outlive it", () => pair({}, { hours: [-200, 0.5] })),
];

const EXTENSIONS: readonly Chain[] = [
  refused("anchor that is not a CA", () => pair({ ca: false })),
  refused("anchor without basic constraints", () => pair({ ca: undefined })),
  refused("issuer that is not a CA", () => pair({}, { ca: false, pathLength: undefined })),
  refused("issuer without basic constraints", () => pair({}, { ca: undefined })),
  refused("CA between that is not a CA", () => triple({}, { ca: false })),
  accepted("no key usages", () => pair({ usages: undefined }, { usages: undefined })),
  refused("anchor that may sign lists only", () => pair({ usages: cRLSign })),
  refused("issuer that may sign lists only", () => pair({}, { usages: cRLSign })),
  refused("CA between for digital signatures only", () => triple({}, { usages: digitalSignature })),
  accepted("anchor with path length 1", () => pair({ pathLength: 1 })),
  refused("anchor with path length 0", () => pair({ pathLength: 0 })),
  stricter(
    "anchor with path length 0 that is itself the issuer",
    "no other issuer could follow it",
    async () => {
      const anchor = await root({ subject: `CN=${NAME}`, names: [NAME], pathLength: 0 });
      return textOf([anchor], [anchor]);
    },
  ),
  refused("path length 1 above two CAs", () => triple({ pathLength: 1 }, {})),
  refused("CA between with path length 0", () => triple({}, { pathLength: 0 })),
  accepted("path lengths that just suffice", () => triple({ pathLength: 2 }, { pathLength: 1 })),
  accepted("extended key usages for servers and clients", () =>
    pair({ purposes: [serverAuth, clientAuth] }, { purposes: [serverAuth, clientAuth] }),
  ),
  refused("issuer for clients only", () => pair({}, { purposes: [clientAuth] })),
  refused("issuer for servers only", () => pair({}, { purposes: [serverAuth] })),
  refused("anchor for clients only", () => pair({ purposes: [clientAuth] })),
  refused("issuer for code signing only", () => pair({}, { purposes: ["1.3.6.1.5.5.7.3.3"] })),
  stricter("issuer with anyExtendedKeyUsage alone", PROXY, () => pair({}, { purposes: [ANY_PURPOSE] })),
  stricter("CA between with anyExtendedKeyUsage alone", PROXY, () => triple({}, { purposes: [ANY_PURPOSE] })),
  accepted("anchor with anyExtendedKeyUsage alone", () => pair({ purposes: [ANY_PURPOSE] })),
  accepted("anyExtendedKeyUsage beside both", () =>
    pair({}, { purposes: [ANY_PURPOSE, serverAuth, clientAuth] }),
  ),
  accepted("unknown extension", () =>
    pair({ extensions: [unknown(false)] }, { extensions: [unknown(false)] }),
  ),
  refused("issuer with an unknown critical extension", () => pair({}, { extensions: [unknown(true)] })),
  refused("anchor with an unknown critical extension", () => pair({ extensions: [unknown(true)] })),
  refused("CA between with an unknown critical extension", () => triple({}, { extensions: [unknown(true)] })),
  stricter(
    "unknown critical extension in an anchor beside",
    "Go refuses every issuer that it will sign",
    async () => {
      const anchor = await root();
      return textOf([anchor, await root({ extensions: [unknown(true)] })], [await identity(anchor)]);
    },
  ),
  accepted("policies", () => pair({}, { extensions: [policies(false)] })),
  accepted("critical policies of an anchor", () => pair({ extensions: [policies(true)] })),
  stricter("critical policies of an issuer", PROXY, () => pair({}, { extensions: [policies(true)] })),
  refused("an extension twice", () => pair({}, { extensions: [unknown(false), unknown(false)] })),
];

const NAMES: readonly Chain[] = [
  accepted("UTF8String on both sides", () => pair({ subject: utf8(ROOT) })),
  refused("UTF8String that the issuer has as PrintableString", () =>
    pair({ subject: utf8(ROOT) }, { issuer: printable(ROOT) }),
  ),
  refused("PrintableString that the issuer has as UTF8String", () =>
    pair({ subject: printable(ROOT) }, { issuer: utf8(ROOT) }),
  ),
  refused("issuer's name in another case", () => pair({}, { issuer: `CN=${ROOT.toUpperCase()}` })),
  refused("PrintableString with an underscore", () => pair({ subject: printable("my_root") })),
  accepted("UTF8String with umlauts", () => pair({ subject: utf8("Wurzel für Übungen") })),
  accepted("names of several parts", () => pair({ subject: `O=Example, OU=Mesh, CN=${ROOT}` })),
  accepted("anchor without a name", () => pair({ subject: [] })),
  stricter("issuer of another trust domain", "it was most likely made for another mesh", () =>
    pair({}, { names: ["identity.linkerd.example.org"] }),
  ),
  stricter("issuer without the name", "it was most likely made for another purpose", () =>
    pair({}, { subject: "CN=issuer", names: undefined }),
  ),
  accepted("serial number 0", () => changedPairSerial(new Uint8Array([0]))),
  accepted("serial number of 20 bytes", () => pair({}, { serialNumber: "7f".repeat(20) })),
  accepted("serial number of 30 bytes", () => changedPairSerial(new Uint8Array(30).fill(0x7f))),
  refused("negative serial number", () => changedPairSerial(new Uint8Array([0xff]))),
];

/** An anchor's signature is not looked at, so that its serial number can be changed. */
function changedPairSerial(serialNumber: Uint8Array<ArrayBuffer>): Promise<ChainText> {
  return changedPair("anchor", (contents) => {
    contents.tbsCertificate.serialNumber = serialNumber.buffer;
  });
}

const constrained = (names: Parameters<typeof dnsConstraints>[0], critical?: boolean): Promise<ChainText> =>
  pair({ extensions: [dnsConstraints(names, critical)] });
const PROXIES = `serviceaccount.${NAME}`;
const directory = new asn1.GeneralName({
  directoryName: new asn1.Name([
    new asn1.RelativeDistinguishedName([
      new asn1.AttributeTypeAndValue({
        type: "2.5.4.10",
        value: new asn1.AttributeValue({ utf8String: "Example" }),
      }),
    ]),
  ]),
});

const NAME_CONSTRAINTS: readonly Chain[] = [
  accepted("permit the trust domain", () => constrained({ permitted: [TRUST_DOMAIN] })),
  accepted("permit the trust domain, not critical", () => constrained({ permitted: [TRUST_DOMAIN] }, false)),
  accepted("permit one of several", () => constrained({ permitted: ["example.org", NAME] })),
  refused("permit another domain", () => constrained({ permitted: ["example.org"] })),
  refused("permit another domain, not critical", () => constrained({ permitted: ["example.org"] }, false)),
  refused("permit another domain, above an issuer with a common name only", () =>
    pair({ extensions: [dnsConstraints({ permitted: ["example.org"] })] }, { names: undefined }),
  ),
  refused("permit the issuer and no proxy", () => constrained({ permitted: [`x.${NAME}`] })),
  refused("exclude the trust domain", () => constrained({ excluded: [TRUST_DOMAIN] })),
  refused("exclude the proxies", () => constrained({ excluded: [PROXIES] })),
  accepted("exclude another domain", () => constrained({ excluded: ["example.org"] })),
  accepted("permit the trust domain in capitals", () =>
    constrained({ permitted: [TRUST_DOMAIN.toUpperCase()] }),
  ),
  accepted("permit what is below the trust domain", () => constrained({ permitted: [`.${TRUST_DOMAIN}`] })),
  refused("permit what is below the issuer, and not the issuer", () =>
    constrained({ permitted: [`.${NAME}`] }),
  ),
  refused("exclude what is below the trust domain", () => constrained({ excluded: [`.${TRUST_DOMAIN}`] })),
  refused("permit a wildcard", () => constrained({ permitted: [`*.${TRUST_DOMAIN}`] })),
  accepted("permit every name", () => constrained({ permitted: [""] })),
  refused("exclude every name", () => constrained({ excluded: [""] })),
  refused("permit the trust domain with a dot at its end", () =>
    constrained({ permitted: [`${TRUST_DOMAIN}.`] }),
  ),
  stricter("exclude a namespace", "its proxies would have no certificate that another trusts", () =>
    constrained({ excluded: [`other.${PROXIES}`] }),
  ),
  refused("permit another domain, of a CA between", () =>
    triple({}, { extensions: [dnsConstraints({ permitted: ["example.org"] })] }),
  ),
  refused("permit another domain, of the issuer", () =>
    pair({}, { extensions: [dnsConstraints({ permitted: ["example.org"] })] }),
  ),
  accepted("permit the proxies, of the issuer", () =>
    pair({}, { extensions: [dnsConstraints({ permitted: [PROXIES] })] }),
  ),
  refused("have directory names, critical", () => pair({ extensions: [nameConstraints([directory], [])] })),
  stricter("have directory names, not critical", "Go skips them, and the proxy does not", () =>
    pair({ extensions: [nameConstraints([directory], [], false)] }),
  ),
  accepted("have e-mail addresses", () =>
    pair({ extensions: [nameConstraints([new asn1.GeneralName({ rfc822Name: "example.org" })], [])] }),
  ),
].map((one) => ({ ...one, title: `name constraints that ${one.title}` }));

const TEXTS: readonly Chain[] = [
  accepted("CRLF", () => everywhere((text) => text.replaceAll("\n", "\r\n"))),
  accepted("blank lines around", () => everywhere((text) => `\n\n${text}\n\n`)),
  accepted("a byte order mark before", () => everywhere((text) => `\ufeff${text}`)),
  accepted("text before", () => everywhere((text) => `subject=CN=example\n${text}`)),
  accepted("spaces at the ends of lines", () => everywhere((text) => text.replaceAll("\n", "  \n"))),
  accepted("all base64 on one line", () => everywhere(unwrapped)),
  refused("an anchor on one line", () => written({ anchors: oneLine })),
  refused("an issuer on one line", () => written({ issuerCertificate: oneLine })),
  refused("a key on one line", () => written({ issuerKey: oneLine })),
  refused("two certificates of an issuer without a line end between", async () => {
    const made = await triple({}, {});
    const issuerCertificate = made.issuerCertificate.replace("-----\n-----BEGIN", "----------BEGIN");
    return { ...made, issuerCertificate };
  }),
  refused("escaped line ends", () => written({ issuerCertificate: (text) => text.replaceAll("\n", "\\n") })),
  refused("line ends of old", () =>
    written({ issuerCertificate: (text) => text.trim().replaceAll("\n", "\r") }),
  ),
  refused("lines that are indented", () => written({ anchors: (text) => text.replaceAll("\n", "\n  ") })),
  refused("text after an issuer", () => written({ issuerCertificate: (text) => `${text}subject=CN=a` })),
  refused("text after an anchor", () => written({ anchors: (text) => `${text}subject=CN=a` })),
  accepted("text after a key", () => written({ issuerKey: (text) => `${text}\nsubject=CN=a` })),
  refused("an issuer that was cut off", () => written({ issuerCertificate: (text) => text.slice(0, 300) })),
  refused("an issuer without a block", () => written({ issuerCertificate: () => "issuer.crt" })),
  refused("base64 that is damaged", () =>
    written({ issuerCertificate: (text) => text.replace(/\n.{3}/, "\n") }),
  ),
  stricter("an anchor with headers", "Linkerd's proxy does not read them", () =>
    written({ anchors: (text) => text.replace("-----\n", "-----\nComment: anchor\n\n") }),
  ),
  refused("TRUSTED CERTIFICATE", () =>
    written({ anchors: (text) => text.replaceAll(" CERTIFICATE", " TRUSTED CERTIFICATE") }),
  ),
  stricter("an issuer with its key behind it", `${MISTAKE}, and would show the key`, async () => {
    const { anchors, issuerCertificate, issuerKey } = await pair();
    return { anchors, issuerCertificate: `${issuerCertificate}${issuerKey}`, issuerKey };
  }),
  stricter("a damaged block before an issuer", MISTAKE, () =>
    written({ issuerCertificate: (text) => `${text.replace(/\n.{3}/, "\n")}${text}` }),
  ),
];

const PRIVATE_KEYS: readonly Chain[] = [
  accepted("SEC 1", () => written({ issuerKey: keyAs("sec1") })),
  accepted("PKCS#8", () => written({ issuerKey: keyAs("pkcs8") })),
  refused("of another certificate", async () => ({ ...(await pair()), issuerKey: (await root()).key })),
  refused("RSA, PKCS#1", async () => {
    const { key } = await root({ kind: "RSA 2048" });
    const issuerKey = String(createPrivateKey(key).export({ type: "pkcs1", format: "pem" }));
    return { ...(await pair()), issuerKey };
  }),
  refused("Ed25519", async () => ({ ...(await pair()), issuerKey: (await root({ kind: "Ed25519" })).key })),
  refused("SEC 1 under the label of PKCS#8", () =>
    written({ issuerKey: (key) => relabelled(keyAs("sec1")(key).replaceAll("EC ", ""), "PRIVATE KEY") }),
  ),
  refused("PKCS#8 under the label of SEC 1", () =>
    written({ issuerKey: (key) => relabelled(key, "EC PRIVATE KEY") }),
  ),
  refused("with a passphrase", () =>
    written({ issuerKey: keyAs("pkcs8", { cipher: "aes-256-cbc", passphrase: "secret" }) }),
  ),
  refused("with a passphrase, in the older form", () =>
    written({ issuerKey: keyAs("sec1", { cipher: "aes-256-cbc", passphrase: "secret" }) }),
  ),
  refused("behind its parameters", () =>
    written({
      issuerKey: (key) =>
        `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${key}`,
    }),
  ),
  stricter("twice", MISTAKE, () => written({ issuerKey: (key) => `${key}\n${key}` })),
  refused("a certificate", async () => {
    const made = await pair();
    return { ...made, issuerKey: made.issuerCertificate };
  }),
].map((one) => ({ ...one, title: `key: ${one.title}` }));

/** Chains of every kind, of the trust domain `cluster.local`. */
export const CHAINS: readonly Chain[] = [
  ...MAKERS,
  ...KEYS_AND_SIGNATURES,
  ...SIGNERS,
  ...VALIDITY,
  ...EXTENSIONS,
  ...NAMES,
  ...NAME_CONSTRAINTS,
  ...TEXTS,
  ...PRIVATE_KEYS,
];
