import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { CONTROL_PLANE_RULES } from "../../components/controlPlane/chartRules";
import { checkGatewayApi } from "../../components/controlPlane/gatewayApi";
import { settingsValues } from "../../components/controlPlane/settings";
import { VIZ_RULES } from "../../components/extensions/vizChartRules";
import { vizValues } from "../../components/extensions/vizValues";
import { type Answer, ApiServer, status } from "../support/apiServer";
import { unknownValues } from "../support/chartValues";
import { read } from "../support/readConfig";
import { warningsOf } from "../support/warnings";

describe("settings of the control plane", () => {
  it("add no value where nothing is chosen", () => {
    assert.deepEqual(settingsValues({}), {});
  });

  it("are the chart's values for high availability", () => {
    const controller = { cpu: { request: "100m" }, memory: { request: "50Mi", limit: "250Mi" } };
    const values = settingsValues({ highAvailability: true, webhookFailurePolicy: "Fail" });
    assert.deepEqual(values, {
      webhookFailurePolicy: "Fail",
      proxy: { resources: { cpu: { request: "100m" }, memory: { request: "20Mi", limit: "250Mi" } } },
      highAvailability: true,
      controllerReplicas: 3,
      enablePodAntiAffinity: true,
      enablePodDisruptionBudget: true,
      controller: { podDisruptionBudget: { maxUnavailable: 1 } },
      deploymentStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: "25%" } },
      destinationResources: controller,
      identityResources: { cpu: { request: "100m" }, memory: { request: "10Mi", limit: "250Mi" } },
      heartbeatResources: controller,
      proxyInjectorResources: controller,
      spValidatorResources: controller,
    });
    assert.deepEqual(unknownValues(values, CONTROL_PLANE_RULES), ["highAvailability"]);
  });

  it("are ports, the init container, registry and pull secrets", () => {
    const values = settingsValues({
      opaquePorts: [3306, "4444-4445"],
      proxyInit: {
        iptablesMode: "nft",
        runAsRoot: true,
        ignoreInboundPorts: [4567],
        ignoreOutboundPorts: ["4567-4568", 25],
      },
      imageRegistry: "registry.example.org/linkerd",
      imagePullSecrets: ["registry"],
    });
    assert.deepEqual(values, {
      proxy: { opaquePorts: "3306,4444-4445", image: { name: "registry.example.org/linkerd/proxy" } },
      proxyInit: {
        iptablesMode: "nft",
        runAsRoot: true,
        ignoreInboundPorts: "4567",
        ignoreOutboundPorts: "4567-4568,25",
      },
      controllerImage: "registry.example.org/linkerd/controller",
      debugContainer: { image: { name: "registry.example.org/linkerd/debug" } },
      imagePullSecrets: [{ name: "registry" }],
    });
    assert.deepEqual(unknownValues(values, CONTROL_PLANE_RULES), []);
  });

  it("reach viz too, as far as they are of images", () => {
    const common = {
      linkerdNamespace: "linkerd",
      trustDomain: "cluster.local",
      trustBundlePem: "bundle",
      webhookTrust: { tap: { caBundle: "tap" }, "tap-injector": { caBundle: "injector" } },
    };
    const settings = { imageRegistry: "registry.example.org/linkerd", imagePullSecrets: ["registry"] };
    const values = vizValues({ ...common, ...settings });
    assert.deepEqual(values, {
      ...vizValues(common),
      defaultRegistry: "registry.example.org/linkerd",
      imagePullSecrets: [{ name: "registry" }],
    });
    assert.deepEqual(unknownValues(values, VIZ_RULES), []);
  });

  it("let closeWaitTimeout be set where the init container runs as root, or is not there", () => {
    const podSpec = { containers: [{ name: "web", image: "web:1" }] };
    const namespaces = [
      { name: "shop", workloads: [{ name: "web", podSpec, proxy: { closeWaitTimeout: "1m" } }] },
    ];
    for (const values of [{ proxyInit: { runAsRoot: true } }, { cniEnabled: true }]) {
      const [namespace] = read({ namespaces, ...values }).namespaces;
      assert.deepEqual(namespace?.workloads[0]?.proxy, { closeWaitTimeout: "1m" });
    }
  });
});

describe("the Gateway API", () => {
  const server = new ApiServer();
  const RESOURCES = "GET /apis/gateway.networking.k8s.io/v1";
  let charts: string;

  before(async () => {
    charts = mkdtempSync(join(tmpdir(), "charts-"));
    mkdirSync(join(charts, "linkerd-control-plane"));
    await server.listen();
  });
  after(() => {
    rmSync(charts, { recursive: true });
    server.close();
  });
  afterEach(() => pulumi.runtime.setMocks(NO_MOCKS, "linkerd-mtls", "test", false));

  const NO_MOCKS: pulumi.runtime.Mocks = { newResource: () => ({ id: "", state: {} }), call: () => ({}) };
  const ABSENT = status(404, "not found");
  const has = (...names: string[]): Answer => ({
    body: { kind: "APIResourceList", resources: names.map((name) => ({ name })) },
  });

  async function warnings(
    source: Parameters<typeof checkGatewayApi>[0],
    { preview = true, context = "here", values = {}, answer = ABSENT } = {},
  ): Promise<string[]> {
    server.answers = { [RESOURCES]: answer };
    await pulumi.runtime.setMocks(NO_MOCKS, "linkerd-mtls", "test", preview);
    return warningsOf(() => checkGatewayApi(source, { kubeconfig: server.kubeconfig(), context }, values));
  }

  const missing =
    "the cluster has no Gateway API (custom resource definitions of gateway.networking.k8s.io/v1: httproutes or " +
    "grpcroutes), which Linkerd's charts have not installed since edge-25.9.4: ";
  const command =
    "\n    kubectl apply --server-side -f https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.2.1/standard-install.yaml";

  it("is missed in a preview, with the command that installs it", async () => {
    for (const version of ["edge-25.9.4", "edge-26.6.3"] as const) {
      assert.deepEqual(await warnings({ version }), [
        `${missing}\`linkerd check\` fails without it${command}`,
      ]);
    }
    assert.equal((await warnings({}, { answer: has("gatewayclasses") })).length, 1);
    assert.deepEqual(await warnings({}, { preview: false }), []);
  });

  it("is an error for releases that require it, in a preview and in a deployment", async () => {
    for (const preview of [true, false]) {
      await assert.rejects(warnings({ version: "edge-26.7.1" }, { preview }), {
        message: `${missing}Linkerd requires it since edge-26.7.1${command}`,
      });
      assert.deepEqual(
        await warnings({ version: "edge-26.7.1" }, { preview, answer: has("grpcroutes") }),
        [],
      );
      assert.deepEqual(await warnings({ version: "edge-26.7.1" }, { preview, context: "nowhere" }), []);
    }
    assert.deepEqual(await warnings({ version: "edge-26.7.1" }, { values: { installGatewayAPI: true } }), []);
  });

  it("is not missed where it is, where the charts bring it, or where nobody answers", async () => {
    assert.deepEqual(await warnings({}, { answer: has("httproutes", "grpcroutes") }), []);
    assert.deepEqual(await warnings({ version: "edge-25.9.3" }), []);
    assert.deepEqual(await warnings({}, { values: { installGatewayAPI: true } }), []);
    assert.deepEqual(await warnings({}, { values: { enableHttpRoutes: true } }), []);
    assert.equal((await warnings({}, { values: { installGatewayAPI: false } })).length, 1);
    assert.deepEqual(await warnings({}, { context: "nowhere" }), []);
  });

  it("is missed by the version that a directory of charts has", async () => {
    for (const [release, count] of [
      ["edge-26.6.3", 1],
      ["edge-23.4.3", 0],
    ] as const) {
      writeFileSync(join(charts, "linkerd-control-plane", "Chart.yaml"), `appVersion: ${release}\n`);
      assert.equal((await warnings({ source: charts })).length, count, release);
    }
  });
});
