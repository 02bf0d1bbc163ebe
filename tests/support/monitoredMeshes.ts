import { replacementThresholds, reloadThresholds } from "../../components/monitoring/certificateAlerts";
import { monitoredMesh } from "../../components/monitoring/monitoredMesh";
import type { RuleGroup } from "../../components/monitoring/rule";
import { meshRules, type MonitoredMesh } from "../../components/monitoring/rules";

export const HOUR = 3600;
export const DAY = 24 * HOUR;

/** When the certificates below were issued, in seconds since 1970. */
export const ISSUED = 1_800_000_000;

const RUNBOOK = { runbookUrl: "https://example.org/alerts" };
const ANCHOR = { what: "trust anchor 2026", lifetime: 3650 * DAY, notAfter: ISSUED + 3650 * DAY };
const WEBHOOK = { what: "linkerd-proxy-injector", lifetime: 365 * DAY, notAfter: ISSUED + 365 * DAY };

/** A mesh whose certificates nothing renews, with the guard. */
const GENERATED: MonitoredMesh = {
  ...RUNBOOK,
  known: [ANCHOR, WEBHOOK],
  renewed: [],
  issuer: replacementThresholds(365 * DAY),
  proxySeconds: DAY,
  guardMode: "deny",
};

const ISSUER_ROTATION = { duration: "48h", renewBefore: "25h" };

/** A mesh whose certificates cert-manager renews, with viz and a guard that only warns. */
const RENEWED: MonitoredMesh = {
  ...monitoredMesh(
    {
      certPems: {},
      rotation: {
        identity: ISSUER_ROTATION,
        webhooks: { caRotation: { duration: "8760h", renewBefore: "2160h" } },
      },
      viz: true,
    },
    "edge-26.6.3",
  ),
  ...RUNBOOK,
  known: [ANCHOR],
  issuer: reloadThresholds(ISSUER_ROTATION),
  guardMode: "warn",
};

/** The rules of each mesh. */
export const RULES: Readonly<Record<"generated" | "renewed", readonly RuleGroup[]>> = {
  generated: meshRules(GENERATED),
  renewed: meshRules(RENEWED),
};
