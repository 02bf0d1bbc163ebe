import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { configuration, manifests, namespaceNames } from "../../tools/bench/applications";
import { measurements } from "../../tools/bench/benchmark";
import { runChild } from "../../tools/bench/child";
import { replaceResults } from "../../tools/bench/documents";
import { podCreations, stateOf, sumOf } from "../../tools/bench/measure";
import { chart, draw } from "../../tools/bench/plot";
import { report } from "../../tools/bench/report";
import { Results } from "../../tools/bench/results";
import type { Row } from "../../tools/bench/rows";
import { median, summarize } from "../../tools/bench/summary";

/** A row in which nothing went wrong. */
function row(changes: Partial<Row>): Row {
  return {
    variant: "a",
    run: 1,
    namespaces: 1,
    deployments: 2,
    readyDelaySeconds: 0,
    podsWanted: 2,
    podsCreated: 2,
    podsEverUnmeshed: 0,
    podsUnmeshedAtEnd: 0,
    podsReadyAtEnd: 2,
    denials: 0,
    restarts: 0,
    wallSeconds: 10,
    apiRequests: 100,
    ...changes,
  };
}

const PROXY = { name: "linkerd-proxy" };
const APP = { name: "app" };
const SPEC = { containers: [{ name: "app", image: "registry.k8s.io/pause:3.10" }] };

describe("the applications of the benchmark", () => {
  it("are as many namespaces as asked for, by numbers of one width", () => {
    assert.deepEqual(namespaceNames({ namespaces: 2 }), ["bench-001", "bench-002"]);
    assert.equal(namespaceNames({ namespaces: 100 }).at(-1), "bench-100");
  });

  it("are the same for the program and for kubectl", () => {
    assert.deepEqual(configuration({ namespaces: 1, deployments: 2 }), [
      {
        name: "bench-001",
        workloads: [
          { name: "app-1", kind: "Deployment", podSpec: SPEC },
          { name: "app-2", kind: "Deployment", podSpec: SPEC },
        ],
      },
    ]);
    assert.equal(
      manifests({ namespaces: 1, deployments: 1 }),
      `apiVersion: v1
kind: Namespace
metadata:
  name: bench-001
  annotations:
    linkerd.io/inject: enabled
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-1
  namespace: bench-001
  labels:
    app.kubernetes.io/name: app-1
spec:
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: app-1
  template:
    metadata:
      labels:
        app.kubernetes.io/name: app-1
    spec:
      containers:
        - name: app
          image: registry.k8s.io/pause:3.10
`,
    );
  });
});

describe("the order of the measurements", () => {
  it("lets the variants take turns within each run of a case", () => {
    const one = { namespaces: 1, deployments: 5, readyDelaySeconds: 0 };
    const ten = { ...one, namespaces: 10 };
    const plan = { cases: [one, ten], variants: ["a", "b"], runs: 2 } as const;
    assert.deepEqual(
      measurements(plan).map(({ case: { namespaces }, run, variant }) => `${namespaces} ${run} ${variant}`),
      ["1 1 a", "1 1 b", "1 2 a", "1 2 b", "10 1 a", "10 1 b", "10 2 a", "10 2 b"],
    );
  });
});

describe("what is measured", () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "bench-"))));
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("counts the attempts to create pods of the applications in all files of the audit log", async () => {
    const event = (code: number, responseObject: object, changes: object = {}) =>
      JSON.stringify({
        requestURI: "/api/v1/namespaces/bench-001/pods",
        objectRef: { namespace: "bench-001" },
        responseStatus: { code },
        responseObject,
        ...changes,
      });
    const meshed = { spec: { containers: [PROXY, APP] } };
    const lines = [
      event(201, meshed),
      event(201, { spec: { containers: [APP], initContainers: [PROXY] } }),
      event(201, { spec: { containers: [APP] } }),
      event(403, { message: "denied" }),
      event(201, meshed, { objectRef: { namespace: "linkerd" } }),
      event(201, meshed, { objectRef: { namespace: "bench-001", subresource: "binding" } }),
      event(201, meshed, { requestURI: "/api/v1/namespaces/bench-001/pods?dryRun=All" }),
    ];
    writeFileSync(join(folder, "audit.log"), `${lines.join("\n")}\n`);
    writeFileSync(join(folder, "audit-2026-01-01T00-00-00.000.log"), `${event(500, {})}\n`);
    writeFileSync(join(folder, "kube-apiserver.log"), "no JSON\n");
    assert.deepEqual(await podCreations(folder), { podsCreated: 3, podsEverUnmeshed: 1, denials: 2 });
  });

  it("adds the requests of all labels and no other metric", () => {
    const metrics = [
      "# TYPE apiserver_request_total counter",
      'apiserver_request_total{code="200",verb="GET"} 12',
      'apiserver_request_total{code="201",verb="POST"} 1.5e+01',
      'apiserver_request_total_other{code="201"} 100',
    ];
    assert.equal(sumOf("apiserver_request_total", metrics.join("\n")), 27);
  });

  it("judges the applications' living pods at the end, and counts second ReplicaSets", () => {
    const metadata = { namespace: "bench-001" };
    const ready = { conditions: [{ type: "Ready", status: "True" }] };
    const pod = (containers: object[], changes: object = {}) =>
      ({ kind: "Pod", metadata, spec: { containers }, status: ready, ...changes }) as never;
    assert.deepEqual(
      stateOf([
        { kind: "Deployment", metadata },
        { kind: "ReplicaSet", metadata },
        { kind: "ReplicaSet", metadata },
        { kind: "ReplicaSet", metadata: { namespace: "linkerd" } },
        pod([PROXY, APP]),
        pod([APP], { status: { conditions: [{ type: "Ready", status: "False" }] } }),
        pod([APP], { metadata: { ...metadata, deletionTimestamp: new Date() } }),
        pod([APP], { metadata: { namespace: "linkerd" } }),
      ]),
      { podsUnmeshedAtEnd: 1, podsReadyAtEnd: 1, restarts: 1 },
    );
  });

  it("times a command, watches the memory of what it starts, and keeps its output", async () => {
    const log = join(folder, "log");
    const signal = new AbortController().signal;
    const options = { cwd: folder, log, signal, watchMemory: true };
    const { seconds, memoryMiB } = await runChild("bash", ["-c", "sleep 3; echo done"], options);
    assert(seconds >= 3 && seconds < 10, `${seconds} s`);
    assert(memoryMiB.self > 0);
    assert.deepEqual(Object.keys(memoryMiB.children), ["sleep"]);
  });

  it("ends a command with all that it started, and says that it was interrupted", async () => {
    const interruption = new AbortController();
    const options = { cwd: folder, log: join(folder, "log"), signal: interruption.signal };
    const running = runChild("bash", ["-c", "sleep 60; true"], options);
    setTimeout(() => {
      interruption.abort();
    }, 200);
    const began = performance.now();
    await assert.rejects(running, { name: "UserError", message: "the benchmark was interrupted" });
    assert(performance.now() - began < 5000);
  });

  it("fails with the last lines of a command that failed", async () => {
    const log = join(folder, "log");
    const options = { cwd: folder, log, signal: new AbortController().signal };
    await assert.rejects(runChild("bash", ["-c", "echo the reason; exit 3"], options), {
      name: "UserError",
      message: "bash ended with 3:\nthe reason",
      remedy: `see ${log}`,
    });
  });

  it("is kept after each measurement, and found again by the next benchmark only if asked", async () => {
    const file = join(folder, "results.json");
    await (await Results.open(false, file)).add(row({ run: 2, variant: "c" }));
    const what = {
      case: { namespaces: 1, deployments: 2, readyDelaySeconds: 0 },
      run: 2,
      variant: "c",
    } as const;
    const continued = await Results.open(true, file);
    assert.deepEqual(continued.find(what), row({ run: 2, variant: "c" }));
    assert.equal(continued.find({ ...what, run: 1 }), undefined);
    assert.equal(continued.find({ ...what, variant: "d" }), undefined);
    for (const change of [{ namespaces: 2 }, { deployments: 3 }, { readyDelaySeconds: 10 }]) {
      assert.equal(continued.find({ ...what, case: { ...what.case, ...change } }), undefined);
    }
    assert.equal((await Results.open(false, file)).find(what), undefined);
  });
});

describe("what is reported", () => {
  const rows = [
    row({ wallSeconds: 12, previewSeconds: 5, programMemoryMiB: 200, engineMemoryMiB: 300 }),
    row({
      wallSeconds: 9,
      run: 2,
      apiRequests: 120,
      previewSeconds: 6,
      programMemoryMiB: 200,
      engineMemoryMiB: 310,
    }),
    row({ variant: "b", podsCreated: 4, podsEverUnmeshed: 1, restarts: 2, wallSeconds: 20 }),
    row({ variant: "d", podsUnmeshedAtEnd: 2, denials: 3, readyDelaySeconds: 10 }),
  ];

  it("has the middle value, or the mean of the two in the middle", () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 10, 2]), 3);
    assert.throws(() => median([]));
  });

  it("compares medians within a case", () => {
    assert.deepEqual(
      summarize(rows).map(({ variant, wallSeconds, toB, toC }) => ({ variant, wallSeconds, toB, toC })),
      [
        { variant: "a", wallSeconds: 10.5, toB: 0.525, toC: undefined },
        { variant: "b", wallSeconds: 20, toB: 1, toC: undefined },
        { variant: "d", wallSeconds: 10, toB: undefined, toC: undefined },
      ],
    );
  });

  it("has the smaller cases first, in whatever order they were measured", () => {
    const sizes = [
      { namespaces: 100, readyDelaySeconds: 0 },
      { namespaces: 1, readyDelaySeconds: 10 },
      { namespaces: 10, readyDelaySeconds: 0 },
    ];
    const order = summarize(sizes.map((size) => row(size))).map(({ case: each }) => [
      each.readyDelaySeconds,
      each.namespaces,
    ]);
    assert.deepEqual(order, [
      [0, 10],
      [0, 100],
      [10, 1],
    ]);
  });

  it("is a table per ready delay, and one of what only the program has", () => {
    const header =
      "| Namespaces | Variant | Wall time, s | to (b) | to (c) | Pods created per pod wanted | Pods ever unmeshed | " +
      "Unmeshed at the end | Ready at the end | Restarts | Refusals | API requests | Runs |\n" +
      "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
    assert.equal(
      report(summarize(rows)),
      "### Pods that become ready at once\n\n" +
        header +
        "| 1 | (a) this program, state in files | 10.5 (9.0 to 12.0) | 0.53 |  | 1.00 | 0 | 0 | 2 of 2 | 0 | 0 | 110 (100 to 120) | 2 |\n" +
        "| 1 | (b) script: helm --wait, then restart | 20.0 | 1.00 |  | 2.00 | 1 | 0 | 2 of 2 | 2 | 0 | 100 | 1 |\n\n" +
        "### Pods that become ready after 10 s\n\n" +
        header +
        "| 1 | (d) script: no wait, then restart | 10.0 |  |  | 1.00 | 0 | 2 | 2 of 2 | 0 | 3 | 100 | 1 |\n\n" +
        "### More on this program\n\n" +
        "- (a): Pulumi's `file://` backend, as in the sandbox: concerns who keeps the state in files, on S3 or the like.\n\n" +
        "| Variant | Namespaces | Pods ready after, s | Preview without changes, s | Memory of the program, MiB | Memory of the engine, MiB |\n" +
        "| --- | --- | --- | --- | --- | --- |\n" +
        "| (a) | 1 | 0 | 5.5 (5.0 to 6.0) | 200 | 305 (300 to 310) |",
    );
  });

  it("is drawn with a bar per variant and a point per run", async () => {
    const svg = await draw(chart(rows));
    assert.match(svg, /^<svg /);
    assert.equal(svg.match(/aria-roledescription="bar"/g)?.length, 3);
    assert.equal(svg.match(/aria-roledescription="point"/g)?.length, 4);
    assert.match(svg, /pods ready after 10 s/);
    assert.match(svg, /Median of seconds: 10\.5|seconds: 10\.5/);
  });

  it("replaces what is between the markers of the page, and nothing else", () => {
    const begin = "<!-- results: written by npm run bench -- --write-docs -->";
    const end = "<!-- end of results -->";
    assert.equal(
      replaceResults(`before\n${begin}\nold\n${end}\nafter`, "new"),
      `before\n${begin}\n\nnew\n\n${end}\nafter`,
    );
    assert.throws(() => replaceResults(`${end}${begin}`, "new"), { name: "UserError" });
    assert.throws(() => replaceResults("nothing", "new"), { name: "UserError" });
  });
});
