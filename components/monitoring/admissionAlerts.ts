import { GuardMode, GUARD_NAMES } from "../injection/meshGuard";
import { AlertRule, Alerts, grown } from "./rule";

/** Names of Linkerd's and viz's webhooks, as a regular expression. */
const WEBHOOKS = 'name=~".+[.]linkerd[.]io"';

/** The guard's policies, as a regular expression. */
const GUARD = `policy=~"${GUARD_NAMES.join("|")}"`;

/**
 * A controller asks for a pod again and again while the guard refuses it. One or two refusals, in a roll-out of the control
 * plane, are normal.
 */
const MOST_DENIALS = 5;

/** Alerts of webhooks that do not answer, and of what the guard does then, from the API server's own metrics. */
export function admissionAlerts(alerts: Alerts, guardMode: GuardMode): AlertRule[] {
  return [
    alerts.rule(
      {
        alert: "LinkerdWebhookFailingOpen",
        summary: "A webhook of Linkerd does not answer, and objects are accepted without it.",
        description:
          "The API server got no answer from {{ $labels.name }} in the last 10 minutes, and accepted the objects as its failure policy Ignore says: pods without a proxy, unless the guard refuses them, or policies that nobody checked.",
      },
      // With the guard no pod is outside the mesh for this.
      guardMode === "deny" ? "warning" : "critical",
      `sum by (name) ${grown(`apiserver_admission_webhook_fail_open_count{${WEBHOOKS}}`, "10m")}`,
      "",
    ),
    alerts.rule(
      {
        alert: "LinkerdWebhookRefusing",
        summary: "A webhook of Linkerd does not answer, and objects are refused.",
        description:
          "The API server got no answer from {{ $labels.name }} in the last 10 minutes, and refused the objects as its failure policy Fail says: new pods wait.",
      },
      "critical",
      `sum by (name) ${grown(`apiserver_admission_webhook_rejection_count{${WEBHOOKS},error_type="calling_webhook_error"}`, "10m")}`,
      // The first moments of a roll-out of the control plane.
      "2m",
    ),
    guardMode === "deny" ? denying(alerts) : lettingThrough(alerts, guardMode),
  ];
}

function denying(alerts: Alerts): AlertRule {
  const denials = `apiserver_validating_admission_policy_check_total{${GUARD},enforcement_action="deny"}`;
  return alerts.rule(
    {
      alert: "LinkerdGuardDenying",
      summary: "The guard keeps refusing pods, because they get no proxy.",
      description:
        "The guard refused pods {{ $value | humanize }} times in the last 15 minutes: the proxy injector does not answer, and pods wait for it.",
    },
    "critical",
    `sum(increase(${denials}[15m])) > ${MOST_DENIALS}`,
  );
}

function lettingThrough(alerts: Alerts, mode: Exclude<GuardMode, "deny">): AlertRule {
  const checks = `apiserver_validating_admission_policy_check_total{${GUARD},enforcement_action="${mode}"}`;
  return alerts.rule(
    {
      alert: "LinkerdGuardLettingThrough",
      summary: "Pods that should be meshed were created without a proxy.",
      description: `Pods got no proxy in the last 15 minutes, and the guard, in mode ${mode}, let them through. They stay outside the mesh until they are recreated.`,
    },
    "critical",
    `sum(${grown(checks, "15m")}) > 0`,
    "",
  );
}
