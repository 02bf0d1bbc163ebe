import assert from "node:assert/strict";

import { proxyAnnotations, proxySettingProblems } from "../../components/mesh/proxySettings";

describe("proxy settings", () => {
  it("are these annotations", () => {
    assert.deepEqual(
      proxyAnnotations({
        cpuRequest: "100m",
        cpuLimit: 1,
        memoryRequest: "20Mi",
        memoryLimit: "250Mi",
        logLevel: "warn,linkerd=info",
        opaquePorts: [3306, 4444],
        skipInboundPorts: ["4567-4568"],
        skipOutboundPorts: [4567, "5000-5001"],
        defaultInboundPolicy: "cluster-authenticated",
        nativeSidecar: false,
        await: true,
        shutdownGracePeriod: "30s",
        cpuRatioLimit: 0.5,
        closeWaitTimeout: "1m",
      }),
      {
        "config.linkerd.io/proxy-cpu-request": "100m",
        "config.linkerd.io/proxy-cpu-limit": "1",
        "config.linkerd.io/proxy-memory-request": "20Mi",
        "config.linkerd.io/proxy-memory-limit": "250Mi",
        "config.linkerd.io/proxy-log-level": "warn,linkerd=info",
        "config.linkerd.io/opaque-ports": "3306,4444",
        "config.linkerd.io/skip-inbound-ports": "4567-4568",
        "config.linkerd.io/skip-outbound-ports": "4567,5000-5001",
        "config.linkerd.io/default-inbound-policy": "cluster-authenticated",
        "config.beta.linkerd.io/proxy-enable-native-sidecar": "false",
        "config.linkerd.io/proxy-await": "enabled",
        "config.linkerd.io/shutdown-grace-period": "30s",
        "config.linkerd.io/proxy-cpu-ratio-limit": "0.5",
        "config.linkerd.io/close-wait-timeout": "1m",
      },
    );
    assert.deepEqual(proxyAnnotations({ logLevel: undefined }), {});
  });

  const right: Record<string, readonly unknown[]> = {
    cpuRequest: ["100m", "0.5", ".5", "1e3", 1, 0.5],
    memoryLimit: ["250Mi", "1G", "1073741824"],
    logLevel: ["warn", "warn,linkerd=info,[{name=inbound}]=trace"],
    opaquePorts: [[], [1], [65535], ["3306"], ["1-65535"], ["80-80"]],
    defaultInboundPolicy: [
      "all-unauthenticated",
      "all-authenticated",
      "cluster-unauthenticated",
      "cluster-authenticated",
      "deny",
      "audit",
    ],
    nativeSidecar: [true, false],
    await: [true, false],
    shutdownGracePeriod: ["30s", "1m30s", "500ms", "1.5h"],
    cpuRatioLimit: [1, 0.01],
    closeWaitTimeout: ["1m", "3600s", undefined],
  };
  for (const [setting, values] of Object.entries(right)) {
    it(`${setting} may be ${JSON.stringify(values)}`, () => {
      for (const value of values) {
        assert.deepEqual(proxySettingProblems({ [setting]: value }, "workload"), []);
      }
    });
  }

  const wrong: Record<string, readonly unknown[]> = {
    cpuRequest: ["", "1 core", "-1", "100mi", -1, NaN, null, ["1"]],
    memoryLimit: ["250MB", "1GiB", {}],
    logLevel: ["", " ", 1],
    opaquePorts: ["3306", 3306, [0], [65536], [1.5], ["mysql"], ["5-4"], ["1-2-3"], ["-1"], ["1-"], [null]],
    defaultInboundPolicy: ["allow", "", true],
    nativeSidecar: ["true", 1],
    await: ["enabled"],
    shutdownGracePeriod: ["30", "30 s", "", 30],
    cpuRatioLimit: [0, 1.1, "0.5"],
    closeWaitTimeout: ["soon"],
  };
  for (const [setting, values] of Object.entries(wrong)) {
    it(`${setting} may not be ${JSON.stringify(values)}`, () => {
      for (const value of values) {
        const problems = proxySettingProblems({ [setting]: value }, "workload");
        assert.deepEqual(
          problems.map(({ path }) => path.replace(/\[\d+\]$/, "")),
          [setting],
          JSON.stringify(value),
        );
      }
    });
  }

  it("name the item that is wrong", () => {
    assert.deepEqual(proxySettingProblems({ skipInboundPorts: [80, "443x"] }, "namespace"), [
      {
        path: "skipInboundPorts[1]",
        rule: 'must be a port (1 to 65535) or a range such as "4567-4568"',
        found: { value: "443x" },
        fixes: [{ set: "skipInboundPorts[1]", to: "4567" }],
      },
    ]);
  });

  it("are refused on a namespace where pods do not inherit them", () => {
    const rule = "must be set on the workload, because pods do not inherit it from their namespace";
    assert.deepEqual(
      proxySettingProblems({ cpuRatioLimit: 1, closeWaitTimeout: "1m", await: true }, "namespace"),
      [
        {
          path: "cpuRatioLimit",
          rule,
          found: { value: 1 },
          fixes: [{ remove: "cpuRatioLimit" }],
        },
        {
          path: "closeWaitTimeout",
          rule,
          found: { value: "1m" },
          fixes: [{ remove: "closeWaitTimeout" }],
        },
      ],
    );
  });

  it("are refused where they are unknown, and where no proxy reads them", () => {
    const [problem] = proxySettingProblems({ toString: "1" }, "workload");
    assert.equal(problem?.path, "toString");
    assert.match(problem.rule, /^must be one of cpuRequest, cpuLimit, .*, cpuRatioLimit, closeWaitTimeout$/);
    const [disabled] = proxySettingProblems({ await: true }, "workload", "disabled");
    assert.match(disabled?.rule ?? "", /^must not be set where inject is disabled/);
  });
});
