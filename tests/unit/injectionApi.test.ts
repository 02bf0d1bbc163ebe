import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { injectionApi } from "../../components/injection/injectionApi";
import { type Answer, ApiServer, status } from "../support/apiServer";
import { testAnchor } from "../support/certificates";

const POD = { apiVersion: "v1", kind: "Pod", metadata: {}, spec: { containers: [{ name: "probe" }] } };
const PROXY = { name: "linkerd-proxy", image: "cr.l5d.io/linkerd/proxy:edge-26.6.3" };
const TAPPED_PROXY = { ...PROXY, env: [{ name: "LINKERD2_PROXY_TAP_SVC_NAME", value: "tap" }] };
const TAPPED = { annotations: { "viz.linkerd.io/tap-enabled": "true" } };

describe("injectionApi", () => {
  const server = new ApiServer();
  let kubeconfig: string;

  before(() => server.listen());

  beforeEach(() => {
    kubeconfig = server.kubeconfig();
    server.answers = {};
    server.requests = [];
  });

  after(() => {
    server.close();
  });

  const CREATE = "POST /api/v1/namespaces/default/pods?dryRun=All";
  const dryRun = (answer: Answer | undefined, context?: string, timeoutMs = 5000) => {
    if (answer !== undefined) {
      server.answers[CREATE] = answer;
    }
    return injectionApi({ kubeconfig, context }, "default").dryRun(timeoutMs);
  };

  it("asks for a dry run of an annotated pod", async () => {
    await dryRun({ body: POD });
    assert.deepEqual(
      server.requests.map(({ line }) => line),
      [CREATE],
    );
    const pod = JSON.parse(server.requests[0]?.body ?? "") as {
      metadata: { annotations: unknown };
      spec: { securityContext: unknown; containers: { securityContext: unknown }[] };
    };
    assert.deepEqual(pod.metadata.annotations, { "linkerd.io/inject": "enabled" });
    assert.deepEqual(pod.spec.securityContext, {
      runAsNonRoot: true,
      seccompProfile: { type: "RuntimeDefault" },
    });
    assert.deepEqual(
      pod.spec.containers.map(({ securityContext }) => securityContext),
      [{ allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } }],
    );
  });

  it("finds the proxy among the containers, or as a native sidecar", async () => {
    const yes = { injected: true, proxyImage: PROXY.image };
    assert.deepEqual(
      await dryRun({ body: { ...POD, spec: { containers: [{ name: "probe" }, PROXY] } } }),
      yes,
    );
    assert.deepEqual(await dryRun({ body: { ...POD, spec: { ...POD.spec, initContainers: [PROXY] } } }), yes);
  });

  it("sees that there is none", async () => {
    assert.deepEqual(await dryRun({ body: POD }), {
      injected: false,
      reason: "the pod was accepted without a proxy, so the injector did not answer",
    });
  });

  describe("with a trust bundle", () => {
    it("sees whether the proxy has it, in any order", async () => {
      const [one, other] = [await testAnchor(), await testAnchor()].map(({ certPem }) => certPem);
      const ask = (value?: string) => {
        const env = [{ name: "LINKERD2_PROXY_IDENTITY_TRUST_ANCHORS", value }];
        server.answers[CREATE] = { body: { ...POD, spec: { containers: [{ ...PROXY, env }] } } };
        const trustBundle = () => Promise.resolve(`${one}\n${other}`);
        return injectionApi({ kubeconfig }, "default", { trustBundle }).dryRun(5000);
      };
      assert.deepEqual(await ask(`${other}${one}`), { injected: true, proxyImage: PROXY.image });
      for (const bundle of [one, undefined]) {
        assert.deepEqual(await ask(bundle), {
          injected: false,
          reason:
            "the pod got its proxy with another trust bundle, so an injector from before the change answered",
        });
      }
    });
  });

  describe("with tap", () => {
    const dryRunWithTap = (body: unknown) => {
      server.answers[CREATE] = { body };
      return injectionApi({ kubeconfig }, "default", { tap: true }).dryRun(5000);
    };

    it("finds it in the proxy, among the containers or as a native sidecar", async () => {
      const yes = { injected: true, proxyImage: PROXY.image };
      const containers = [{ name: "probe" }, TAPPED_PROXY];
      assert.deepEqual(await dryRunWithTap({ ...POD, metadata: TAPPED, spec: { containers } }), yes);
      const native = { ...POD.spec, initContainers: [TAPPED_PROXY] };
      assert.deepEqual(await dryRunWithTap({ ...POD, metadata: TAPPED, spec: native }), yes);
    });

    it("sees that a proxy is without it", async () => {
      const no = {
        injected: false,
        reason: "the pod got its proxy without tap, so the tap injector did not answer",
      };
      const pods = [
        { metadata: {}, spec: { containers: [PROXY] } },
        { metadata: {}, spec: { containers: [TAPPED_PROXY] } },
        { metadata: TAPPED, spec: { containers: [PROXY] } },
        {
          metadata: { annotations: { "viz.linkerd.io/tap-enabled": "false" } },
          spec: { containers: [TAPPED_PROXY] },
        },
      ];
      for (const pod of pods) {
        assert.deepEqual(await dryRunWithTap({ ...POD, ...pod }), no);
      }
    });

    it("still names the injector where there is no proxy", async () => {
      assert.deepEqual(await dryRunWithTap(POD), {
        injected: false,
        reason: "the pod was accepted without a proxy, so the injector did not answer",
      });
    });

    it("describes both injectors", async () => {
      server.answers = Object.fromEntries(
        [
          "/api/v1/namespaces/linkerd/secrets?labelSelector=owner%3Dhelm%2Cname%3Dlinkerd-control-plane",
          "/api/v1/namespaces/linkerd-viz/secrets?labelSelector=owner%3Dhelm%2Cname%3Dlinkerd-viz",
          "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/linkerd-proxy-injector-webhook-config",
          "/api/v1/namespaces/linkerd/services/linkerd-proxy-injector",
          "/api/v1/namespaces/linkerd/pods?labelSelector=linkerd.io%2Fcontrol-plane-component%3Dproxy-injector",
          "/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/linkerd-tap-injector-webhook-config",
          "/api/v1/namespaces/linkerd-viz/services/tap-injector",
          "/api/v1/namespaces/linkerd-viz/pods?labelSelector=linkerd.io%2Fextension%3Dviz%2Ccomponent%3Dtap-injector",
        ].map((path) => [`GET ${path}`, status(404, "not found")]),
      );
      assert.deepEqual(await injectionApi({ kubeconfig }, "default", { tap: true }).diagnose(), [
        "Helm release linkerd/linkerd-control-plane: not found",
        "MutatingWebhookConfiguration linkerd-proxy-injector-webhook-config: not found",
        "Service linkerd/linkerd-proxy-injector: not found",
        "injector pods: not found",
        "Helm release linkerd-viz/linkerd-viz: not found",
        "MutatingWebhookConfiguration linkerd-tap-injector-webhook-config: not found",
        "Service linkerd-viz/tap-injector: not found",
        "tap injector pods: not found",
        "look at:",
        "  kubectl get mutatingwebhookconfiguration linkerd-proxy-injector-webhook-config",
        "  kubectl -n linkerd get endpointslices -l kubernetes.io/service-name=linkerd-proxy-injector",
        "  kubectl -n linkerd describe pods -l linkerd.io/control-plane-component=proxy-injector",
        "  kubectl -n linkerd logs -l linkerd.io/control-plane-component=proxy-injector --all-containers",
        "  kubectl get mutatingwebhookconfiguration linkerd-tap-injector-webhook-config",
        "  kubectl -n linkerd-viz get endpointslices -l kubernetes.io/service-name=tap-injector",
        "  kubectl -n linkerd-viz describe pods -l linkerd.io/extension=viz,component=tap-injector",
        "  kubectl -n linkerd-viz logs -l linkerd.io/extension=viz,component=tap-injector --all-containers",
      ]);
    });
  });

  it("takes a refusal by the mesh guard for a no", async () => {
    const refusal =
      "pods \"x\" is forbidden: ValidatingAdmissionPolicy 'linkerd-mesh-guard' with binding denied request";
    assert.deepEqual(await dryRun(status(403, refusal)), {
      injected: false,
      reason: "the mesh guard refused the pod, because the injector did not answer",
    });
  });

  it("does not wait for a permission", async () => {
    const message = 'pods is forbidden: User "jane" cannot create resource "pods" in API group ""';
    assert.deepEqual(await dryRun(status(403, message)), {
      injected: false,
      final: true,
      reason:
        "permission is missing, the deploying user must be allowed to create pods in namespace default: " +
        message,
    });
  });

  const REFUSED_INIT =
    'pods "x" is forbidden: violates PodSecurity "baseline:latest": non-default capabilities (container "linkerd-init" ' +
    'must not include "NET_ADMIN", "NET_RAW" in securityContext.capabilities.add)';
  const REMEDY =
    "choose an existing namespace that takes injected pods: pulumi config set linkerd-mtls:gateNamespace <namespace>";

  it("takes a refusal of the injected init container for a yes", async () => {
    assert.deepEqual(await dryRun(status(403, REFUSED_INIT)), {
      injected: true,
      proxyImage: "not shown, because namespace default refuses linkerd-init",
    });
  });

  it("does not wait for tap where the injected pod is refused", async () => {
    server.answers[CREATE] = status(403, REFUSED_INIT);
    assert.deepEqual(await injectionApi({ kubeconfig }, "default", { tap: true }).dryRun(5000), {
      injected: false,
      final: true,
      reason:
        "whether the pod got tap cannot be seen, because its proxy is refused (403): " +
        `${REFUSED_INIT}; ${REMEDY}`,
    });
  });

  it("does not wait for a namespace", async () => {
    assert.deepEqual(await dryRun(status(404, 'namespaces "default" not found')), {
      injected: false,
      final: true,
      reason: `the API server has no such namespace (404): namespaces "default" not found; ${REMEDY}`,
    });
  });

  it("repeats any other refusal, and says which it is", async () => {
    const refusal = 'admission webhook "policies.example.org" denied the request: no pods here';
    assert.deepEqual(await dryRun(status(403, refusal)), {
      injected: false,
      reason: `the API server refused the pod (403): ${refusal}; if that lasts, ${REMEDY}`,
    });
    const failing = 'failed calling webhook "linkerd-proxy-injector.linkerd.io"';
    assert.deepEqual(await dryRun(status(500, failing)), {
      injected: false,
      reason: `the API server refused the pod (500): ${failing}`,
    });
  });

  it("says that the API server cannot be reached", async () => {
    const answer = await dryRun(undefined, "nowhere");
    assert.ok(!answer.injected);
    assert.match(answer.reason, /^the API server cannot be reached: .*ECONNREFUSED/);
    assert.equal(answer.final, undefined);
  });

  it("gives up after its time, which need not be a whole number", async () => {
    assert.deepEqual(await dryRun(undefined, undefined, 100.5), {
      injected: false,
      reason: "the API server cannot be reached: no answer within 0.1 s",
    });
  });

  it("reads a kubeconfig by its contents, by its path or from KUBECONFIG, and takes a context", async () => {
    const directory = mkdtempSync(join(tmpdir(), "kubeconfig-"));
    const path = join(directory, "config");
    const ambient = process.env.KUBECONFIG;
    try {
      writeFileSync(path, kubeconfig);
      server.answers[CREATE] = { body: POD };
      await injectionApi({ kubeconfig }, "default").dryRun(5000);
      await injectionApi({ kubeconfig: path, context: "other" }, "default").dryRun(5000);
      process.env.KUBECONFIG = path;
      await injectionApi({}, "default").dryRun(5000);
      assert.deepEqual(
        server.requests.map(({ token }) => token),
        ["Bearer token-1", "Bearer token-2", "Bearer token-1"],
      );
    } finally {
      if (ambient === undefined) {
        delete process.env.KUBECONFIG;
      } else {
        process.env.KUBECONFIG = ambient;
      }
      rmSync(directory, { recursive: true });
    }
  });

  const RECORDS =
    "GET /api/v1/namespaces/linkerd/secrets?labelSelector=owner%3Dhelm%2Cname%3Dlinkerd-control-plane";
  const record = (version: string, helmStatus: string) => ({
    metadata: { labels: { version, status: helmStatus } },
  });

  it("describes the release, the webhook, its endpoints and its pods", async () => {
    server.answers = {
      [RECORDS]: { body: { items: [record("9", "superseded"), record("10", "deployed")] } },
      "GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/linkerd-proxy-injector-webhook-config":
        {
          body: { webhooks: [{ name: "linkerd-proxy-injector.linkerd.io", failurePolicy: "Ignore" }] },
        },
      "GET /api/v1/namespaces/linkerd/services/linkerd-proxy-injector": { body: { kind: "Service" } },
      "GET /apis/discovery.k8s.io/v1/namespaces/linkerd/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dlinkerd-proxy-injector":
        {
          body: {
            items: [
              {
                endpoints: [
                  { addresses: ["10.0.0.1"], conditions: { ready: true } },
                  { addresses: ["10.0.0.2"], conditions: { ready: false } },
                ],
              },
            ],
          },
        },
      "GET /api/v1/namespaces/linkerd/pods?labelSelector=linkerd.io%2Fcontrol-plane-component%3Dproxy-injector":
        {
          body: { items: [{ metadata: { name: "injector-1" }, status: { phase: "Pending" } }] },
        },
    };
    const lines = await injectionApi({ kubeconfig }, "default").diagnose();
    assert.deepEqual(lines.slice(0, 4), [
      "Helm release linkerd/linkerd-control-plane: deployed",
      "MutatingWebhookConfiguration linkerd-proxy-injector-webhook-config: present, failurePolicy Ignore",
      "Service linkerd/linkerd-proxy-injector: 1 of 2 endpoints ready",
      "injector pods: injector-1 Pending, not ready",
    ]);
    assert.equal(lines.filter((line) => line.startsWith("  kubectl ")).length, 4);
  });

  it("describes what is missing, what it may not see, and a destroy that was killed", async () => {
    server.answers = {
      [RECORDS]: { body: { items: [record("1", "uninstalling")] } },
      "GET /apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/linkerd-proxy-injector-webhook-config":
        status(404, "not found"),
      "GET /api/v1/namespaces/linkerd/services/linkerd-proxy-injector": status(403, "services is forbidden"),
      "GET /api/v1/namespaces/linkerd/pods?labelSelector=linkerd.io%2Fcontrol-plane-component%3Dproxy-injector":
        {
          body: { items: [] },
        },
    };
    const lines = await injectionApi({ kubeconfig }, "default").diagnose();
    assert.deepEqual(lines.slice(0, 4), [
      "Helm release linkerd/linkerd-control-plane: uninstalling, because a destroy was killed: run " +
        "`pulumi destroy --refresh`, then `pulumi up`",
      "MutatingWebhookConfiguration linkerd-proxy-injector-webhook-config: not found",
      "Service linkerd/linkerd-proxy-injector: cannot be read: services is forbidden",
      "injector pods: none",
    ]);
  });
});
