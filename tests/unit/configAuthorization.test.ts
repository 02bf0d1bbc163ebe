import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";

import { Authorization } from "../../components";
import { problems, read, Values } from "../support/readConfig";

const podSpec = { containers: [{ name: "users", image: "users:1" }] };
const from = { namespaces: ["web"] };

/** One namespace with these authorizations. */
const shop = (authorization: unknown, properties: Values = {}): Values => ({
  namespaces: [{ name: "shop", authorization, ...properties }],
});

describe("configuration of authorization", () => {
  before(() =>
    pulumi.runtime.setMocks(
      { newResource: () => ({ id: "", state: {} }), call: () => ({}) },
      "linkerd-mtls",
      "test",
    ),
  );

  const readAll = (values: Values): readonly Authorization[] =>
    read(values).namespaces[0]?.authorization ?? [];

  const protocols = (values: Values): unknown[] => readAll(values).map(({ protocol }) => protocol);

  it("has every property", () => {
    const clients = { namespaces: ["web"], serviceAccounts: ["web/web"], networks: ["10.0.0.0/8", "::/0"] };
    assert.deepEqual(
      readAll(
        shop([
          { workload: "users", port: 8080, protocol: "gRPC", from: clients },
          { port: "metrics", from: { networks: ["10.0.0.0/8"], namespaces: [] } },
        ]),
      ),
      [
        { workload: "users", port: 8080, protocol: "gRPC", clients },
        { workload: undefined, port: "metrics", protocol: undefined, clients: { networks: ["10.0.0.0/8"] } },
      ],
    );
  });

  it("takes a port for opaque that is opaque for the pods, unless it says otherwise", () => {
    const ports = [3306, 4444, 4567, 8080, "mysql"].map((port) => ({ workload: "db", port, from }));
    const workloads = (proxy: Values): Values => ({ workloads: [{ name: "db", proxy, podSpec }] });
    const opaque = (...which: number[]) =>
      ports.map(({ port }) => (which.includes(Number(port)) ? "opaque" : undefined));

    assert.deepEqual(protocols(shop(ports)), opaque(3306, 4444), "those of the chart");
    assert.deepEqual(protocols({ opaquePorts: [8080], ...shop(ports) }), opaque(8080), "those of the mesh");
    const proxy = { opaquePorts: ["4567-4568", 3306] };
    const ofNamespace = { opaquePorts: [8080], ...shop(ports, { proxy }) };
    assert.deepEqual(protocols(ofNamespace), opaque(3306, 4567), "those of the namespace");
    const ofWorkload = shop(ports, { proxy, ...workloads({ opaquePorts: [8080] }) });
    assert.deepEqual(protocols(ofWorkload), opaque(8080), "those of the workload");
    assert.deepEqual(protocols(shop([{ port: 3306, protocol: "TLS", from }])), ["TLS"]);
  });

  it("takes one port of different workloads, and one workload's different ports", () => {
    const items = [
      { workload: "a", port: 80, from },
      { workload: "b", port: 80, from },
      { workload: "a", port: 81, from },
      { port: 82, from },
      { workload: "a", port: "http", from },
      { workload: "a", port: "http-alt", from },
    ];
    assert.equal(readAll(shop(items)).length, 6);
  });

  it("takes it where only the pods' own annotation injects", () => {
    const injected = { inject: "disabled", workloads: [{ name: "users", inject: "enabled", podSpec }] };
    assert.equal(readAll(shop([{ port: 80, from }], injected)).length, 1);
    assert.equal(readAll(shop([{ port: 80, from }], { existing: true })).length, 1);
  });

  it("reports every problem", () => {
    const key = "linkerd-mtls:namespaces[0].authorization";
    const set = (path: string, value: string): string =>
      `\n    pulumi config set --path '${key}${path}' ${value}`;
    const rm = (path: string): string => `\n    pulumi config rm --path '${key}${path}'`;
    const port = "must be a container's port, 1 to 65535, or its name";
    const only = "must be the only item for its port and pods (one from has all clients)";
    const some = "must name at least one client in namespaces, serviceAccounts, networks";
    assert.deepEqual(
      problems(
        shop([
          { workload: "Users", port: 0, protocol: "http", from: { pods: ["a"] } },
          { workload: "a", port: 80, from: {} },
          { workload: "a", port: 80, from },
          { port: 80 },
          { port: "web", from: { namespaces: "web" } },
          { port: 81, from: { namespaces: [1], serviceAccounts: ["web"], networks: ["10.0.0.0/40"] } },
          "users",
        ]),
      ),
      [
        `${key}[0].port ${port}, but is 0${set("[0].port", "8080")}`,
        `${key}[0].workload must be a value of the label app.kubernetes.io/name, as a string, but is "Users"${set("[0].workload", "<name>")}`,
        `${key}[0].protocol must be one of unknown, HTTP/1, HTTP/2, gRPC, opaque, TLS, but is "http"${set("[0].protocol", "opaque")}`,
        `${key}[0].from.pods must be one of namespaces, serviceAccounts, networks, but is unknown${rm("[0].from.pods")}`,
        `${key}[0].from ${some}, but is {"pods":["a"]}${set("[0].from.namespaces[0]", "shop")}`,
        `${key}[1].from ${some}, but is {}${set("[1].from.namespaces[0]", "shop")}`,
        `${key}[2] ${only}, but port 80 is in an item before${rm("[2]")}`,
        `${key}[3].from ${some}, but is missing${set("[3].from.namespaces[0]", "shop")}`,
        `${key}[3] ${only}, but port 80 is in an item before${rm("[3]")}`,
        `${key}[4].from.namespaces must be a list, but is "web"${set("[4].from.namespaces[0]", "shop")}`,
        `${key}[5].from.namespaces[0] must be the name of a namespace, but is 1${set("[5].from.namespaces[0]", "shop")}`,
        `${key}[5].from.serviceAccounts[0] must be <namespace>/<service account>, but is "web"${set("[5].from.serviceAccounts[0]", "shop/web")}`,
        `${key}[5].from.networks[0] must be a network in CIDR notation, but is "10.0.0.0/40"${set("[5].from.networks[0]", "10.0.0.0/8")}`,
        `${key}[6] must be an object of port, workload, protocol, from, but is "users"${set("[6].port", "<value>")}`,
      ],
    );
  });

  it("is refused where two items would be the same object", () => {
    const same = (one: Values, other: Values): string[] =>
      problems(
        shop([
          { ...one, from },
          { ...other, from },
        ]),
      );
    const rule =
      "linkerd-mtls:namespaces[0].authorization[1] must have a workload and a port that give a name of their own " +
      "(<workload>-<port>, or all-<port>), but an item before has";
    const rm = "\n    pulumi config rm --path 'linkerd-mtls:namespaces[0].authorization[1]'";
    assert.deepEqual(same({ workload: "web-http", port: "alt" }, { workload: "web", port: "http-alt" }), [
      `${rule} web-http-alt too${rm}`,
    ]);
    assert.deepEqual(same({ port: "web-alt" }, { workload: "all-web", port: "alt" }), [
      `${rule} all-web-alt too${rm}`,
    ]);
  });

  it("is refused where no proxy would enforce it", () => {
    assert.deepEqual(problems(shop([{ port: 80, from }], { inject: "disabled" })), [
      "linkerd-mtls:namespaces[0].authorization must be set only where pods are injected, because a proxy enforces it, " +
        "but inject is disabled\n    pulumi config rm --path 'linkerd-mtls:namespaces[0].authorization'",
    ]);
  });
});
