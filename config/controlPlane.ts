import { ProxyInitSettings } from "../components";
import {
  DNS_NAME,
  FLAG,
  IPTABLES_MODE,
  PORT_LIST,
  PORT_RANGE,
  PortRange,
  PROMETHEUS_URL,
  text,
} from "../components/rules";
import { list, object, Place, Reading, value } from "./reading";

/** Where images are. */
export const IMAGE_REGISTRY = text(
  "must be a registry and a path, without scheme and tag",
  /^[a-z0-9.-]+(:\d+)?(\/[a-z0-9._-]+)*$/,
  "registry.example.org/linkerd",
);

const SECRET_NAME = { ...DNS_NAME, rule: "must be a Secret's name", example: "registry" };

/** Names of Secrets with which images are pulled. */
export const readSecretNames = list(
  "must be a list of Secrets' names",
  { path: "", to: SECRET_NAME.example },
  value(SECRET_NAME),
);

/** Ports; none is as good as an empty list: there is no port that every mesh must have. */
export const readPorts: Reading<readonly PortRange[]> = list(
  PORT_LIST,
  { path: "", to: PORT_RANGE.example },
  value(PORT_RANGE),
);

const readProxyInitProperties = object({
  iptablesMode: value(IPTABLES_MODE),
  runAsRoot: value(FLAG),
  ignoreInboundPorts: readPorts,
  ignoreOutboundPorts: readPorts,
});

/** The init container of each meshed pod. */
export function readProxyInit(place: Place): ProxyInitSettings | undefined {
  const properties = readProxyInitProperties(place);
  return (
    properties && {
      ...properties,
      ignoreInboundPorts: filled(properties.ignoreInboundPorts),
      ignoreOutboundPorts: filled(properties.ignoreOutboundPorts),
    }
  );
}

/** Linkerd's viz extension. */
export const readViz = object({
  enabled: value(FLAG),
  enforcedHostRegexp: value(
    text("must be a regular expression, as a string", /^/, "'^dashboard\\.example\\.org$'"),
  ),
  prometheusUrl: value(PROMETHEUS_URL),
  highAvailability: value(FLAG),
});

/** A list, where it has an item. */
export function filled<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length > 0 ? items : undefined;
}
