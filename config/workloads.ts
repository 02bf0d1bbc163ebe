import { InjectMode, ProxySettings, ServicePort, Workload } from "../components";
import {
  DNS_LABEL,
  DRAIN_SECONDS,
  drainProblems,
  INJECT_MODE,
  invalid,
  isServing,
  kindProblems,
  passedOverProblems,
  proxySettingProblems,
  REPLICAS,
  SCHEDULE,
  servicePortProblems,
  text,
  within,
  WORKLOAD_KIND,
} from "../components/rules";
import { readPodSpec } from "./podSpec";
import { checked, elsewhere, object, Place, requiredText, value } from "./reading";

/** Longest name of a CronJob: its Jobs' names get 11 characters more. */
const CRON_JOB_NAME = text("must have at most 52 characters for CronJob", /^.{1,52}$/, "<name>");

const readProperties = object({
  name: requiredText(DNS_LABEL),
  kind: value(WORKLOAD_KIND),
  inject: value(INJECT_MODE),
  replicas: value(REPLICAS),
  schedule: value(SCHEDULE),
  drainSeconds: value(DRAIN_SECONDS),
  ports: checked<readonly ServicePort[]>(servicePortProblems),
  proxy: elsewhere,
  podSpec: readPodSpec,
});

/** A workload of a namespace that is injected as `namespaceInject` says. */
export function readWorkload(place: Place, namespaceInject: InjectMode | undefined): Workload | undefined {
  const properties = readProperties(place);
  if (properties === undefined) {
    return undefined;
  }
  const { kind = "Deployment", name } = properties;
  const inject = place.at("inject");
  if (inject.value === undefined && namespaceInject === undefined) {
    const rule = "must be set in an existing namespace without inject, whose annotation is not known here";
    inject.report(invalid("", { ...INJECT_MODE, rule }, undefined));
  }
  // What has another form is a problem already, but it is set.
  place.report(
    ...kindProblems(kind, {
      replicas: place.at("replicas").value,
      ports: place.at("ports").value,
      schedule: place.at("schedule").value,
      drainSeconds: place.at("drainSeconds").value,
    }),
  );
  if (kind === "CronJob" && name !== place.at("name").path && !CRON_JOB_NAME.allows(name)) {
    place.report(invalid("name", CRON_JOB_NAME, name));
  }
  const mode = properties.inject ?? namespaceInject;
  if (mode !== "disabled") {
    const outside = { set: inject.path, to: "disabled", note: "where the pods need no proxy" };
    place.reportWithFixes([outside], ...within("podSpec", passedOverProblems(place.at("podSpec").value)));
    if (isServing(kind)) {
      place.report(...drainProblems(place.at("podSpec").value, properties.drainSeconds));
    }
  }
  return { ...properties, kind, proxy: readProxySettings(place.at("proxy"), "workload", mode) };
}

/** Settings of proxies. Pods of a workload have every setting, a namespace only those that pods inherit. */
export function readProxySettings(
  place: Place,
  scope: "namespace" | "workload",
  inject: InjectMode | undefined,
): ProxySettings | undefined {
  return checked<ProxySettings>((settings) => proxySettingProblems(settings, scope, inject))(place);
}
