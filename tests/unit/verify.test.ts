import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { V1ValidatingAdmissionPolicySpec } from "@kubernetes/client-node";

import type { IssuerInUse } from "../../components/controlPlane/issuerInUse";
import { policySpec } from "../../components/injection/meshGuard";
import { PROJECT } from "../../tools/shared/paths";
import { chainOf, isConverged, type Link } from "../../tools/verify/chain";
import { chainTable } from "../../tools/verify/chainOutput";
import { hintLink, HINTS, type HintSection } from "../../tools/verify/hints";
import { isHealthy, type Result } from "../../tools/verify/model";
import { format } from "../../tools/verify/output";
import { plaintextIn } from "../../tools/verify/proxyMetrics";
import { ownerOf } from "../../components/cluster/podOwner";
import { selects } from "../../tools/verify/selectors";
import { checkStack } from "../../tools/verify/stack";
import type { StackOutputs } from "../../tools/verify/stackOutputs";
import type { ServerState, Snapshot } from "../../tools/verify/snapshot";
import { verify } from "../../tools/verify/verify";
import { ApiServer, status } from "../support/apiServer";
import { testAnchor, type TestCertificate, testCertificate, testIssuer } from "../support/certificates";
import { start } from "../support/command";
import { NO_IDENTITY } from "../support/meshSeries";
import {
  healthySnapshot,
  INSTALLED,
  type MeshCertificates,
  meshCertificates,
  meshedPod,
  pod,
  withServer,
} from "../support/verifySnapshot";

const DAY_MS = 24 * 60 * 60 * 1000;

/** Everything that is wrong, as `result check: found`. */
function wrong(snapshot: Snapshot): string[] {
  return verify(snapshot)
    .flatMap(({ checks }) => checks)
    .filter(({ result }) => result === "error" || result === "warning")
    .flatMap(({ check, result, found = [] }) => found.map((line) => `${result} ${check}: ${line}`));
}

/** The only thing that is wrong, and the section that says what to do. */
function assertFound(snapshot: Snapshot, result: Result, found: RegExp, hint: HintSection): void {
  const checks = verify(snapshot)
    .flatMap((group) => group.checks)
    .filter((check) => check.result === "error" || check.result === "warning");
  assert.equal(checks.length, 1, wrong(snapshot).join("\n"));
  const [check] = checks;
  assert.deepEqual([check?.result, check?.hint], [result, hint]);
  assert.match(check?.found?.join("\n") ?? "", found);
}

describe("verify", () => {
  let certificates: MeshCertificates;
  let healthy: Snapshot;
  let other: TestCertificate;
  const withPods = (...pods: Snapshot["pods"]): Snapshot => ({
    ...healthy,
    pods: [...healthy.pods, ...pods],
  });
  const later = (days: number): Snapshot => ({ ...healthy, now: new Date(Date.now() + days * DAY_MS) });
  const bundle = (...anchors: TestCertificate[]): Snapshot => ({
    ...healthy,
    mesh: {
      ...healthy.mesh,
      trustRoots: { data: { "ca-bundle.crt": anchors.map(({ certPem }) => `${certPem}\n`).join("") } },
    },
  });
  const issuedBy = (issuer: TestCertificate): Snapshot => ({
    ...healthy,
    mesh: { ...healthy.mesh, issuerPem: issuer.certPem },
  });
  const live = (server: ServerState, change: Partial<ServerState["live"]>): Partial<ServerState> => ({
    live: { caBundle: "", ...server.live, ...change },
  });

  before(async () => {
    certificates = await meshCertificates();
    healthy = healthySnapshot(certificates);
    other = await testCertificate("other.linkerd");
  });

  it("finds nothing in a healthy mesh", () => {
    assert.deepEqual(wrong(healthy), []);
    assert.equal(isHealthy(verify(healthy)), true);
  });

  describe("of injection", () => {
    it("names the owner of pods without a proxy, and that they are older than the injector", () => {
      const old = { creationTimestamp: new Date(INSTALLED.getTime() - DAY_MS) };
      assertFound(
        withPods(pod("web-3", old), pod("web-4", old)),
        "error",
        /^Deployment shop\/web \(2 pods\): created before the injector$/,
        "outside",
      );
    });

    it("sees that a pod is older than the annotation of its namespace", () => {
      const namespaces = healthy.namespaces.filter(({ metadata }) => metadata?.name !== "shop");
      const annotations = { "linkerd.io/inject": "enabled" };
      const managedFields = [
        {
          time: new Date("2026-03-01T00:00:00Z"),
          fieldsV1: { "f:metadata": { "f:annotations": { "f:linkerd.io/inject": {} } } },
        },
      ];
      assertFound(
        {
          ...withPods(pod("web-3")),
          namespaces: [...namespaces, { metadata: { name: "shop", annotations, managedFields } }],
        },
        "error",
        /created before namespace shop got its annotation/,
        "outside",
      );
    });

    it("says otherwise that the injector did not answer", () => {
      assertFound(
        withPods(
          pod("own", {
            namespace: "plain",
            annotations: { "linkerd.io/inject": "ingress" },
            ownerReferences: [],
          }),
        ),
        "error",
        /^Pod plain\/own: the injector did not answer when it was created \(failure policy Ignore\)$/,
        "outside",
      );
    });

    it("tells what the injector passes over, and why", () => {
      assertFound(
        withPods(pod("host", {}, { hostNetwork: true })),
        "warning",
        /^Deployment shop\/web \(1 pod\): hostNetwork is true$/,
        "passedOver",
      );
      assertFound(
        withPods(pod("yes", { annotations: { "linkerd.io/inject": "true" } })),
        "warning",
        /linkerd\.io\/inject: "true" is none of enabled, ingress, disabled/,
        "passedOver",
      );
    });

    it("leaves alone what is not asked for, has ended, or is not the injector's", () => {
      assert.deepEqual(
        wrong(
          withPods(
            pod("off", { annotations: { "linkerd.io/inject": "disabled" } }),
            Object.assign(pod("done"), { status: { phase: "Succeeded" } }),
            pod("going", { deletionTimestamp: new Date() }),
            pod("identity", { labels: { "linkerd.io/control-plane-component": "identity" } }),
          ),
        ),
        [],
      );
    });
  });

  describe("of proxies", () => {
    it("lists the pods without the new anchor, which still share the old one", async () => {
      const added = await testAnchor();
      assertFound(
        bundle(certificates.anchor, added),
        "warning",
        /^Deployment shop\/web \(2 pods\): lacks CN=root\.linkerd\.cluster\.local \(SHA-256 /,
        "bundle",
      );
    });

    it("lists the pods that share no anchor", () => {
      assertFound(
        withPods(meshedPod("web-3", other)),
        "error",
        /lacks .*, still has CN=other\.linkerd/,
        "bundle",
      );
    });

    it("takes another order and other line ends of the bundle for the same", async () => {
      const second = await testAnchor();
      const both = { ...second, certPem: `${second.certPem}\r\n\n${certificates.anchor.certPem}` };
      const pods = [meshedPod("web-1", both)];
      assert.deepEqual(wrong({ ...bundle(certificates.anchor, second), pods }), []);
    });

    it("lists the pods of the charts that started before the bundle changed", () => {
      const proxy = {
        name: "linkerd-proxy",
        env: [{ name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", valueFrom: {} }],
      };
      const managedFields = [{ time: new Date("2026-03-01T00:00:00Z"), fieldsV1: { "f:data": {} } }];
      const trustRoots = { data: healthy.mesh.trustRoots?.data, metadata: { managedFields } };
      const changed = {
        ...withPods(pod("identity", { namespace: "linkerd" }, { containers: [proxy] })),
        mesh: { ...healthy.mesh, trustRoots },
      };
      assertFound(
        changed,
        "warning",
        /Deployment linkerd\/web .*created before the trust bundle changed/,
        "bundle",
      );
    });

    it("lists the pods of another trust domain", () => {
      assertFound(
        withPods(meshedPod("web-3", certificates.anchor, "old.example.org")),
        "error",
        /is of trust domain old\.example\.org/,
        "trustDomain",
      );
    });
  });

  describe("of certificates", () => {
    it("counts life relative to lifetime", async () => {
      const [short, low] = await Promise.all(
        (
          [
            [-0.5, 1.5],
            [-0.7, 0.3],
          ] as const
        ).map((days) => testIssuer(certificates.anchor, { days })),
      );
      assert(short !== undefined && low !== undefined);
      assert.deepEqual(wrong(issuedBy(short)), []);
      assertFound(issuedBy(low), "warning", /until .*Z, 29% of 24 hours left/, "reissue");
    });

    it("says when all has expired", () => {
      const found = wrong(later(1001));
      for (const what of ["trust anchor", "issuer CN=", ...healthy.servers.map(({ service }) => service)]) {
        assert(
          found.some(
            (line) => line.startsWith("error") && line.includes(what) && line.includes("expired on"),
          ),
          what,
        );
      }
    });

    it("warns where cert-manager is overdue, and not before", async () => {
      const day = await testIssuer(certificates.anchor, { days: [-0.95, 0.05] });
      const renewed = (hours: number): Snapshot => ({
        ...issuedBy(day),
        renewals: { "linkerd/linkerd-identity-issuer": new Date(Date.now() + (hours * DAY_MS) / 24) },
      });
      assert.deepEqual(wrong(renewed(0.5)), []);
      assertFound(renewed(-0.5), "warning", /cert-manager has not renewed it on/, "reissue");
    });

    it("finds an issuer of another anchor, of another trust domain, and one that is not there", async () => {
      assertFound(
        issuedBy(await testIssuer(other)),
        "error",
        /must be signed by a trust anchor of the bundle/,
        "reissue",
      );
      const named = { dnsNames: ["identity.linkerd.other.org"] };
      assertFound(
        issuedBy(await testIssuer(certificates.anchor, named)),
        "warning",
        /must have the DNS name identity\.linkerd\.cluster\.local .*has identity\.linkerd\.other\.org/,
        "reissue",
      );
      assertFound(
        { ...healthy, mesh: { ...healthy.mesh, issuerPem: "" } },
        "error",
        /is not there/,
        "reissue",
      );
    });

    it("finds an empty line after the issuer's certificate", () => {
      const ending = (end: string) => ({ certPem: certificates.issuer.certPem.trimEnd() + end });
      for (const good of ["", "\n", "\r\n"]) {
        assert.deepEqual(wrong(issuedBy({ ...certificates.issuer, ...ending(good) })), []);
      }
      assertFound(
        issuedBy({ ...certificates.issuer, ...ending("\n\n") }),
        "error",
        /^has an empty line after its last certificate/,
        "reissue",
      );
    });

    it("finds an issuer that identity has refused, unless it took a later one", () => {
      const event = (reason: string, minute: number): Snapshot["issuerEvents"][number] => ({
        metadata: {},
        involvedObject: {},
        reason,
        message: "signed by unknown authority",
        lastTimestamp: new Date(INSTALLED.getTime() + minute * 60_000),
      });
      const events = [event("IssuerUpdateSkipped", 2), event("IssuerUpdated", 1)];
      assertFound(
        { ...healthy, issuerEvents: events },
        "error",
        /IssuerUpdateSkipped: signed by unknown/,
        "issuer",
      );
      assert.deepEqual(wrong({ ...healthy, issuerEvents: [...events, event("IssuerUpdated", 3)] }), []);
    });

    it("finds an issuer that identity has not taken, as far as it can still be seen", () => {
      const state = { written: healthy.now, replicas: 2, unproven: ["one"], others: {} };
      const inUse = (change: Partial<IssuerInUse>): Snapshot => ({
        ...healthy,
        issuerInUse: { ...state, ...change },
      });
      assert.deepEqual(wrong(inUse({ unproven: [] })), []);
      assertFound(inUse({}), "warning", /^Pod one has not reported it \(IssuerUpdated\) since 20/, "issuer");
      assertFound(
        inUse({ others: { one: INSTALLED } }),
        "error",
        /^Pod one uses an issuer that ends on 2026-01-01T00:00:00Z$/,
        "issuer",
      );
      assertFound(inUse({ replicas: 0, unproven: [] }), "error", /no pod of identity runs/, "issuer");
      const forgotten = verify(inUse({ written: INSTALLED })).flatMap(({ checks }) => checks);
      assert(forgotten.some(({ result, note }) => result === "skipped" && note?.startsWith("one: neither")));
      assert.deepEqual(wrong(inUse({ written: INSTALLED })), []);
    });

    it("finds another CA, another name and another purpose of each webhook and of tap", async () => {
      for (const { service, namespace } of healthy.servers) {
        const name = `${service}.${namespace}.svc`;
        const signed = async (dnsName: string, purposes?: string[]): Promise<Snapshot> => {
          const args = { signer: certificates.webhookCa, isCa: false, dnsNames: [dnsName], purposes };
          const { certPem } = await testCertificate(name, args);
          return withServer(healthy, service, () => ({ certificatePem: certPem }));
        };
        assertFound(
          withServer(healthy, service, (server) => live(server, { caBundle: other.certPem })),
          "error",
          /signed by CN=webhook-issuer\.linkerd, which is not in the caBundle of/,
          "webhook",
        );
        assertFound(await signed("elsewhere.svc"), "error", /has the names elsewhere\.svc, not /, "webhook");
        assertFound(await signed(name, ["1.3.6.1.5.5.7.3.2"]), "error", /is not for servers/, "webhook");
        assertFound(
          withServer(healthy, service, () => ({ certificatePem: "" })),
          "error",
          /Secret .*-k8s-tls: is not there/,
          "webhook",
        );
      }
    });

    it("takes a self-signed certificate that is its own CA, as the charts make it", async () => {
      const name = "tap.linkerd-viz.svc";
      const { certPem } = await testCertificate(name, { dnsNames: [name] });
      const self = withServer(healthy, "tap", (server) => ({
        ...live(server, { caBundle: certPem }),
        certificatePem: certPem,
      }));
      assert.deepEqual(wrong(self), []);
    });

    it("finds a mesh that is not there", () => {
      const none = { ...healthy, mesh: { values: {}, issuerPem: "" }, servers: [], pods: [] };
      assertFound(none, "error", /is not there/, "absent");
    });

    it("does not check what is in Secrets where they are not read", () => {
      const servers = healthy.servers.map((server) => ({ ...server, certificatePem: undefined }));
      const mesh = { ...healthy.mesh, issuerPem: "" };
      const checks = verify({ ...healthy, servers, mesh, withSecrets: false }).flatMap(
        (group) => group.checks,
      );
      assert.deepEqual(
        ["ok", "skipped", "warning", "error"].map(
          (result) => checks.filter((check) => check.result === result).length > 0,
        ),
        [true, true, false, false],
      );
      assert.equal(checks.filter(({ result }) => result === "skipped").length, 8);
    });
  });

  describe("of webhooks", () => {
    it("finds those without an endpoint, and those that are missing", () => {
      for (const { service, isRequired } of healthy.servers) {
        assertFound(
          withServer(healthy, service, () => ({ endpoints: 0 })),
          "error",
          /has no endpoint that is ready/,
          "webhook",
        );
        const without = withServer(healthy, service, () => ({ live: undefined }));
        if (isRequired) assert.match(wrong(without).join("\n"), /exists: is not there/);
        else assert.deepEqual(wrong(without), []);
      }
    });

    it("repeats why tap is not available", () => {
      const broken = withServer(healthy, "tap", (server) =>
        live(server, { unavailable: "x509: unknown authority" }),
      );
      assertFound(broken, "error", /x509: unknown authority/, "webhook");
    });

    it("wants a guard or failure policy Fail", () => {
      const unguarded: Snapshot = { ...healthy, guard: { policies: {}, bindings: {} } };
      assertFound(unguarded, "warning", /failure policy Ignore, and no guard refuses such a pod/, "guard");
      const failing = withServer(unguarded, "linkerd-proxy-injector", (server) =>
        live(server, { failurePolicy: "Fail" }),
      );
      assert.deepEqual(wrong(failing), []);
    });
  });

  describe("of the guard", () => {
    /** A guard without one of its objects. */
    const without = <T>(objects: Readonly<Record<string, T>>, name: string): Record<string, T> =>
      Object.fromEntries(Object.entries(objects).filter(([other]) => other !== name));
    const found = (guard: Partial<Snapshot["guard"]>): string[] =>
      wrong({ ...healthy, guard: { ...healthy.guard, ...guard } });

    it("finds each policy and each binding that is missing", () => {
      const { policies, bindings } = healthy.guard;
      const missing = "error the guard is there:";
      for (const name of Object.keys(policies)) {
        const line = `${missing} ValidatingAdmissionPolicy ${name} is not there`;
        assert(found({ policies: without(policies, name) }).includes(line), name);
      }
      for (const name of Object.keys(bindings)) {
        const line = `${missing} ValidatingAdmissionPolicyBinding ${name} is not there`;
        assert(found({ bindings: without(bindings, name) }).includes(line), name);
      }
    });

    it("finds one that only warns", () => {
      const guard = {
        policies: { "linkerd-mesh-guard": policySpec("warn") as V1ValidatingAdmissionPolicySpec },
        bindings: { "linkerd-mesh-guard": { policyName: "linkerd-mesh-guard", validationActions: ["Warn"] } },
      };
      assert.deepEqual(found(guard), [
        "warning no pod is created outside the mesh while the injector does not answer: failure policy Ignore, and no guard refuses such a pod",
        "warning the bindings of the guard refuse, and do not only warn: ValidatingAdmissionPolicyBinding linkerd-mesh-guard has Warn instead of Deny",
      ]);
    });

    it("finds what was edited: an expression, and where a binding holds", () => {
      const { policies, bindings } = structuredClone(healthy.guard);
      const [policy, binding] = [policies["linkerd-mesh-guard"], bindings["linkerd-mesh-guard-others"]];
      assert(policy !== undefined && binding !== undefined);
      policy.validations = [{ expression: "true" }];
      Object.assign(binding.matchResources ?? {}, { objectSelector: { matchLabels: { a: "b" } } });
      const edited = "warning the guard is as this program makes it:";
      assert.deepEqual(found({ policies }), [
        `${edited} ValidatingAdmissionPolicy linkerd-mesh-guard differs`,
      ]);
      assert.deepEqual(found({ bindings }), [
        `${edited} ValidatingAdmissionPolicyBinding linkerd-mesh-guard-others differs`,
      ]);
    });
  });

  describe("of traffic", () => {
    const to = (pod: string, labels: string) =>
      `direction="outbound",peer="dst",target_port="8080",${labels},dst_namespace="shop",dst_pod="${pod}"`;
    const metrics = [
      "# TYPE tcp_open_total counter",
      `tcp_open_total{${to("web-2", NO_IDENTITY)}} 15`,
      `tcp_open_connections{${to("web-2", NO_IDENTITY)}} 2`,
      `tcp_open_total{${to("web-1", NO_IDENTITY)}} 1`,
      `tcp_open_connections{${to("web-1", NO_IDENTITY)}} 0`,
      `tcp_open_total{${to("web-2", 'tls="true",server_id="x"')}} 7`,
      `tcp_open_total{${to("job", 'tls="disabled"')}} 3`,
      `tcp_open_total{direction="outbound",peer="dst",${NO_IDENTITY}} 9`,
      'tcp_open_total{direction="inbound",peer="dst",tls="no_identity",no_tls_reason="loopback"} 9',
      `tcp_open_total{direction="outbound",peer="src",target_port="80",tls="no_identity",no_tls_reason="loopback"} 9`,
    ].join("\n");
    const reason = "not_provided_by_service_discovery";

    it("reads what a proxy opened without TLS to pods", () => {
      assert.deepEqual(plaintextIn(metrics), [
        { to: "shop/web-2", port: "8080", reason, opened: 15, open: 2 },
        { to: "shop/web-1", port: "8080", reason, opened: 1, open: 0 },
        { to: "shop/job", port: "8080", reason: "disabled", opened: 3, open: 0 },
      ]);
    });

    it("finds pairs of meshed pods, those that talk now as errors", () => {
      const [client] = healthy.pods;
      assert(client !== undefined);
      const asked = (text: string, unknown?: string): Snapshot => ({
        ...healthy,
        traffic: [{ pod: client, plaintext: plaintextIn(text), ...(unknown && { unknown }) }],
      });
      assert.deepEqual(wrong(asked("")), []);
      assertFound(
        asked(metrics.replace(/^.*web-1.*$/gm, "")),
        "error",
        /^Deployment shop\/web to port 8080 of Deployment shop\/web: 15 connections without TLS \(not_provided_by_service_discovery\), 2 open now$/,
        "plaintext",
      );
      assertFound(
        asked(metrics.replace(/^.*web-2.*$/gm, "")),
        "warning",
        /^Deployment shop\/web to port 8080 of Deployment shop\/web: 1 connection without TLS \(/,
        "plaintext",
      );
      assertFound(asked("", "refused"), "warning", /^Deployment shop\/web \(1 pod\): refused$/, "plaintext");
    });
  });

  describe("of the stack", () => {
    const fingerprint = ({ certPem }: TestCertificate) => new X509Certificate(certPem).fingerprint256;
    const summary = (certificate: TestCertificate) => ({
      fingerprint: fingerprint(certificate),
      notAfter: "",
    });
    const outputs = (): StackOutputs => ({
      trustDomain: "cluster.local",
      trustAnchors: { one: summary(certificates.anchor) },
      issuer: summary(certificates.issuer),
      webhookCertificates: Object.fromEntries(
        Object.entries(certificates.servers).map(([service, certificate]) => [service, summary(certificate)]),
      ),
      webhookCas: {
        linkerd: { 1: summary(certificates.webhookCa) },
        "linkerd-viz": { 1: summary(certificates.webhookCa) },
      },
      chartVersions: { "linkerd-control-plane": "2026.6.3" },
      meshedNamespaces: ["shop"],
    });
    const drift = (snapshot: Snapshot, change: Partial<StackOutputs> = {}): string[] =>
      checkStack(snapshot, { ...outputs(), ...change }).checks.flatMap(({ result, found = [], hint }) =>
        found.map((line) => `${result} ${line} ${String(hint)}`),
      );

    it("finds nothing where the cluster is as the stack has left it", () => {
      assert.deepEqual(drift(healthy), []);
      const values = { ...healthy.mesh.values, linkerdVersion: "edge-26.6.3" };
      assert.deepEqual(drift({ ...healthy, mesh: { ...healthy.mesh, values } }), []);
      // What cert-manager issues is not in the outputs.
      assert.deepEqual(drift(healthy, { issuer: undefined, webhookCertificates: {}, webhookCas: {} }), []);
    });

    it("finds each thing that is another one", () => {
      const values = { identityTrustDomain: "old.org", linkerdVersion: "edge-26.8.3" };
      const found = drift(
        { ...healthy, mesh: { ...healthy.mesh, values } },
        {
          trustAnchors: { two: summary(other) },
          issuer: summary(other),
          webhookCertificates: { tap: summary(other) },
          webhookCas: { "linkerd-viz": { 2: summary(other) } },
          meshedNamespaces: ["plain", "gone"],
        },
      );
      const sha = (certificate: TestCertificate) => `(SHA-256 ${fingerprint(certificate).slice(0, 11)}...)`;
      assert.deepEqual(found, [
        `error lacks trust anchor two ${sha(other)} drift`,
        `error has CN=root.linkerd.cluster.local ${sha(certificates.anchor)} of others drift`,
        "error Secret linkerd/linkerd-identity-issuer has another one drift",
        "error Secret linkerd-viz/tap-k8s-tls has another one drift",
        "error MutatingWebhookConfiguration linkerd-tap-injector-webhook-config lacks CA 2 drift",
        "error MutatingWebhookConfiguration linkerd-tap-injector-webhook-config has CN=webhook-issuer.linkerd of others drift",
        "error APIService v1alpha1.tap.linkerd.io lacks CA 2 drift",
        "error APIService v1alpha1.tap.linkerd.io has CN=webhook-issuer.linkerd of others drift",
        "warning is of trust domain old.org, not cluster.local drift",
        "warning is edge-26.8.3, not of chart version 2026.6.3 drift",
        "warning Namespace plain has linkerd.io/inject: none drift",
        "warning Namespace gone is not there drift",
      ]);
    });
  });

  describe("shows as a chain", () => {
    /** Subjects, each below who signed it, and what nobody did. */
    const outline = (links: readonly Link[], indent = ""): string[] =>
      links.flatMap(({ subject, signedBy, signed }) => [
        `${indent}${subject}${signedBy === undefined ? " by nobody" : ""}`,
        ...outline(signed, `${indent}  `),
      ]);

    it("who signed whom, through what is between", async () => {
      const between = await testCertificate("between", { signer: certificates.anchor });
      const issuer = await testIssuer(between);
      const mesh = { ...healthy.mesh, issuerPem: `${issuer.certPem}\n${between.certPem}` };
      const chain = chainOf({ ...healthy, mesh }, { withPods: true });
      assert.deepEqual(outline(chain.identity), [
        "CN=root.linkerd.cluster.local",
        "  CN=between",
        "    CN=identity.linkerd.cluster.local",
      ]);
      const leaves = healthy.servers.map(({ service, namespace }) => `  CN=${service}.${namespace}.svc`);
      assert.deepEqual(outline(chain.servers), ["CN=webhook-issuer.linkerd", ...leaves]);
      assert.equal(chain.servers[0]?.places.length, healthy.servers.length);
      assert.deepEqual([chain.pods, isConverged(chain, healthy.now)], [[], true]);
      assert.match(chainTable(chain), /^ {4}CN=between\n {6}in {5}Secret linkerd\/linkerd-identity-issuer$/m);
    });

    it("the certificate that a pod has, below the issuer of which it is", async () => {
      const identity = "default.shop.serviceaccount.identity.linkerd.cluster.local";
      const leafOf = async (signer: TestCertificate): Promise<Link[]> => {
        const { certPem } = await testCertificate("proxy", { signer, isCa: false, dnsNames: [identity] });
        const certificates = `${certPem}\n${signer.certPem}`;
        const leaf = { namespace: "shop", name: "web-1", identity, certificates };
        return [...chainOf(healthy, { leaf }).identity];
      };
      const root = "CN=root.linkerd.cluster.local";
      const issuer = "  CN=identity.linkerd.cluster.local";
      assert.deepEqual(outline(await leafOf(certificates.issuer)), [root, issuer, "    CN=proxy"]);
      // Identity kept an issuer that is not in the Secret.
      const kept = await leafOf(await testIssuer(certificates.anchor));
      assert.deepEqual(outline(kept), [root, issuer, issuer, "    CN=proxy"]);
      assert.deepEqual(
        kept[0]?.signed.map(({ places }) => places),
        [["Secret linkerd/linkerd-identity-issuer"], ["Pod shop/web-1"]],
      );
    });

    it("what nobody signed, what has expired, and the pods that trust something else", async () => {
      const foreign = chainOf(issuedBy(await testIssuer(other)));
      assert.deepEqual(outline(foreign.identity).slice(1), ["CN=identity.linkerd.cluster.local by nobody"]);
      assert.equal(foreign.pods, undefined);
      const { now } = healthy;
      const apart = chainOf(withPods(meshedPod("web-3", other)), { withPods: true });
      assert.match(apart.pods?.join("\n") ?? "", /^Deployment shop\/web \(1 pod\): lacks/);
      const expired = later(1001);
      assert.deepEqual(
        [
          isConverged(foreign, now),
          isConverged(apart, now),
          isConverged(chainOf(expired, { withPods: true }), expired.now),
        ],
        [false, false, false],
      );
      assert.match(chainTable(foreign), /signed by nobody here/);
    });
  });

  it("knows owners by the names of pods", () => {
    const owned = (kind: string, name: string) =>
      ownerOf(pod("x", { ownerReferences: [{ apiVersion: "v1", kind, name, uid: "1", controller: true }] }));
    assert.deepEqual(
      [
        owned("ReplicaSet", "web-5f6d"),
        owned("ReplicaSet", "own"),
        owned("Job", "report-29388480"),
        owned("Job", "once"),
        owned("DaemonSet", "log"),
      ],
      [
        "Deployment shop/web",
        "ReplicaSet shop/own",
        "CronJob shop/report",
        "Job shop/once",
        "DaemonSet shop/log",
      ],
    );
  });

  it("selects by labels as the API server does", () => {
    const labels = { a: "1" };
    const expression = (operator: string, key: string, values?: string[]) =>
      selects({ matchExpressions: [{ key, operator, values }] }, labels);
    assert.deepEqual(
      [
        expression("In", "a", ["1"]),
        expression("NotIn", "b", ["1"]),
        expression("Exists", "a"),
        expression("DoesNotExist", "b"),
        selects({ matchLabels: labels }, labels),
        selects({}, labels),
      ],
      Array<boolean>(6).fill(true),
    );
    assert.deepEqual(
      [
        expression("In", "b", ["1"]),
        expression("NotIn", "a", ["1"]),
        expression("Exists", "b"),
        expression("DoesNotExist", "a"),
        selects({ matchLabels: { a: "2" } }, labels),
      ],
      Array<boolean>(5).fill(false),
    );
  });

  it("points to sections that exist", async () => {
    const page = await readFile(join(PROJECT, "docs/operations.md"), "utf8");
    const anchors = [...page.matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
      heading
        .toLowerCase()
        .replace(/[^\w\- ]/g, "")
        .replaceAll(" ", "-"),
    );
    for (const section of Object.values(HINTS)) assert(anchors.includes(section), section);
  });

  it("answers for 10,000 pods within seconds, on a busy machine too", () => {
    const pods = Array.from({ length: 10_000 }, (_, index) => meshedPod(`web-${index}`, certificates.anchor));
    const begin = performance.now();
    assert.deepEqual(wrong({ ...healthy, pods }), []);
    assert(performance.now() - begin < 5000, `${performance.now() - begin} ms`);
  });

  describe("writes", () => {
    const broken = (): Snapshot =>
      withPods(...Array.from({ length: 25 }, (_, n) => pod(`p<${n}>`, { ownerReferences: [] })));

    it("a table with 20 findings of a check, and its hint", () => {
      const table = format(verify(broken()), "table");
      assert.match(
        table,
        /^injection\n-{9}\n× pods that ask for a proxy have one \(2 in the mesh, 25 outside\)\n {4}Pod shop\/p<0>: /m,
      );
      assert.equal(table.match(/^ {4}Pod shop/gm)?.length, 20);
      assert.match(
        table,
        /^ {4}and 5 more: --output json has all\n {4}see docs\/operations\.md#pods-outside-the-mesh for hints$/m,
      );
      assert.match(table, /Status check results are ×$/);
      assert.match(format(verify(healthy), "table"), /Status check results are √$/);
    });

    it("JSON with all of them", () => {
      const answer = JSON.parse(format(verify(broken()), "json")) as {
        healthy: boolean;
        groups: { group: string; checks: { result: Result; found?: string[]; hint?: string }[] }[];
      };
      const [check] = answer.groups.find(({ group }) => group === "injection")?.checks ?? [];
      assert.deepEqual(
        [answer.healthy, check?.result, check?.found?.length, check?.hint],
        [false, "error", 25, hintLink("outside")],
      );
    });

    it("JUnit, escaped", () => {
      const xml = format(verify(broken()), "junit");
      assert.match(xml, /<testsuite name="injection" tests="2" failures="1" skipped="0">/);
      assert.match(xml, /<failure type="error" message="Pod shop\/p&lt;0&gt;: /);
      assert.doesNotMatch(xml, /p<0>/);
    });
  });

  describe("as a command", () => {
    /** Each command loads for seconds, and a busy machine takes many times as long. */
    const COMMANDS_MS = 300_000;
    const api = new ApiServer();
    const command = (...args: string[]) => start(args, {}, "tools/verify/main.ts").ended;
    before(() => api.listen());
    after(() => {
      api.close();
    });

    it("ends with 2 where it is used wrongly, and with 0 when asked how", async () => {
      const wrongly = [
        ["--output", "xml"],
        ["--wait", "soon"],
        ["chain", "--output", "junit"],
        ["--name", "a", "--context", "b"],
        ["--kubeconfig", "/nowhere"],
      ];
      const codes = await Promise.all(wrongly.map(async (args) => (await command(...args)).code));
      assert.deepEqual(
        codes,
        wrongly.map(() => 2),
      );
      const help = await command("--help");
      assert.deepEqual([help.code, help.output.includes("0 healthy, 1 something was found, 2 ")], [0, true]);
    }).timeout(COMMANDS_MS);

    it("ends with 2 where permission is missing or nobody answers, and says what to do", async () => {
      api.answers = { "GET /api/v1/namespaces": status(403, "namespaces is forbidden") };
      const { writeFile, mkdtemp, rm } = await import("node:fs/promises");
      const folder = await mkdtemp(join(PROJECT, ".verify-"));
      try {
        const file = join(folder, "kubeconfig");
        await writeFile(file, api.kubeconfig());
        const forbidden = await command("--kubeconfig", file, "--wait", "10m");
        assert.equal(forbidden.code, 2, forbidden.output);
        assert.match(forbidden.output, /namespaces is forbidden\ntry: grant the Roles in docs\/verify\.md/);
        const nowhere = await command("--kubeconfig", file, "--context", "nowhere", "--wait", "1s");
        assert.equal(nowhere.code, 2, nowhere.output);
        assert.match(nowhere.output, /the cluster cannot be asked/);
      } finally {
        await rm(folder, { recursive: true });
      }
    }).timeout(COMMANDS_MS);
  });
});
