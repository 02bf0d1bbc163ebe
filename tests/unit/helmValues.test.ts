import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import {
  type ChartRules,
  type HelmValues,
  helmValueProblems,
  mergeValues,
} from "../../components/cluster/helmValues";
import { valueNames } from "../../components/cluster/valueNames";
import { describeFound } from "../../components/validation/problem";

const RULES: ChartRules = {
  chart: "web",
  owned: {
    "proxy.opaquePorts": "opaquePorts sets it",
    "labels.example/bundle": "it is reserved",
    tls: "fixed",
  },
  known: {
    release: "1.0",
    names: ["proxy.opaquePorts", "proxy.logLevel", "labels.*", "replicas", "tls.keyPEM", "ports"],
  },
};
const REMOTE = "https://charts.example.org";

/** Each problem as one line. */
function problemsOf(values: unknown, source = REMOTE, rules = RULES): string[] {
  return helmValueProblems(rules, source, values as HelmValues).map(({ path, rule, found, fixes }) => {
    assert.deepEqual(fixes, [{ remove: path }]);
    return `${path} ${rule}, but ${describeFound(found)}`;
  });
}

describe("values over a component's own", () => {
  it("may be whatever the chart names", () => {
    const values = {
      proxy: { logLevel: "debug" },
      labels: { "a.b/c": "d", "example/other": "e" },
      ports: [1, 2],
    };
    assert.deepEqual(problemsOf(values), []);
    assert.deepEqual(problemsOf({}), []);
    assert.deepEqual(problemsOf({ proxy: {} }), []);
  });

  it("are not what the component sets, nor anything beneath it", () => {
    assert.deepEqual(
      problemsOf({
        proxy: { opaquePorts: "25" },
        labels: { "example/bundle": "x" },
        tls: { keyPEM: { x: 1 } },
      }),
      [
        'proxy.opaquePorts must not be set here (opaquePorts sets it), but is "25"',
        'labels.example/bundle must not be set here (it is reserved), but is "x"',
        "tls.keyPEM.x must not be set here (fixed), but is 1",
      ],
    );
  });

  it("do not replace an object that holds what the component sets", () => {
    const rule = "must be an object, as in the chart's values.yaml";
    for (const proxy of ["x", [], false]) {
      assert.deepEqual(problemsOf({ proxy }), [`proxy ${rule}, but is ${JSON.stringify(proxy)}`]);
      assert.deepEqual(problemsOf({ proxy }, REMOTE, { ...RULES, known: undefined }).length, 1);
      assert.deepEqual(problemsOf({ proxy }, REMOTE, { ...RULES, owned: {} }).length, 1);
    }
  });

  it("are not what the chart does not name", () => {
    const rule = "must be a value of web in 1.0 (of a chart in a directory: its own), but is unknown";
    assert.deepEqual(
      problemsOf({ replica: 1, proxy: { logLevel: { x: 1 } }, "proxy.logLevel": "debug", more: {} }),
      [`replica ${rule}`, `proxy.logLevel.x ${rule}`, `["proxy.logLevel"] ${rule}`, `more ${rule}`],
    );
    // Helm checks them where the chart has a schema.
    assert.deepEqual(problemsOf({ replica: 1 }, REMOTE, { ...RULES, known: undefined }), []);
  });

  it("hold no private key, which is not repeated", () => {
    for (const kind of ["", "EC ", "RSA ", "ENCRYPTED "]) {
      assert.deepEqual(problemsOf({ labels: { a: `-----BEGIN ${kind}PRIVATE KEY-----\nMIG` } }), [
        "labels.a must not hold a private key, which Helm and Pulumi would keep in plaintext, but is a PEM block",
      ]);
    }
    assert.equal(problemsOf({ ports: ["-----BEGIN PRIVATE KEY-----"] }).length, 1);
    assert.deepEqual(problemsOf({ labels: { a: "-----BEGIN CERTIFICATE-----" } }), []);
  });

  it("are not null, which Helm would not see", () => {
    assert.deepEqual(problemsOf({ replicas: null }), [
      "replicas must not be null, which does not reach Helm, but is null",
    ]);
  });

  describe("of a chart in a directory", () => {
    let charts: string;

    before(() => {
      charts = mkdtempSync(join(tmpdir(), "charts-"));
      mkdirSync(join(charts, "web"));
    });
    after(() => {
      rmSync(charts, { recursive: true });
    });

    it("are those of its own values.yaml", () => {
      writeFileSync(join(charts, "web", "values.yaml"), "replica: 1\n");
      for (const directory of ["templates", join("charts", "shared", "templates")]) {
        mkdirSync(join(charts, "web", directory), { recursive: true });
        const name = directory.length;
        writeFileSync(join(charts, "web", directory, "web.yaml"), `{{ .Values.replica.x${name} }}`);
        assert.deepEqual(problemsOf({ replica: { [`x${name}`]: 2 } }, charts), []);
      }
      assert.deepEqual(problemsOf({ replica: 2 }, charts), []);
      assert.deepEqual(problemsOf({ replicas: 2 }, charts), [
        `replicas must be a value of the chart in ${join(charts, "web")}, but is unknown`,
      ]);
      assert.equal(problemsOf({ proxy: { opaquePorts: "25" } }, charts).length, 1);
    });

    it("are none where it has no values.yaml", () => {
      assert.equal(problemsOf({ replicas: 2 }, join(charts, "elsewhere")).length, 1);
    });

    it("are left to Helm where it has a schema", () => {
      writeFileSync(join(charts, "web", "values.schema.json"), "{}");
      assert.deepEqual(problemsOf({ other: 2 }, charts), []);
    });
  });

  it("win, with lists replaced and objects merged", () => {
    const own = { a: { b: 1, c: [1, 2], d: { e: 1 } }, f: 1 };
    assert.deepEqual(mergeValues(own, { a: { c: [3], d: { g: 2 } }, h: { i: 3 } }), {
      a: { b: 1, c: [3], d: { e: 1, g: 2 } },
      f: 1,
      h: { i: 3 },
    });
    assert.deepEqual(own, { a: { b: 1, c: [1, 2], d: { e: 1 } }, f: 1 });
  });
});

describe("names of values", () => {
  const namesIn = (values: string, templates = "", subchartTemplates = ""): string[] =>
    valueNames({ values, templates, subchartTemplates });

  it("are the paths in a values.yaml, also those in comments", () => {
    const text = `
# -- Usage: this is text
a: &a
  b: 1
  c: "" # what it is: a text
#d:
# e: "0 0 * * *"
f:
  # g:
#   h: false
# Note: nothing
i: []
j: *a
`;
    assert.deepEqual(namesIn(text), ["a.b", "a.c", "d.*", "e", "f.g.*", "i", "j.b", "j.c"]);
  });

  it("are also those that only a template uses, of a shared one as far as they concern the chart", () => {
    const templates = "{{ .Values.a.b }}{{- with $.Values.heartbeat.resources -}}{{ .Values.labels.x }}";
    const shared = '{{ include "x" .Values.a.env }}{{ .Values.other }}{{ .Values.ab }}';
    const names = ["a.b", "a.env.*", "heartbeat.resources.*", "labels.*"];
    assert.deepEqual(namesIn("a: { b: 1 }\nlabels: {}", templates, shared), names);
  });

  it("are free where the chart copies what it is given", () => {
    const text = `
podAnnotations: {}
nodeSelector: { kubernetes.io/os: linux }
args: { storage.path: /data }
securityContext: { runAsUser: 1 }
tolerations:
resources: { cpu: { limit: "" } }
`;
    assert.deepEqual(namesIn(text), [
      "args.*",
      "nodeSelector.*",
      "podAnnotations.*",
      "resources.cpu.limit",
      "securityContext.*",
      "tolerations.*",
    ]);
  });

  it("are those outside comments where a comment only looks like a name", () => {
    assert.deepEqual(namesIn("a:\n  - b\n  # c: 1\n  - d\n"), ["a"]);
  });
});
