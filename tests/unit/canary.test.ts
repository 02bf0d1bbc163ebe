import assert from "node:assert/strict";
import { createPrivateKey } from "node:crypto";
import { gzipSync } from "node:zlib";

import { RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb";

import { silenceDebugMessages } from "../../debugMessages";
import { canaries, occurring } from "../support/canary";
import { testCertificate } from "../support/certificates";

const base64 = (data: string | Buffer): string => Buffer.from(data).toString("base64");

describe("the search for private keys", () => {
  /** Every way in which a key is written down, after some other text. */
  const forms: Record<string, (pem: string, before: string) => string | Buffer> = {
    "as PKCS#8": (pem) => pem,
    "as SEC 1": (pem) => createPrivateKey(pem).export({ type: "sec1", format: "pem" }),
    "in JSON": (pem, before) => JSON.stringify({ stringData: { "tls.key": before + pem } }),
    "in a Secret": (pem, before) => JSON.stringify({ data: { "tls.key": base64(before + pem) } }),
    "in hexadecimal digits": (pem) =>
      createPrivateKey(pem).export({ type: "pkcs8", format: "der" }).toString("hex"),
    "as other base64 of the same bytes": (pem, before) =>
      base64(
        Buffer.concat([Buffer.from(before), createPrivateKey(pem).export({ type: "sec1", format: "der" })]),
      ),
    "in a Helm release": (pem, before) =>
      JSON.stringify({ data: { release: base64(base64(gzipSync(JSON.stringify({ key: before + pem })))) } }),
    "in a compressed file": (pem, before) => gzipSync(`key: ${base64(before + pem)}`),
  };
  for (const [form, write] of Object.entries(forms)) {
    it(`finds a key ${form}, and no other`, async () => {
      const { keyPem } = await testCertificate("one");
      const { keyPem: other } = await testCertificate("other");
      const searched = canaries(new Map(Object.entries({ one: keyPem, other })));
      for (const before of ["", "1", "12"]) {
        assert.deepEqual(occurring(write(keyPem, before), searched), ["one"]);
      }
    });
  }

  it("takes for text what only begins as something packed does", async () => {
    const { keyPem } = await testCertificate("one");
    const searched = canaries(new Map([["one", keyPem]]));
    const begins = ["H4sI", "SDRzS"].map((start) => `${start}${"b2Fr".repeat(9)}`);
    for (const text of [...begins, Buffer.concat([Buffer.from([0x1f, 0x8b]), Buffer.from(begins.join())])]) {
      assert.deepEqual(occurring(text, searched), []);
      assert.deepEqual(occurring(Buffer.concat([Buffer.from(text), Buffer.from(keyPem)]), searched), ["one"]);
    }
  });

  it("does not take a certificate for its key", async () => {
    const { certPem, keyPem } = await testCertificate("one");
    assert.deepEqual(occurring(certPem + base64(certPem), canaries(new Map([["one", keyPem]]))), []);
  });
});

describe("debug messages of Pulumi's SDK", () => {
  it("do not quote what the engine answers", () => {
    silenceDebugMessages();
    const answer = new RegisterResourceResponse();
    answer.setUrn("urn:pulumi:dev::shop::tls:index/privateKey:PrivateKey::key");
    assert.equal(`resp: ${String(answer)}`, "resp: [withheld]");
  });
});
