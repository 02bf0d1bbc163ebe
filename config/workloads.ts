import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import {
  INJECT_MODES,
  InjectMode,
  kindProblems,
  ProxySettings,
  ServicePort,
  WORKLOAD_KINDS,
  WorkloadKind,
} from "../components";
import { readProxySettings } from "./proxy";
import {
  ConfigReader,
  describe,
  DNS_LABEL,
  Expectation,
  isConfigSecret,
  isObject,
  NAMESPACE,
  oneOf,
  Properties,
  setCommand,
  text,
} from "./reader";

/** A workload of a namespace. */
export interface WorkloadConfig {
  /** Unique in its namespace. */
  readonly name: string;
  readonly kind: WorkloadKind;
  readonly inject?: InjectMode;
  readonly replicas?: number;
  readonly schedule?: string;
  readonly ports?: readonly ServicePort[];
  readonly proxy?: ProxySettings;
  /** A secret where the configuration is one. */
  readonly podSpec: pulumi.Input<k8s.types.input.core.v1.PodSpec>;
}

/** Properties of a workload. */
export const WORKLOAD_PROPERTIES = [
  "name",
  "kind",
  "inject",
  "replicas",
  "schedule",
  "ports",
  "proxy",
  "podSpec",
];

/** Longest name of a CronJob: its Jobs' names get 11 characters more. */
const MAX_CRON_JOB_NAME = 52;
const MAX_PORT = 65535;

const REPLICAS: Expectation<number> = {
  rule: "must be a whole number, 0 or more",
  example: "1",
  allows: (value): value is number => typeof value === "number" && Number.isInteger(value) && value >= 0,
};
const SCHEDULE = text(
  'must be a cron schedule such as "0 3 * * *"',
  /^(@[a-z]+|[^\s@]+( [^\s]+){4})$/,
  "'0 3 * * *'",
);
const PORT: Expectation<number> = {
  rule: `must be a port, 1 to ${MAX_PORT}`,
  example: "8080",
  allows: (value): value is number =>
    typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_PORT,
};
const TARGET_PORT: Expectation<number | string> = {
  rule: `${PORT.rule}, or the name of one`,
  example: PORT.example,
  allows: (value): value is number | string =>
    PORT.allows(value) || (typeof value === "string" && DNS_LABEL.test(value)),
};

/** One item of `workloads`, in a namespace that is injected as `namespaceInject` says. */
export function readWorkload(
  reader: ConfigReader,
  object: Properties,
  key: string,
  names: Set<string>,
  namespaceInject: InjectMode | undefined,
): WorkloadConfig {
  const kind = reader.property(object, key, "kind", oneOf(WORKLOAD_KINDS, "Deployment")) ?? "Deployment";
  const inject = reader.property(object, key, "inject", oneOf(INJECT_MODES, "enabled"));
  if (object.inject === undefined && namespaceInject === undefined) {
    const rule = "must be set in an existing namespace without inject, whose annotation is not known here";
    reader.invalid(`${key}.inject`, rule, undefined, "enabled");
  }
  for (const { property, rule } of kindProblems(kind, object)) {
    const path = `${key}.${property}`;
    if (object[property] === undefined) {
      reader.invalid(path, rule, undefined, SCHEDULE.example);
    } else {
      reader.superfluous(path, rule, `kind is ${kind}`);
    }
  }
  const workloadInject = inject ?? namespaceInject;
  return {
    name: readName(reader, object, key, names, kind),
    kind,
    inject,
    replicas: reader.property(object, key, "replicas", REPLICAS),
    schedule: reader.property(object, key, "schedule", SCHEDULE),
    ports: readPorts(reader, object.ports, `${key}.ports`),
    proxy: readProxySettings(reader, object.proxy, `${key}.proxy`, "workload", workloadInject),
    podSpec: readPodSpec(reader, object.podSpec, `${key}.podSpec`),
  };
}

function readName(
  reader: ConfigReader,
  { name }: Properties,
  key: string,
  names: Set<string>,
  kind: WorkloadKind,
): string {
  const path = `${key}.name`;
  if (typeof name !== "string" || !DNS_LABEL.test(name)) {
    reader.invalid(path, "must be a DNS label, as a string", name, "<name>");
    return key;
  }
  if (kind === "CronJob" && name.length > MAX_CRON_JOB_NAME) {
    reader.invalid(path, `must have at most ${MAX_CRON_JOB_NAME} characters for CronJob`, name, "<name>");
  }
  if (names.has(name)) {
    reader.invalid(path, "must be unique in its namespace", name, "<name>");
  }
  names.add(name);
  return name;
}

function readPorts(reader: ConfigReader, value: unknown, key: string): ServicePort[] | undefined {
  if (value === undefined) {
    return undefined;
  }
  const names = new Set<unknown>();
  const numbers = new Set<unknown>();
  return reader.list(value, key, "must be a list of ports", ".port", PORT.example).flatMap((item, index) => {
    const path = `${key}[${index}]`;
    const object = reader.object(item, path, ["name", "port", "targetPort"]);
    if (object === undefined) {
      return [];
    }
    const { name, port } = object;
    if (typeof name !== "string" || !DNS_LABEL.test(name) || names.has(name)) {
      reader.invalid(`${path}.name`, "must be a DNS label, unique among the ports", name, "http");
    }
    if (!PORT.allows(port) || numbers.has(port)) {
      reader.invalid(`${path}.port`, `${PORT.rule}, unique among the ports`, port, PORT.example);
    }
    names.add(name);
    numbers.add(port);
    const targetPort = reader.property(object, path, "targetPort", TARGET_PORT);
    return [{ name: String(name), port: Number(port), ...(targetPort !== undefined && { targetPort }) }];
  });
}

/** Checks what the mesh relies on; the rest is the API server's to check. */
function readPodSpec(reader: ConfigReader, value: unknown, key: string): WorkloadConfig["podSpec"] {
  const { containers, initContainers }: Properties = isObject(value) ? value : {};
  if (!Array.isArray(containers) || containers.length === 0) {
    const [rule, found] = isObject(value)
      ? ["must have at least one container", `containers is ${describe(key, containers)}`]
      : ["must be a pod's specification with at least one container", `is ${describe(key, value)}`];
    const path = `${key}.containers[0]`;
    const commands = [setCommand(`${path}.name`, "<name>"), setCommand(`${path}.image`, "<image>")];
    reader.problem(`${NAMESPACE}:${key}`, rule, found, ...commands);
    return { containers: [] };
  }
  checkContainers(reader, containers, `${key}.containers`);
  checkContainers(reader, Array.isArray(initContainers) ? initContainers : [], `${key}.initContainers`);
  // Of its form only the containers are checked.
  const podSpec = value as k8s.types.input.core.v1.PodSpec;
  return isConfigSecret(key.split("[", 1).join()) ? pulumi.secret(podSpec) : podSpec;
}

function checkContainers(reader: ConfigReader, containers: readonly unknown[], key: string): void {
  for (const [index, container] of containers.entries()) {
    const { name, image }: Properties = isObject(container) ? container : {};
    if (typeof name !== "string" || name === "") {
      reader.invalid(`${key}[${index}].name`, "must be the container's name", name, "<name>");
    } else if (name === "linkerd-proxy") {
      const rule = "must be another name (the injector and the guard take it for Linkerd's proxy)";
      reader.invalid(`${key}[${index}].name`, rule, name, "<name>");
    }
    if (typeof image !== "string" || image === "") {
      reader.invalid(`${key}[${index}].image`, "must be the container's image", image, "<image>");
    }
  }
}
