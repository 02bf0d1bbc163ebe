import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { NamespaceConfig } from "../../config/namespaces";
import { problems, read, Values } from "../support/readConfig";

const podSpec = { containers: [{ name: "users", image: "users:1" }] };

/** One namespace with these properties. */
const ROTATING = { certificates: "cert-manager" };
const namespaces = (properties: Values): Values => ({ namespaces: [{ name: "shop", ...properties }] });

/** One namespace with a workload that has these properties. */
const workload = (properties: Values, namespace: Values = {}): Values =>
  namespaces({ ...namespace, workloads: [{ name: "users", podSpec, ...properties }] });

describe("configuration of namespaces", () => {
  before(() =>
    pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "linkerd-mtls",
      "test",
    ),
  );

  const readOne = (values: Values, secretKeys: string[] = []): NamespaceConfig => {
    const [namespace] = read(values, secretKeys).namespaces;
    assert.ok(namespace);
    return namespace;
  };

  it("has every property", () => {
    const namespaceProxy = { opaquePorts: [3306, 4444], skipInboundPorts: ["4567-4568"], cpuLimit: 1 };
    const proxy = { cpuRatioLimit: 0.5, logLevel: "debug" };
    const ports = [
      { name: "http", port: 80, targetPort: "web" },
      { name: "metrics", port: 9090, targetPort: 9091 },
      { name: "admin", port: 81 },
    ];
    assert.deepEqual(
      readOne({
        cniEnabled: true,
        namespaces: [
          {
            name: "shop",
            existing: true,
            inject: "ingress",
            podSecurity: "restricted",
            proxy: namespaceProxy,
            workloads: [
              { name: "users", inject: "enabled", replicas: 0, ports, proxy, podSpec, drainSeconds: 20 },
              { name: "report", kind: "CronJob", schedule: "0 3 * * *", podSpec },
            ],
          },
        ],
      }),
      {
        name: "shop",
        existing: true,
        inject: "ingress",
        podSecurity: "restricted",
        proxy: namespaceProxy,
        workloads: [
          {
            name: "users",
            kind: "Deployment",
            inject: "enabled",
            replicas: 0,
            schedule: undefined,
            drainSeconds: 20,
            ports,
            proxy,
            podSpec,
          },
          {
            name: "report",
            kind: "CronJob",
            inject: undefined,
            replicas: undefined,
            schedule: "0 3 * * *",
            drainSeconds: undefined,
            ports: undefined,
            proxy: undefined,
            podSpec,
          },
        ],
        authorization: [],
      },
    );
  });

  it("leaves an existing namespace's annotation alone", () => {
    assert.equal(readOne(namespaces({})).inject, "enabled");
    assert.equal(readOne(namespaces({ existing: true })).inject, undefined);
  });

  it("takes equal workload names in two namespaces", () => {
    const workloads = [{ name: "users", podSpec }];
    const config = read({
      namespaces: [
        { name: "a", workloads },
        { name: "b", workloads },
      ],
    });
    assert.equal(config.namespaces.length, 2);
  });

  it("keeps a secret specification secret, and repeats nothing of it", async () => {
    const secret = ["linkerd-mtls:namespaces"];
    const [found] = readOne(workload({}), secret).workloads;
    assert.equal(await pulumi.isSecret(pulumi.output(found?.podSpec)), true);
    assert.match(
      problems(workload({ replicas: "s3cret" }), secret).join(),
      /^linkerd-mtls:namespaces\[0\]\.workloads\[0\]\.replicas must be .*, but is a secret of another form\n/,
    );
  });

  it("reports every problem of every namespace", () => {
    const set = (path: string, value: string): string =>
      `\n    pulumi config set --path 'linkerd-mtls:namespaces${path}' ${value}`;
    assert.deepEqual(
      problems({
        namespaces: [
          { name: "a", inject: "yes", proxy: { cpuRatioLimit: 0.5, opaquePorts: [3306, 0] } },
          { name: "b", podSecurity: "restricted", workloads: [{ name: "Users", podSpec }] },
        ],
      }),
      [
        'linkerd-mtls:namespaces[0].inject must be one of enabled, ingress, disabled, but is "yes"' +
          set("[0].inject", "enabled"),
        "linkerd-mtls:namespaces[0].proxy.cpuRatioLimit must be set on the workload, because pods do not inherit it from " +
          "their namespace, but is 0.5\n" +
          "    pulumi config rm --path 'linkerd-mtls:namespaces[0].proxy.cpuRatioLimit'",
        "linkerd-mtls:namespaces[0].proxy.opaquePorts[1] must be a port (1 to 65535) or a range such as " +
          '"4567-4568", but is 0' +
          set("[0].proxy.opaquePorts[1]", "4567"),
        'linkerd-mtls:namespaces[1].workloads[0].name must be a DNS label, as a string, but is "Users"' +
          set("[1].workloads[0].name", "<name>"),
        "linkerd-mtls:namespaces[1].podSecurity must be privileged where pods are injected without Linkerd's CNI plugin, " +
          'because the container linkerd-init needs NET_ADMIN and NET_RAW, but is "restricted"' +
          set("[1].podSecurity", "privileged") +
          "\n    pulumi config set linkerd-mtls:cniEnabled true    # once the plugin is installed",
      ],
    );
  });

  describe("pod security", () => {
    const level = { podSecurity: "baseline" };
    const refused = /^linkerd-mtls:namespaces\[0\]\.podSecurity must be privileged where pods are injected/;

    it("must let the pods in that a workload of its own wants injected", () => {
      const [problem, ...others] = problems(
        workload({ inject: "enabled" }, { ...level, inject: "disabled" }),
      );
      assert.match(problem ?? "", refused);
      assert.deepEqual(others, []);
    });

    it("may be any where the CNI plugin is installed, or nothing is injected", () => {
      assert.equal(readOne({ ...namespaces(level), cniEnabled: true }).podSecurity, "baseline");
      assert.equal(readOne(namespaces({ ...level, inject: "disabled" })).podSecurity, "baseline");
    });
  });

  const DISABLED =
    /must not be set where inject is disabled, because no proxy would read it, but is set\n {4}pulumi config rm/;
  const wrong: [title: string, values: Values, expected: RegExp][] = [
    ["namespaces that are no list", { namespaces: { name: "a" } }, /namespaces must be a list of namespaces/],
    ["a namespace that is no object", { namespaces: ["a"] }, /namespaces\[0\] must be an object of name/],
    [
      "an unknown property",
      namespaces({ labels: {} }),
      /namespaces\[0\]\.labels must be one of name, existing/,
    ],
    [
      "a name that is no label",
      namespaces({ name: "Shop" }),
      /\[0\]\.name must be a DNS label.* but is "Shop"/,
    ],
    [
      "a name that is a number",
      namespaces({ name: 1 }),
      /\[0\]\.name must be a DNS label, as a string, but is 1/,
    ],
    ["no name", namespaces({ name: undefined }), /\[0\]\.name must be a DNS label.* but is missing/],
    [
      "a name twice",
      { namespaces: [{ name: "a" }, { name: "a" }] },
      /namespaces\[1\]\.name must be unique, but is "a"/,
    ],
    ...["linkerd", "linkerd-viz", "kube-system", "cert-manager"].map((name): [string, Values, RegExp] => [
      `the namespace ${name}`,
      namespaces({ name, existing: true }),
      new RegExp(`\\[0\\]\\.name must be another namespace \\(.*\\), but is "${name}"`),
    ]),
    ...["default", "kube-public", "kube-node-lease"].map((name): [string, Values, RegExp] => [
      `the namespace ${name} that would be made`,
      namespaces({ name }),
      /existing must be true for default and kube-\*, which Kubernetes makes, but is false\n +pulumi config set --path 'linkerd-mtls:namespaces\[0\]\.existing' true$/,
    ]),
    [
      "the namespace of cert-manager",
      { ...namespaces({ name: "certs", existing: true }), ...ROTATING, certManager: { namespace: "certs" } },
      /\[0\]\.name must be another namespace \(it belongs to the key certManager\), but is "certs"/,
    ],
    [
      "the namespace of trust-manager",
      { ...namespaces({ name: "trust-manager" }), ...ROTATING, trustManager: { enabled: true } },
      /\[0\]\.name must be another namespace \(it belongs to the key trustManager\), but is "trust-manager"/,
    ],
    [
      "a namespace of a sample application",
      { ...namespaces({ name: "shop-users" }), sampleApplications: ["shop"] },
      /\[0\]\.name must be another namespace \(it belongs to a sample application\), but is "shop-users"/,
    ],
    ["existing that is no flag", namespaces({ existing: "yes" }), /\[0\]\.existing must be true or false/],
    [
      "another level",
      namespaces({ podSecurity: "high" }),
      /\[0\]\.podSecurity must be one of privileged, baseline/,
    ],
    [
      "settings that are no object",
      namespaces({ proxy: [] }),
      /\[0\]\.proxy must be an object of cpuRequest/,
    ],
    ["an unknown setting", namespaces({ proxy: { cpu: 1 } }), /\[0\]\.proxy\.cpu must be one of cpuRequest/],
    [
      "settings of a namespace that is not injected",
      namespaces({ inject: "disabled", proxy: { logLevel: "debug" } }),
      new RegExp(`\\[0\\]\\.proxy ${DISABLED.source}`),
    ],
    [
      "workloads that are no list",
      namespaces({ workloads: {} }),
      /\[0\]\.workloads must be a list of workloads/,
    ],
    [
      "a workload that is no object",
      namespaces({ workloads: [1] }),
      /workloads\[0\] must be an object of name, kind/,
    ],
    ["an unknown property", workload({ image: "x" }), /workloads\[0\]\.image must be one of name, kind/],
    [
      "a workload's name twice",
      namespaces({
        workloads: [
          { name: "a", podSpec },
          { name: "a", kind: "DaemonSet", podSpec },
        ],
      }),
      /workloads\[1\]\.name must be unique in its namespace, but is "a"/,
    ],
    [
      "a CronJob with a long name",
      workload({ name: "a".repeat(53), kind: "CronJob", schedule: "@daily" }),
      /\.name must have at most 52 characters for CronJob/,
    ],
    [
      "another kind",
      workload({ kind: "Pod" }),
      /\.kind must be one of Deployment, StatefulSet, DaemonSet, Job, CronJob/,
    ],
    [
      "another mode",
      workload({ inject: true }),
      /workloads\[0\]\.inject must be one of enabled, ingress, disabled/,
    ],
    [
      "a workload that leaves injection to an annotation that is not known",
      workload({}, { existing: true }),
      /workloads\[0\]\.inject must be set in an existing namespace without inject.* but is missing/,
    ],
    [
      "replicas of a DaemonSet",
      workload({ kind: "DaemonSet", replicas: 2 }),
      /\.replicas must be set only for Deployment, StatefulSet, but kind is DaemonSet\n {4}pulumi config rm --path/,
    ],
    [
      "ports of a Job",
      workload({ kind: "Job", ports: [{ name: "http", port: 80 }] }),
      /\.ports must be set only for Deployment, StatefulSet, DaemonSet, but kind is Job/,
    ],
    [
      "a schedule of a Deployment",
      workload({ schedule: "@daily" }),
      /\.schedule must be set only for CronJob, but kind is Deployment/,
    ],
    [
      "a drain of a CronJob",
      workload({ kind: "CronJob", schedule: "@daily", drainSeconds: 3 }),
      /\.drainSeconds must be set only for Deployment, StatefulSet, DaemonSet, but kind is CronJob/,
    ],
    [
      "a drain that takes the whole grace period",
      workload({ podSpec: { ...podSpec, terminationGracePeriodSeconds: 5 } }),
      /podSpec\.terminationGracePeriodSeconds must be longer than drainSeconds \(5\), which is part of it, but is 5\n {4}pulumi config set --path '.*\.podSpec\.terminationGracePeriodSeconds' 35\n {4}pulumi config set --path '.*\.drainSeconds' 0/,
    ],
    [
      "a CronJob without a schedule",
      workload({ kind: "CronJob" }),
      /\.schedule must be set for CronJob, but is missing\n {4}pulumi config set --path '.*\.schedule' '0 3 \* \* \*'/,
    ],
    [
      "a schedule of four fields",
      workload({ kind: "CronJob", schedule: "0 3 * *" }),
      /\.schedule must be a cron schedule such as "0 3 \* \* \*", but is "0 3 \* \*"/,
    ],
    [
      "a negative number of pods",
      workload({ replicas: -1 }),
      /\.replicas must be a whole number, 0 or more, but is -1/,
    ],
    ["ports that are no list", workload({ ports: 80 }), /\.ports must be a list of ports, but is 80/],
    [
      "a port that is no object",
      workload({ ports: [80] }),
      /\.ports\[0\] must be an object of name, port, targetPort/,
    ],
    [
      "a port without name",
      workload({ ports: [{ port: 80 }] }),
      /\.ports\[0\]\.name must be a DNS label, unique among the ports, but is missing/,
    ],
    [
      "a port's name twice",
      workload({
        ports: [
          { name: "http", port: 80 },
          { name: "http", port: 81 },
        ],
      }),
      /\.ports\[1\]\.name must be a DNS label, unique among the ports, but is "http"/,
    ],
    [
      "a port twice",
      workload({
        ports: [
          { name: "http", port: 80 },
          { name: "other", port: 80 },
        ],
      }),
      /\.ports\[1\]\.port must be a port, 1 to 65535, unique among the ports, but is 80/,
    ],
    [
      "a port that is none",
      workload({ ports: [{ name: "http", port: 65536 }] }),
      /\.ports\[0\]\.port must be a port, 1 to 65535, unique among the ports, but is 65536/,
    ],
    [
      "a target port that is none",
      workload({ ports: [{ name: "http", port: 80, targetPort: 0 }] }),
      /\.ports\[0\]\.targetPort must be a port, 1 to 65535, or the name of one, but is 0/,
    ],
    [
      "a workload's setting of a wrong kind",
      workload({ proxy: { cpuRatioLimit: 2 } }),
      /\.proxy\.cpuRatioLimit must be a number above 0 and at most 1, but is 2\n {4}pulumi config set --path '.*' 0\.5/,
    ],
    [
      "settings of a workload that is not injected",
      workload({ inject: "disabled", proxy: { logLevel: "debug" } }),
      new RegExp(`workloads\\[0\\]\\.proxy ${DISABLED.source}`),
    ],
    [
      "settings of a workload in a namespace that is not injected",
      workload({ proxy: { logLevel: "debug" } }, { inject: "disabled" }),
      new RegExp(`workloads\\[0\\]\\.proxy ${DISABLED.source}`),
    ],
    [
      "no specification",
      workload({ podSpec: undefined }),
      /\.podSpec must be a pod's specification with at least one container, but is missing/,
    ],
    [
      "a specification without containers",
      workload({ podSpec: { containers: [] } }),
      /\.podSpec must have at least one container, but containers is \[\]\n.*containers\[0\]\.name' <name>\n.*\.image' <image>/,
    ],
    [
      "a container without name",
      workload({ podSpec: { containers: [{ image: "x" }] } }),
      /\.podSpec\.containers\[0\]\.name must be the container's name, but is missing/,
    ],
    [
      "a container without image",
      workload({ podSpec: { containers: [...podSpec.containers, { name: "x" }] } }),
      /\.podSpec\.containers\[1\]\.image must be the container's image, but is missing/,
    ],
    [
      "a container that passes for the proxy",
      workload({ podSpec: { containers: [{ name: "linkerd-proxy", image: "x" }] } }),
      /\.podSpec\.containers\[0\]\.name must be another name where the pods are injected, because Linkerd's injector takes the container for a sidecar/,
    ],
    [
      "an init container that passes for the proxy",
      workload({ podSpec: { ...podSpec, initContainers: [{ name: "linkerd-proxy", image: "x" }] } }),
      /\.podSpec\.initContainers\[0\]\.name must be another name/,
    ],
    [
      "an init container that passes for Linkerd's",
      workload({ podSpec: { ...podSpec, initContainers: [{ name: "linkerd-init", image: "x" }] } }),
      /\.podSpec\.initContainers\[0\]\.name must be another name/,
    ],
    [
      "an image of a proxy",
      workload({ podSpec: { containers: [{ name: "x", image: "gcr.io/istio-release/proxyv2:1.26" }] } }),
      /\.podSpec\.containers\[0\]\.image must be another image .*\n.*\n.*workloads\[0\]\.inject' disabled/,
    ],
    [
      "pods on the host network",
      workload({ podSpec: { ...podSpec, hostNetwork: true } }),
      /\.podSpec\.hostNetwork must not be set where the pods are injected, .* passes over pods on the host network, but is true\n.*rm .*hostNetwork'\n.*inject' disabled/,
    ],
  ];
  for (const [title, values, expected] of wrong) {
    it(`refuses ${title}`, () => {
      const found = problems(values);
      assert.equal(found.length, 1, found.join("\n\n"));
      assert.match(found[0] ?? "", expected);
      assert.match(found[0] ?? "", /^linkerd-mtls:namespaces.*\n {4}pulumi config (set|rm) /);
    });
  }

  it("takes what the injector passes over where it is not injected", () => {
    const outside = { ...podSpec, hostNetwork: true, initContainers: [{ name: "linkerd-init", image: "x" }] };
    const [found] = readOne(workload({ inject: "disabled", podSpec: outside })).workloads;
    assert.deepEqual(found?.podSpec, outside);
  });

  it("takes an ordinary container called istio-init, which is no sidecar", () => {
    const spec = { containers: [{ name: "istio-init", image: "x" }] };
    const [found] = readOne(workload({ podSpec: spec })).workloads;
    assert.deepEqual(found?.podSpec, spec);
  });

  it("passes the rest of a specification through", () => {
    const whole = { ...podSpec, initContainers: [{ name: "wait", image: "x" }], hostname: "users" };
    const [found] = readOne(workload({ podSpec: whole })).workloads;
    assert.deepEqual(found?.podSpec, whole);
  });
});
