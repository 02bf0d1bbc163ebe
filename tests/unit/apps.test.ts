import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { Emojivoto } from "../../apps/emojivoto";
import { HelloWorld } from "../../apps/helloWorld";
import { Kuard } from "../../apps/kuard";
import { type SampleApplicationArgs } from "../../apps/sampleApplication";
import { Shop } from "../../apps/shop";
import { InjectionGate, MeshGuard } from "../../components";
import { namespaceMark } from "../support/mark";
import { record, type Recorded, type Recording } from "../support/recorder";

type Application = new (
  name: string,
  args: SampleApplicationArgs,
) => pulumi.ComponentResource & { readonly namespaces: pulumi.Output<string>[] };

const APPLICATIONS: Record<string, Application> = { HelloWorld, Emojivoto, Kuard, Shop };

function deploy(application: Application, cniEnabled?: boolean): Promise<Recording> {
  return record(
    () => {
      const gate = new InjectionGate("gate", { controlPlane: {}, cluster: {} });
      const guard = new MeshGuard("guard", { cluster: {} });
      return new application("app", {
        mesh: { cluster: {}, gate, guard, trustBundlePem: "bundle", cniEnabled },
      }).namespaces;
    },
    { live: { default: { metadata: { name: "default" } } } },
  );
}

interface Pod {
  readonly annotations: Readonly<Record<string, string>>;
  readonly serviceAccountName?: string;
  readonly containers: readonly Record<string, unknown>[];
}

interface Template {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: Pick<Pod, "serviceAccountName" | "containers">;
}

/** The pods of a Deployment, without what all of them have. */
function podOf(deployment: Recorded): Pod {
  const { template } = deployment.inputs.spec as { template: Template };
  return { ...template.spec, annotations: template.metadata.annotations };
}

const all = (recording: Recording, kind: string): Recorded[] =>
  recording.resources.filter(({ type }) => type.startsWith("kubernetes:") && type.endsWith(`:${kind}`));

/** `namespace/name`, sorted. */
const where = (resources: readonly Recorded[]): string[] =>
  resources
    .map(({ inputs }) => inputs.metadata as { name: string; namespace?: string })
    .map(({ name, namespace }) => (namespace === undefined ? name : `${namespace}/${name}`))
    .sort();

/** Ports of each Service, as `namespace/name:port->targetPort`. */
function portsOf(recording: Recording): string[] {
  return all(recording, "Service")
    .flatMap((service) => {
      const { ports } = service.inputs.spec as { ports: { port: number; targetPort?: number }[] };
      return ports.map(({ port, targetPort }) => `${where([service]).join()}:${port}->${targetPort ?? port}`);
    })
    .sort();
}

for (const [name, application] of Object.entries(APPLICATIONS)) {
  describe(name, () => {
    let recording: Recording;
    before(async () => {
      recording = await deploy(application);
    });

    it("asks the gate before each roll-out, and leaves the guard in place until its pods are gone", () => {
      const binding = recording.get("ValidatingAdmissionPolicyBinding", "guard-binding");
      const deployments = all(recording, "Deployment");
      assert.ok(deployments.length > 0);
      for (const deployment of deployments) {
        assert.deepEqual(deployment.hooks, { beforeCreate: ["gate"], beforeUpdate: ["gate"] });
        assert.ok(recording.isAfter(deployment, recording.get("RandomId", "gate-opened")), deployment.name);
        assert.ok(recording.isAfter(deployment, binding), deployment.name);
      }
    });
  });
}

/** Pods serve on until every client knows that they are gone. */
const DRAIN = { lifecycle: { preStop: { sleep: { seconds: 5 } } } };

describe("HelloWorld", () => {
  it("is hello, which calls world", async () => {
    const recording = await deploy(HelloWorld);
    assert.deepEqual(recording.outputs, ["hello-world"]);
    assert.deepEqual(where(all(recording, "Deployment")), ["hello-world/hello", "hello-world/world"]);
    assert.deepEqual(podOf(recording.get("Deployment", "hello-deployment")).containers, [
      {
        name: "hello",
        image: "buoyantio/helloworld:0.1.6",
        args: ["-addr=:7777", "-text=Hello", "-target=world:7778"],
        ports: [{ name: "http", containerPort: 7777 }],
        ...DRAIN,
      },
    ]);
    assert.deepEqual(portsOf(recording), ["hello-world/hello:7777->7777", "hello-world/world:7778->7778"]);
  });
});

describe("Emojivoto", () => {
  let recording: Recording;
  before(async () => {
    recording = await deploy(Emojivoto);
  });

  it("is a website, its two services and a program that votes, each with an identity of its own", () => {
    const names = ["emoji", "vote-bot", "voting", "web"].map((name) => `emojivoto/${name}`);
    assert.deepEqual(recording.outputs, ["emojivoto"]);
    assert.deepEqual(where(all(recording, "Deployment")), names);
    assert.deepEqual(where(all(recording, "ServiceAccount")), names);
    for (const name of ["emoji", "vote-bot", "voting", "web"]) {
      const pod = podOf(recording.get("Deployment", `emojivoto-${name}-deployment`));
      assert.equal(pod.serviceAccountName, name);
    }
    assert.deepEqual(portsOf(recording), [
      "emojivoto/emoji:8080->8080",
      "emojivoto/emoji:8801->8801",
      "emojivoto/voting:8080->8080",
      "emojivoto/voting:8801->8801",
      "emojivoto/web:80->8080",
    ]);
  });

  it("has each program find those that it calls", () => {
    const container = (name: string): unknown =>
      podOf(recording.get("Deployment", `emojivoto-${name}-deployment`)).containers[0];
    assert.deepEqual(container("web"), {
      name: "web",
      image: "docker.l5d.io/buoyantio/emojivoto-web:v11",
      env: [
        { name: "WEB_PORT", value: "8080" },
        { name: "EMOJISVC_HOST", value: "emoji.emojivoto:8080" },
        { name: "VOTINGSVC_HOST", value: "voting.emojivoto:8080" },
        { name: "INDEX_BUNDLE", value: "dist/index_bundle.js" },
      ],
      ports: [{ name: "http", containerPort: 8080 }],
      resources: { requests: { cpu: "100m" } },
      ...DRAIN,
    });
    assert.deepEqual(container("voting"), {
      name: "voting",
      image: "docker.l5d.io/buoyantio/emojivoto-voting-svc:v11",
      env: [
        { name: "GRPC_PORT", value: "8080" },
        { name: "PROM_PORT", value: "8801" },
      ],
      ports: [
        { name: "grpc", containerPort: 8080 },
        { name: "prom", containerPort: 8801 },
      ],
      resources: { requests: { cpu: "100m" } },
      ...DRAIN,
    });
    assert.deepEqual(container("vote-bot"), {
      name: "vote-bot",
      image: "docker.l5d.io/buoyantio/emojivoto-web:v11",
      command: ["emojivoto-vote-bot"],
      env: [{ name: "WEB_HOST", value: "web.emojivoto:80" }],
      ports: [],
      ...DRAIN,
      resources: { requests: { cpu: "10m" } },
    });
  });
});

describe("Kuard", () => {
  it("is meshed by its own annotation, in a namespace that it leaves alone", async () => {
    const recording = await deploy(Kuard);
    assert.deepEqual(recording.outputs, []);
    assert.deepEqual(all(recording, "Namespace"), []);
    assert.deepEqual(all(recording, "NamespacePatch"), []);
    assert.deepEqual(where(all(recording, "Deployment")), ["default/kuard"]);
    const { annotations, containers } = podOf(recording.get("Deployment", "kuard-deployment"));
    assert.equal(annotations["linkerd.io/inject"], "enabled");
    assert.deepEqual(containers, [
      {
        name: "kuard",
        image: "gcr.io/kuar-demo/kuard-amd64:blue",
        ports: [{ name: "http", containerPort: 8080 }],
        livenessProbe: { httpGet: { path: "/healthy", port: "http" } },
        readinessProbe: { httpGet: { path: "/ready", port: "http" } },
        ...DRAIN,
      },
    ]);
    assert.deepEqual(portsOf(recording), ["default/kuard:80->8080"]);
  });
});

describe("Shop", () => {
  let recording: Recording;
  before(async () => {
    recording = await deploy(Shop);
  });

  it("has each service in a meshed namespace of its own", () => {
    const meshed = ["shop-users", "shop-identity", "shop-web"];
    assert.deepEqual(recording.outputs, meshed);
    for (const namespace of meshed) {
      assert.deepEqual(recording.get("Namespace", `${namespace}-namespace`).inputs.metadata, {
        name: namespace,
        annotations: { "linkerd.io/inject": "enabled", ...namespaceMark(`${namespace}-namespace`) },
        labels: { "linkerd-mtls/guarded": "true" },
      });
    }
    assert.deepEqual(where(all(recording, "Deployment")), [
      "shop-identity/identity",
      "shop-ingress/nginx-ingress",
      "shop-users/users",
      "shop-web/web",
    ]);
    assert.deepEqual(portsOf(recording), [
      "shop-identity/identity:80->8080",
      "shop-ingress/nginx-ingress:443->443",
      "shop-ingress/nginx-ingress:80->80",
      "shop-users/users:80->8080",
      "shop-web/web:80->8080",
    ]);
  });

  it("has each service find those that it calls", () => {
    assert.deepEqual(podOf(recording.get("Deployment", "shop-web-deployment")).containers, [
      {
        name: "web",
        image: "mcr.microsoft.com/dotnet/samples:aspnetapp",
        env: [
          { name: "Services__users", value: "http://users.shop-users" },
          { name: "Services__identity", value: "http://identity.shop-identity" },
        ],
        ports: [{ name: "http", containerPort: 8080 }],
        ...DRAIN,
      },
    ]);
  });

  it("has its ingress controller meshed by the annotation of its pods", () => {
    assert.deepEqual(recording.get("Namespace", "shop-ingress-namespace").inputs.metadata, {
      name: "shop-ingress",
      annotations: namespaceMark("shop-ingress-namespace"),
    });
    const { annotations, serviceAccountName, containers } = podOf(
      recording.get("Deployment", "shop-ingress-deployment"),
    );
    assert.equal(annotations["linkerd.io/inject"], "ingress");
    assert.equal(serviceAccountName, "nginx-ingress");
    const [container] = containers;
    assert.equal(container?.image, "nginx/nginx-ingress:5.5.4");
    assert.deepEqual(container.args, [
      "-ingress-class=shop-ingress",
      "-enable-custom-resources=false",
      "-enable-leader-election=false",
      "-enable-snippets",
      "-enable-telemetry-reporting=false",
    ]);
  });

  it("lets the controller read what it serves before it starts", () => {
    const binding = recording.get("ClusterRoleBinding", "shop-ingress-binding");
    assert.deepEqual(binding.inputs.roleRef, {
      apiGroup: "rbac.authorization.k8s.io",
      kind: "ClusterRole",
      name: "shop-ingress",
    });
    assert.deepEqual(binding.inputs.subjects, [
      { kind: "ServiceAccount", name: "nginx-ingress", namespace: "shop-ingress" },
    ]);
    assert.ok(recording.isAfter(recording.get("Deployment", "shop-ingress-deployment"), binding));
    assert.deepEqual(recording.get("IngressClass", "shop-ingress-class").inputs.spec, {
      controller: "nginx.org/ingress-controller",
    });
  });

  it("is reached through web, whose endpoints the controller's proxy finds by a header", () => {
    const { metadata, spec } = recording.get("Ingress", "shop-web-ingress").inputs;
    assert.deepEqual(metadata, {
      name: "web",
      namespace: "shop-web",
      annotations: {
        "nginx.org/location-snippets": "proxy_set_header l5d-dst-override web.shop-web.svc.cluster.local:80;",
        "pulumi.com/skipAwait": "true",
      },
    });
    assert.deepEqual(spec, {
      ingressClassName: "shop-ingress",
      rules: [
        {
          host: "shop.example.com",
          http: {
            paths: [
              {
                path: "/",
                pathType: "Prefix",
                backend: { service: { name: "web", port: { number: 80 } } },
              },
            ],
          },
        },
      ],
    });
  });
});
