import {
  ControlPlaneSettings,
  isPortList,
  PORT_LIST,
  PortRange,
  ProxyInitSettings,
  WEBHOOK_FAILURE_POLICIES,
  wrongPort,
} from "../components";
import { ConfigReader, describe, DNS_NAME, FLAG, NAMESPACE, oneOf, setCommand, text } from "./reader";

const REGISTRY = text(
  "must be a registry and a path, without scheme and tag",
  /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*$/,
  "registry.example.org/linkerd",
);
const SECRET_NAME = text("must be a Secret's name", DNS_NAME, "registry");
const PROXY_INIT = ["iptablesMode", "runAsRoot", "ignoreInboundPorts", "ignoreOutboundPorts"];

/** The keys that choose the control plane's values; what is not set is as the chart has it. */
export function readControlPlane(reader: ConfigReader): ControlPlaneSettings {
  const imagePullSecrets = reader.json("imagePullSecrets");
  return {
    highAvailability: reader.flag("highAvailability"),
    webhookFailurePolicy: reader.oneOf("webhookFailurePolicy", WEBHOOK_FAILURE_POLICIES, "Ignore"),
    opaquePorts: readPorts(reader, reader.json("opaquePorts"), "opaquePorts"),
    proxyInit: readProxyInit(reader),
    imageRegistry: reader.value("imageRegistry", reader.text("imageRegistry"), REGISTRY),
    imagePullSecrets: readSecretNames(reader, imagePullSecrets),
  };
}

function readProxyInit(reader: ConfigReader): ProxyInitSettings | undefined {
  const key = "proxyInit";
  const object = reader.object(reader.json(key) ?? {}, key, PROXY_INIT) ?? {};
  const settings: ProxyInitSettings = {
    iptablesMode: reader.property(object, key, "iptablesMode", oneOf(["legacy", "nft"], "nft")),
    runAsRoot: reader.property(object, key, "runAsRoot", FLAG),
    ignoreInboundPorts: readPorts(reader, object.ignoreInboundPorts, `${key}.ignoreInboundPorts`),
    ignoreOutboundPorts: readPorts(reader, object.ignoreOutboundPorts, `${key}.ignoreOutboundPorts`),
  };
  return Object.values(settings).some((value) => value !== undefined) ? settings : undefined;
}

/** An empty list is as good as none: there is no port that every mesh must have. */
function readPorts(reader: ConfigReader, value: unknown, key: string): readonly PortRange[] | undefined {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) {
    return undefined;
  }
  if (isPortList(value)) {
    return value;
  }
  const { rule, example } = PORT_LIST;
  const mend = setCommand(`${key}[${wrongPort(value)}]`, example);
  reader.problem(`${NAMESPACE}:${key}`, rule, `is ${describe(key, value)}`, mend);
  return undefined;
}

function readSecretNames(reader: ConfigReader, value: unknown): readonly string[] | undefined {
  const key = "imagePullSecrets";
  const names = reader.list(value, key, "must be a list of Secrets' names", "", SECRET_NAME.example);
  const known = names.map((name, index) => reader.value(`${key}[${index}]`, name, SECRET_NAME));
  return known.length === 0 ? undefined : known.filter((name) => name !== undefined);
}
