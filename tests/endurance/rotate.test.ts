import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CoreV1Api } from "@kubernetes/client-node";

import { configuration, start, succeed } from "../support/command";
import { useSandbox } from "../support/testSandbox";
import { pemsOf, trustRoots } from "../support/trustBundle";
import { keyText, webhookTrust } from "../support/webhookTrust";

/** Certificates of proxies live a minute, so that the old ones have ended after two. */
const VALUES = {
  sampleApplications: [],
  issuanceLifetime: "1m",
  namespaces: [
    {
      name: "shop",
      workloads: [{ name: "web", podSpec: { containers: [{ name: "web", image: "web:1" }] } }],
    },
  ],
};

describe("npm run rotate -- anchor --yes --wait, the whole rotation by one command", () => {
  const certificates = [
    { kind: "provided", stack: "prod", prepare: true },
    { kind: "cert-manager", stack: "rotating", prepare: false },
  ];
  for (const { kind, stack, prepare } of certificates) {
    describe(`with certificates=${kind}`, () => {
      const sandbox = useSandbox(`test-rotate-${stack}`);
      let folder = "";
      const where = ["--stack", stack, "--name", sandbox.name];

      before(async () => {
        folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-rotate-"));
        // The key of the old anchor is lost.
        if (prepare) assert.equal((await start(where, {}, "tools/offlineCa/main.ts").ended).code, 0);
        await succeed("up", ...where, ...configuration(VALUES));
      });
      after(() => rm(folder, { recursive: true }));

      it("adds, signs, waits and drops", async () => {
        const bundle = async () => pemsOf((await trustRoots(sandbox)).data?.["ca-bundle.crt"]);
        const before = await bundle();
        const options = ["anchor", "--id", "next", "--drop", "2026", "--yes", "--wait", "8m"];
        const key = prepare ? ["--anchor-key", join(folder, "next.key")] : [];
        const args = [...where, ...options, ...key, ...configuration(VALUES)];
        const { code, output } = await start(args, {}, "tools/rotate/main.ts").ended;
        assert.equal(code, 0, output);
        for (const step of ["add trust anchor next", "sign by trust anchor next", "drop trust anchor 2026"]) {
          assert.ok(output.includes(`Done: ${step}`), output);
        }
        assert.ok(output.includes("Waiting until "), output);
        const after = await bundle();
        assert.equal(after.length, 1);
        assert.notDeepEqual(after, before);
        const secret = await sandbox
          .client(CoreV1Api)
          .readNamespacedSecret({ namespace: "linkerd", name: "linkerd-identity-issuer" });
        const issuer = new X509Certificate(Buffer.from(secret.data?.["tls.crt"] ?? "", "base64"));
        assert.ok(issuer.verify(new X509Certificate(after[0] ?? "").publicKey));
      });

      it("does the same with the CA of the webhooks", async () => {
        const before = (await webhookTrust(sandbox)).cas.map(({ publicKey }) => keyText(publicKey));
        const args = [...where, "webhook-cas", "--yes", "--wait", "4m", ...configuration(VALUES)];
        const { code, output } = await start(args, {}, "tools/rotate/main.ts").ended;
        assert.equal(code, 0, output);
        for (const step of [
          "have the API server trust CA 2 of the webhooks too (1 of 3)",
          "sign the webhooks' certificates by CA 2 (2 of 3)",
          "drop CA 1 of the webhooks (3 of 3)",
        ]) {
          assert.ok(output.includes(`Done: ${step}`), output);
        }
        const { servers, cas } = await webhookTrust(sandbox);
        for (const server of Object.values(servers)) assert.deepEqual(server, { cas: [2], signedBy: [2] });
        assert.notDeepEqual(
          cas.map(({ publicKey }) => keyText(publicKey)),
          before,
        );
      });
    });
  }
});
