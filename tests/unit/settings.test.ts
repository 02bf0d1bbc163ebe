import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import { CONTROL_PLANE_RULES } from "../../components/controlPlane/chartRules";
import { warnWithoutGatewayApi } from "../../components/controlPlane/gatewayApi";
import { settingsValues } from "../../components/controlPlane/settings";
import { VIZ_RULES } from "../../components/extensions/vizChartRules";
import { vizValues } from "../../components/extensions/vizValues";
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
  let server: Server;
  let groups: string[] = [];
  let charts: string;

  before(async () => {
    charts = mkdtempSync(join(tmpdir(), "charts-"));
    mkdirSync(join(charts, "linkerd-crds"));
    server = createServer((_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ kind: "APIGroupList", groups: groups.map((name) => ({ name })) }));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  after(async () => {
    rmSync(charts, { recursive: true });
    await new Promise((resolve) => server.close(resolve));
  });
  afterEach(() => pulumi.runtime.setMocks(NO_MOCKS, "linkerd-mtls", "test", false));

  const NO_MOCKS: pulumi.runtime.Mocks = { newResource: () => ({ id: "", state: {} }), call: () => ({}) };

  async function warnings(
    source: Parameters<typeof warnWithoutGatewayApi>[0],
    { preview = true, port = (server.address() as AddressInfo).port, values = {} } = {},
  ): Promise<string[]> {
    await pulumi.runtime.setMocks(NO_MOCKS, "linkerd-mtls", "test", preview);
    const kubeconfig = JSON.stringify({
      clusters: [
        { name: "c", cluster: { server: `http://127.0.0.1:${port}`, "insecure-skip-tls-verify": true } },
      ],
      contexts: [{ name: "c", context: { cluster: "c", user: "u" } }],
      users: [{ name: "u", user: {} }],
      "current-context": "c",
    });
    return warningsOf(() => warnWithoutGatewayApi(source, { kubeconfig }, values));
  }

  it("is missed in a preview, with the command that installs it", async () => {
    groups = ["apps"];
    assert.deepEqual(await warnings({ version: "edge-25.10.1" }), [
      "the cluster has no Gateway API (custom resource definitions of gateway.networking.k8s.io), which Linkerd's " +
        "charts have not installed since edge-25.10.1: `linkerd check` fails without it\n" +
        "    kubectl apply -f https://github.com/kubernetes-sigs/gateway-api/releases/download/v1.2.1/standard-install.yaml",
    ]);
    assert.equal((await warnings({})).length, 1);
    assert.deepEqual(await warnings({}, { preview: false }), []);
  });

  it("is not missed where it is, where the charts bring it, or where nobody answers", async () => {
    groups = ["apps", "gateway.networking.k8s.io"];
    assert.deepEqual(await warnings({}), []);
    groups = ["apps"];
    assert.deepEqual(await warnings({ version: "edge-25.9.4" }), []);
    assert.deepEqual(await warnings({}, { values: { installGatewayAPI: true } }), []);
    assert.deepEqual(await warnings({}, { values: { enableHttpRoutes: true } }), []);
    assert.equal((await warnings({}, { values: { installGatewayAPI: false } })).length, 1);
    assert.deepEqual(await warnings({}, { port: 1 }), []);
  });

  it("is missed by the version that a directory of charts has", async () => {
    groups = ["apps"];
    for (const [version, count] of [
      ["2026.8.3", 1],
      ["1.7.0-edge", 0],
    ] as const) {
      writeFileSync(join(charts, "linkerd-crds", "Chart.yaml"), `version: ${version}\n`);
      assert.equal((await warnings({ source: charts })).length, count, version);
    }
  });
});
