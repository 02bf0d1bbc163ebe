import assert from "node:assert/strict";

import { commandsIn } from "../support/operator";
import { testAnchor, type TestCertificate, testIssuer } from "../support/certificates";
import { filesOf, Recovery, SET_ALL } from "../support/recovery";
import { useSandbox } from "../support/testSandbox";

const WEBHOOKS = ["proxy-injector", "sp-validator", "policy-validator"].map(
  (name) => `webhooks-linkerd-${name}`,
);

const IDENTITY = "Deployment linkerd/linkerd-identity 1";
const EVERYTHING =
  `Deployment linkerd/linkerd-destination 1, ${IDENTITY}, ` +
  "Deployment linkerd/linkerd-proxy-injector 1, Deployment others/api 2, Deployment shop/web 1";

/** Ends soon; in days. */
const SOON = [-10, 90 / 86_400] as const;

describe("a mesh whose trust is lost", () => {
  const sandbox = useSandbox("test-recovery");
  let recovery: Recovery;

  before(async () => {
    recovery = await Recovery.begin(sandbox);
  });
  after(() => {
    console.table(recovery.rows);
  });

  const restarts = (): string => recovery.rows.at(-1)?.restarts ?? "";

  it("has new certificates of its webhooks, once they have expired, and restarts nothing", async () => {
    await recovery.expire(...WEBHOOKS);
    await recovery.recover("webhook certificates expired", []);
    assert.equal(restarts(), "none");
  });

  it("has a new issuer, once it has expired and identity does not start with it, and restarts identity alone", async () => {
    await recovery.expire("identity-issuer");
    await recovery.operator.type(
      "kubectl -n linkerd delete pod -l linkerd.io/control-plane-component=identity",
    );
    const output = await recovery.recover("issuer expired", []);
    assert.match(output, /restarting identity, which issues nothing with the issuer that has expired/);
    assert.equal(restarts(), IDENTITY);
  });

  it("has a new anchor and issuer, once they have expired, and restarts each workload once", async () => {
    await recovery.expire("trust-anchor-2026", "identity-issuer");
    const previewed = await recovery.succeed("preview");
    assert.match(
      previewed,
      /every trust anchor on the cluster has expired, so that no meshed pod trusts another/,
    );
    const typed = commandsIn(previewed);
    await recovery.operator.type(...typed);
    await recovery.recover("anchor and issuer expired", typed);
    assert.equal(restarts(), EVERYTHING);
  });

  it("trusts an anchor no more whose key was stolen, and restarts each workload once", async () => {
    const stolen = await recovery.leaf();
    // The state had the other keys too.
    const change = [
      "pulumi config set --path 'linkerd-mtls:trustAnchors[0].generation' 2",
      "pulumi config set --path linkerd-mtls:issuer.generation 2",
      "pulumi config set --path linkerd-mtls:webhookCertificates.generation 2",
    ];
    await recovery.operator.type(...change);
    const typed = await recovery.heed();
    assert.match(typed[0] ?? "", /^pulumi config set linkerd-mtls:acceptOutage /);
    const output = await recovery.recover("key of the anchor stolen", [...change, ...typed]);
    assert.match(output, /this change cuts traffic: .* until both have been recreated:/);
    assert.equal(restarts(), EVERYTHING);
    await recovery.refuses(stolen);
  });
});

describe("a mesh whose provided trust is lost", () => {
  const sandbox = useSandbox("test-recovery-provided");
  let recovery: Recovery;
  let first: TestCertificate;

  before(async () => {
    const anchor = (first = await testAnchor());
    recovery = await Recovery.begin(sandbox, { anchor, issuer: await testIssuer(anchor) });
  });
  after(() => {
    console.table(recovery.rows);
  });

  it("has another issuer, once it has expired, and restarts nothing while identity runs", async () => {
    const anchor = first;
    await recovery.expireProvided({ anchor, issuer: await testIssuer(anchor, { days: SOON }) });
    await recovery.operator.write(filesOf({ anchor, issuer: await testIssuer(anchor) }));
    const typed = await recovery.heed();
    assert.deepEqual(typed, [
      "pulumi config set linkerd-mtls:issuerCertificate < issuer.crt",
      "pulumi config set --secret linkerd-mtls:issuerKey < issuer.key",
    ]);
    await recovery.recover("provided issuer expired", typed);
    assert.equal(recovery.rows.at(-1)?.restarts, "none");
  });

  it("has another anchor and issuer, once they have expired, and restarts each workload once", async () => {
    const old = await testAnchor({ days: SOON });
    await recovery.expireProvided({ anchor: old, issuer: await testIssuer(old, { days: SOON }) });
    const anchor = await testAnchor();
    await recovery.operator.write(filesOf({ anchor, issuer: await testIssuer(anchor) }));
    await recovery.recover("provided anchor and issuer expired", await recovery.heed());
    assert.equal(recovery.rows.at(-1)?.restarts, EVERYTHING);
  });

  it("trusts an anchor no more whose key was stolen, and restarts each workload once", async () => {
    const stolen = await recovery.leaf();
    const anchor = await testAnchor();
    await recovery.operator.write(filesOf({ anchor, issuer: await testIssuer(anchor) }));
    await recovery.operator.type(...SET_ALL);
    const typed = await recovery.heed();
    assert.match(typed[0] ?? "", /^pulumi config set linkerd-mtls:acceptOutage /);
    await recovery.recover("key of the provided anchor stolen", [...SET_ALL, ...typed]);
    assert.equal(recovery.rows.at(-1)?.restarts, EVERYTHING);
    await recovery.refuses(stolen);
  });
});
