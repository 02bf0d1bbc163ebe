import assert from "node:assert/strict";

import { dashboard } from "../../components/monitoring/dashboard";
import { GENERATED_SCENARIOS, RENEWED_SCENARIOS } from "../support/alertScenarios";
import { healthySeries } from "../support/meshSeries";
import { DAY, ISSUED, RULES } from "../support/monitoredMeshes";
import { promtool, type Scenario } from "../support/promtool";

const SCENARIOS = { generated: GENERATED_SCENARIOS, renewed: RENEWED_SCENARIOS };
const MESHES = ["generated", "renewed"] as const;

const MONTH_DAYS = 31;
const STEP = 300;

describe("the alerts", () => {
  for (const mesh of MESHES) {
    it(`fire when they must, and no other does, on a mesh with ${mesh} certificates`, async () => {
      await promtool(RULES[mesh], SCENARIOS[mesh]);
    });

    const days = (count: number): Scenario => ({
      title: `${count} days`,
      start: ISSUED,
      interval: "5m",
      series: healthySeries(mesh === "renewed", ISSUED, STEP, (count * DAY) / STEP),
      at: `${count}d`,
      firing: {},
      ever: true,
    });

    it(`do not fire in a month of rotations on a healthy mesh with ${mesh} certificates`, async () => {
      await promtool(RULES[mesh], [days(MONTH_DAYS)], "15m");
    });

    // Or the month would prove nothing.
    it(`fire when on one of two days a proxy does not renew, on a mesh with ${mesh} certificates`, async () => {
      const two = days(2);
      const series = two.series.map((each) =>
        each.series.startsWith("identity_cert_expiration") && each.series.includes("web-1")
          ? { ...each, values: `${ISSUED + DAY}+0x${(2 * DAY) / STEP}` }
          : each,
      );
      const firing = {
        "LinkerdProxyCertificateExpiring warning": 1,
        "LinkerdProxyCertificateExpiring critical": 1,
      };
      await promtool(RULES[mesh], [{ ...two, series, firing }], "15m");
    });
  }

  it("have a dashboard whose queries Prometheus understands", async () => {
    const { panels } = JSON.parse(dashboard()) as {
      readonly panels: readonly { readonly targets: readonly { readonly expr: string }[] }[];
    };
    const queries = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    const rules = queries.map((expr, index) => ({ record: `panel:${index}`, expr, labels: {} }));
    await promtool([{ name: "dashboard", rules }], []);
  });

  it("were all seen to fire", () => {
    const made = MESHES.flatMap((mesh) => RULES[mesh])
      .flatMap(({ rules }) => rules)
      .flatMap((rule) => ("alert" in rule ? [`${rule.alert} ${rule.labels.severity}`] : []));
    const fired = MESHES.flatMap((mesh) => SCENARIOS[mesh]).flatMap(({ firing }) => Object.keys(firing));
    assert.deepEqual([...new Set(made)].sort(), [...new Set(fired)].sort());
  });
});
