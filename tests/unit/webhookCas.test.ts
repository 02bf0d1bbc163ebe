import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import { WebhookCertificates, type WebhookIssuanceArgs, type WebhookRotation } from "../../components";
import { replaceWebhookCa } from "../../components/pki/expiry";
import {
  caName,
  type DeployedWebhook,
  generationOf,
  refuseWebhookChange,
  webhookObstacles,
  webhookOutageToken,
} from "../../components/pki/webhookChange";
import { testCertificate, type TestCertificate } from "../support/certificates";
import { problems, read } from "../support/readConfig";
import { record, type Recording } from "../support/recorder";

const NAMESPACE = "linkerd";
const INJECTOR = "linkerd-proxy-injector";
const TAP = "tap";
const NOW = new Date();
const LONG_AGO = new Date(NOW.getTime() - 3_600_000);

/** OID of the serial number in a subject. */
const SERIAL = "2.5.4.5";

describe("a change of the webhooks' CAs", () => {
  let first: TestCertificate;
  let second: TestCertificate;
  let foreign: TestCertificate;

  before(async () => {
    first = await testCertificate(caName(NAMESPACE));
    second = await testCertificate(`${caName(NAMESPACE)},${SERIAL}=2`);
    foreign = await testCertificate("linkerd-proxy-injector.linkerd.svc");
  });

  /** A webhook whose certificate that CA signed. */
  async function webhook(
    cas: readonly TestCertificate[],
    signer: TestCertificate | undefined,
    written = LONG_AGO,
    service = INJECTOR,
  ): Promise<DeployedWebhook> {
    const leaf = signer && (await testCertificate(`${service}.linkerd.svc`, { signer, isCa: false }));
    return {
      namespace: NAMESPACE,
      service,
      cas: cas.map(({ certPem }) => new X509Certificate(certPem)),
      ...(leaf && { serving: new X509Certificate(leaf.certPem) }),
      written,
    };
  }

  type Ca = readonly [generation: number, certificate?: TestCertificate];

  function obstacles(deployed: readonly DeployedWebhook[], signingCa: number, ...cas: readonly Ca[]) {
    const resulting = cas.map(([generation, ca]) => ({ generation, pem: ca?.certPem }));
    return webhookObstacles({ deployed, cas: resulting, signingCa }, NOW);
  }

  const DROPPED = `the certificate of linkerd/${INJECTOR} is signed by CA 1, which would be dropped while it signs`;
  const UNTRUSTED = `the certificate of linkerd/${INJECTOR} is to be signed by CA 2, which the API server does not trust yet`;
  const NONE = { problems: [], until: undefined };

  it("passes in each step of a rotation, and on the way back", async () => {
    assert.deepEqual(obstacles([], 1, [1]), NONE);
    assert.deepEqual(obstacles([await webhook([first], first)], 1, [1, first], [2]), NONE);
    const both = [first, second];
    assert.deepEqual(obstacles([await webhook(both, first)], 2, [1, first], [2, second]), NONE);
    assert.deepEqual(obstacles([await webhook(both, second)], 2, [2, second]), NONE);
    assert.deepEqual(obstacles([await webhook(both, second)], 1, [1, first], [2, second]), NONE);
    assert.deepEqual(obstacles([await webhook(both, first)], 1, [1, first]), NONE);
  });

  it("is refused where the CA in use is dropped, or one that is not trusted signs", async () => {
    const before = [await webhook([first], first)];
    assert.deepEqual(obstacles(before, 2, [2]).problems, [DROPPED, UNTRUSTED]);
    assert.deepEqual(obstacles(before, 2, [1, first], [2]).problems, [UNTRUSTED]);
    assert.deepEqual(obstacles(before, 2, [1, first], [2, second]).problems, [UNTRUSTED]);
    const both = [await webhook([first, second], first)];
    assert.deepEqual(obstacles(both, 2, [2, second]).problems, [DROPPED]);
    // The same generation with another key, as after a lost state.
    assert.deepEqual(obstacles(before, 1, [1]).problems.length, 2);
  });

  it("waits until webhooks have reloaded what a remaining CA has signed", async () => {
    const since = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000);
    const drop = async (...written: readonly number[]) =>
      obstacles(
        await Promise.all(written.map((seconds) => webhook([first, second], second, since(seconds)))),
        2,
        [2, second],
      );
    assert.deepEqual(await drop(300, 119, 60), { problems: [], until: new Date(NOW.getTime() + 60_000) });
    assert.deepEqual(await drop(121), NONE);
    const reissued = [await webhook([first], first, NOW)];
    assert.deepEqual(obstacles(reissued, 1, [1, first], [2]), NONE);
  });

  it("is not asked of what this program did not sign, or the API server refuses already", async () => {
    assert.deepEqual(obstacles([await webhook([foreign], foreign)], 1, [1]), NONE);
    assert.deepEqual(obstacles([await webhook([second], first)], 1, [1, first]), NONE);
    assert.deepEqual(obstacles([await webhook([], first)], 2, [2]), NONE);
    assert.deepEqual(obstacles([await webhook([first], undefined)], 2, [2]), NONE);
  });

  it("keeps the CAs of a mesh that is taken over, and has the API server trust the next one first", async () => {
    const former = first.certPem;
    const taken = [await webhook([first], first, NOW)];
    const cas = [{ generation: 1 }];
    assert.deepEqual(webhookObstacles({ deployed: taken, cas, signingCa: 1, former }, NOW), NONE);
    assert.equal(webhookObstacles({ deployed: taken, cas, signingCa: 1 }, NOW).problems.length, 2);
    // What was reissued a moment ago may still be served by a certificate of the former CA.
    const reissued = [await webhook([first, second], second, NOW)];
    const resulting = [{ generation: 2, pem: second.certPem }];
    assert.deepEqual(
      webhookObstacles({ deployed: reissued, cas: resulting, signingCa: 2, former }, NOW),
      NONE,
    );
    assert.ok(webhookObstacles({ deployed: reissued, cas: resulting, signingCa: 2 }, NOW).until);
  });

  it("compares keys, because cert-manager renews a CA under its key", async () => {
    const renewed = { ...foreign, keys: first.keys, certPem: await renewedPem(first) };
    assert.deepEqual(obstacles([await webhook([renewed], first)], 1, [1, first]), NONE);
  });

  const refusal = (
    deployed: readonly DeployedWebhook[],
    cas: readonly Ca[],
    signingCa: number,
    acceptOutage?: string,
  ): string => {
    const generations = cas.map(([generation]) => generation);
    const resulting = cas.map(([generation, ca]) => ({ generation, pem: ca?.certPem }));
    try {
      const planned = { cas: generations, signingCa, acceptOutage };
      refuseWebhookChange(deployed, planned, { deployed, cas: resulting, signingCa }, NOW);
      return "";
    } catch (error) {
      assert.ok(error instanceof Error);
      return error.message;
    }
  };

  it("is refused with what may come next, all commands, and the way to do it all the same", async () => {
    const deployed = [await webhook([first], first), await webhook([first], first, LONG_AGO, TAP)];
    const token = webhookOutageToken(deployed, { cas: [2], signingCa: 2 });
    assert.equal(
      refusal(deployed, [[2]], 2),
      [
        "After this change of linkerd-mtls:webhookCertificates the API server would not trust webhooks that run:",
        `  - the certificates of linkerd/${INJECTOR}, linkerd/tap are signed by CA 1, which would be dropped while it signs`,
        `  - the certificates of linkerd/${INJECTOR}, linkerd/tap are to be signed by CA 2, which the API server does not trust yet`,
        "On the cluster, CA 1 is trusted, and CA 1 signs.",
        "Rotate in three steps, each with its own `up`: trust the new CA too; then sign by it; at the end drop the old one " +
          '(docs/operations.md, "Rotating the CAs of the webhooks"). What may come next:',
        "    pulumi config rm --path linkerd-mtls:webhookCertificates.cas",
        "    pulumi config set --path 'linkerd-mtls:webhookCertificates.cas[0]' 1",
        "    pulumi config set --path 'linkerd-mtls:webhookCertificates.cas[1]' 2",
        "    pulumi config set --path linkerd-mtls:webhookCertificates.signingCa 1",
        'For this change with an outage, see docs/operations.md, "Rotating the CAs of the webhooks":',
        `    pulumi config set linkerd-mtls:acceptOutage ${token}    # allows this change, and no other`,
      ].join("\n"),
    );
    assert.equal(refusal(deployed, [[2]], 2, token), "");
    assert.notEqual(refusal(deployed, [[3]], 3, token), "");
    const later = [await webhook([first, second], first)];
    assert.notEqual(refusal(later, [[2, second]], 2, token), "");
  });

  it("says until when it must wait", async () => {
    const deployed = [await webhook([first, second], second, NOW)];
    const until = new Date(NOW.getTime() + 120_000).toISOString();
    const [line] = refusal(deployed, [[2, second]], 2).split("\n");
    assert.equal(
      line,
      `This change of linkerd-mtls:webhookCertificates.cas must wait until ${until}: webhooks reload their certificates ` +
        "within 120 s, and may serve one of the CA that is dropped.",
    );
  });

  it("tells CAs apart by their subject", () => {
    assert.deepEqual(
      [first, second].map(({ certPem }) => generationOf(new X509Certificate(certPem))),
      [1, 2],
    );
  });
});

/** The same key and name in another certificate. */
async function renewedPem({ keys, commonName }: TestCertificate): Promise<string> {
  const x509 = await import("@peculiar/x509");
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${commonName}`,
    keys: keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    notAfter: new Date(NOW.getTime() + 3_600_000),
  });
  return certificate.toString("pem");
}

describe("the CAs of webhooks", () => {
  const make = (
    webhookCertificates: WebhookIssuanceArgs,
    webhookRotation?: WebhookRotation,
    deployedWebhooks?: () => Promise<readonly DeployedWebhook[]>,
  ): Promise<Recording> =>
    record(() => {
      const { trust, caPems } = new WebhookCertificates("webhooks", {
        namespace: NAMESPACE,
        services: [TAP],
        webhookCertificates,
        webhookRotation,
        deployedWebhooks,
        cluster: {},
      });
      return { trust, caPems };
    });
  const signerOf = (recording: Recording): unknown =>
    recording.get("LocallySignedCert", "webhooks-tap-certificate").inputs.caCertPem;

  it("keep the names of the first one, and have others for the next", async () => {
    const recording = await make({ cas: [1, 2], signingCa: 1 });
    const [first, second] = ["webhooks-ca-certificate", "webhooks-ca-2-certificate"].map((name) =>
      recording.pems.get(name),
    );
    assert.equal(recording.get("PrivateKey", "webhooks-ca-2-key").replacementTrigger, undefined);
    assert.deepEqual(recording.get("SelfSignedCert", "webhooks-ca-2-certificate").inputs.subject, {
      commonName: "webhook-issuer.linkerd",
      serialNumber: "2",
    });
    assert.equal(signerOf(recording), first);
    assert.deepEqual(recording.outputs, {
      trust: { tap: { caBundle: [first, second].map((pem) => `${pem?.trim()}\n`).join("") } },
      caPems: { 1: first, 2: second },
    });
    const signed = await make({ cas: [1, 2], signingCa: 2 });
    assert.equal(signerOf(signed), signed.pems.get("webhooks-ca-2-certificate"));
    const dropped = await make({ cas: [2] });
    assert.deepEqual(
      dropped.names().filter((name) => name.includes("-ca-key")),
      [],
    );
  });

  it("are given to cert-manager, which reissues for another subject", async () => {
    const spec = (recording: Recording) =>
      recording.get("Certificate", "webhooks-tap-certificate").inputs.spec as { subject?: object };
    assert.equal(spec(await make({}, {})).subject, undefined);
    const second = await make({ cas: [1, 2], signingCa: 2 }, {});
    assert.match(JSON.stringify(spec(second).subject), /^\{"serialNumber":"[0-9a-f]{16}"\}$/);
    const secret = second.get("Secret", "webhooks-issuer-secret").inputs.stringData;
    assert.deepEqual(secret, {
      "tls.crt": second.pems.get("webhooks-ca-2-certificate"),
      "tls.key": "key of webhooks-ca-2-key",
    });
    const renewed = await make({ cas: [2] }, { caRotation: { duration: "8760h", renewBefore: "2160h" } });
    const renewal = renewed.get("Certificate", "webhooks-ca-renewal").inputs.spec as { subject?: object };
    assert.deepEqual(renewal.subject, { serialNumber: "2" });
  });

  it("are asked about before a Secret is written, again when they change, and not where cert-manager renews", async () => {
    const gate = (recording: Recording) => recording.get("RandomId", "webhooks-cas-unbroken");
    let asked = 0;
    const read = () => {
      asked++;
      return Promise.resolve([]);
    };
    const recording = await make({ cas: [1, 2], signingCa: 1 }, undefined, read);
    assert.equal(asked, 0);
    const [hook = ""] = gate(recording).hooks.beforeCreate;
    const { urn, name, type } = gate(recording);
    await recording.hooks.get(hook)?.callback({ urn, id: "", name, type, newInputs: {} });
    assert.equal(asked, 1);
    assert.ok(recording.isAfter(recording.get("Secret", "webhooks-tap-secret"), gate(recording)));
    const rotating = await make({}, {});
    assert.ok(rotating.isAfter(rotating.get("Secret", "webhooks-issuer-secret"), gate(rotating)));
    const renewed = await make({}, { caRotation: { duration: "8760h", renewBefore: "2160h" } });
    assert.ok(!renewed.names().some((each) => each.includes("unbroken")));
  });

  it("must be a list, and have the one that signs", async () => {
    const reason = async (args: WebhookIssuanceArgs): Promise<unknown> => {
      const error: unknown = await make(args).catch((caught: unknown) => caught);
      return (error as { errors: unknown }).errors;
    };
    assert.deepEqual(await reason({ cas: [1, 2], signingCa: 3 }), [
      {
        propertyPath: "webhookCertificates.signingCa",
        reason: "must be one of the CAs that are trusted (1, 2), but is 3",
      },
    ]);
    for (const cas of [[], [1, 1], [0], [1.5]]) {
      assert.deepEqual(await reason({ cas }), [
        {
          propertyPath: "webhookCertificates.cas",
          reason: `must be a list of at least one generation of a CA (1, 2, ...), each once, but is ${JSON.stringify(cas)}`,
        },
      ]);
    }
  });

  it("have commands for one that has expired", () => {
    const key = "linkerd-mtls:webhookCertificates";
    const commands = (signingCa: number, ...cas: readonly number[]): string[] => [
      `pulumi config rm --path ${key}.cas`,
      ...cas.map((ca, index) => `pulumi config set --path '${key}.cas[${index}]' ${ca}`),
      `pulumi config set --path ${key}.signingCa ${signingCa}`,
    ];
    const replaced = (cas: readonly number[], signingCa: number): string[] =>
      replaceWebhookCa({ cas, signingCa }, 1).split(/\n {4}/);
    assert.deepEqual(replaced([1], 1), commands(2, 2));
    assert.deepEqual(replaced([1, 3], 1), commands(3, 3));
    assert.deepEqual(replaced([1, 3], 3), commands(3, 3));
  });
});

describe("key webhookCertificates", () => {
  const KEY = "linkerd-mtls:webhookCertificates";

  it("has the CAs, whoever issues the certificates", () => {
    const webhookCertificates = { cas: [1, 2], signingCa: 2 };
    for (const certificates of ["generated", "cert-manager"]) {
      const config = read({ certificates, webhookCertificates });
      assert.deepEqual(config.webhookCertificates, {
        ...webhookCertificates,
        generation: undefined,
        validityHours: undefined,
      });
    }
  });

  it("is refused where it names no CA that signs, or has no effect", () => {
    const first = `    pulumi config set --path '${KEY}.signingCa' 1`;
    assert.deepEqual(problems({ webhookCertificates: { cas: [1, 2] } }), [
      `${KEY}.signingCa must be one of the CAs that are trusted (1, 2), but is missing\n${first}`,
    ]);
    assert.deepEqual(problems({ webhookCertificates: { signingCa: 2 } }), [
      `${KEY}.signingCa must be one of the CAs that are trusted (1), but is 2\n${first}`,
    ]);
    assert.deepEqual(problems({ webhookCertificates: { cas: ["1"] } }), [
      `${KEY}.cas must be a list of at least one generation of a CA (1, 2, ...), each once, but is ["1"]\n` +
        `    pulumi config set --path '${KEY}.cas[0]' 1`,
    ]);
    const renewed = { certificates: "cert-manager", rotatingWebhooks: { caInjection: true } };
    assert.deepEqual(problems({ ...renewed, webhookCertificates: { cas: [1, 2], signingCa: 1 } }), [
      `${KEY}.cas must be one CA where cert-manager renews it (rotatingWebhooks.caInjection), but is [1,2]`,
    ]);
    assert.deepEqual(read({ ...renewed, webhookCertificates: { cas: [2] } }).webhookCertificates.cas, [2]);
  });
});
