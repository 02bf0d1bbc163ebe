import { Authorization, Clients } from "../components";
import {
  clientProblems,
  CONTAINER_PORT,
  includesPort,
  invalid,
  PortRange,
  PROXY_PROTOCOL,
  serverName,
  unexpected,
  WORKLOAD_LABEL,
} from "../components/rules";
import { checked, list, object, Place, value } from "./reading";

const readProperties = object({
  port: readPort,
  workload: value(WORKLOAD_LABEL),
  protocol: value(PROXY_PROTOCOL),
  from: readClients,
});

/** Who may connect to the ports of a namespace's pods; an item without a valid port is left out. */
export function readAuthorization(place: Place): Authorization[] {
  const items: Authorization[] = [];
  const readItem = (item: Place): Authorization | undefined => {
    const properties = readProperties(item);
    if (properties?.port === undefined) {
      return undefined;
    }
    const { port, from: clients, ...pods } = properties;
    if (items.some((other) => other.port === port && overlap(other.workload, pods.workload))) {
      const rule = "must be the only item for its port and pods (one from has all clients)";
      item.report(unexpected("", rule, `port ${port} is in an item before`));
    } else if (items.some((other) => serverName(other) === serverName({ ...pods, port }))) {
      const rule =
        "must have a workload and a port that give a name of their own (<workload>-<port>, or all-<port>)";
      item.report(unexpected("", rule, `an item before has ${serverName({ ...pods, port })} too`));
    }
    const read = { ...pods, port, clients };
    items.push(read);
    return read;
  };
  const example = { path: "port", to: CONTAINER_PORT.example };
  return list("must be a list of ports with who may connect", example, readItem)(place);
}

/** Ports that are opaque for their pods are so here too, unless the item says otherwise. */
export function withOpaqueProtocol(item: Authorization, opaquePorts: readonly PortRange[]): Authorization {
  const opaque = opaquePorts.some((range) => includesPort(range, item.port));
  return { ...item, protocol: item.protocol ?? (opaque ? "opaque" : undefined) };
}

function readPort(place: Place): number | string | undefined {
  if (CONTAINER_PORT.allows(place.value)) {
    return place.value;
  }
  place.report(invalid("", CONTAINER_PORT, place.value));
  return undefined;
}

function readClients(place: Place): Clients {
  const clients = checked<Clients>(clientProblems)(place) ?? {};
  const lists = Object.entries<readonly string[]>({ ...clients });
  return Object.fromEntries(lists.filter(([, names]) => names.length > 0));
}

/** Whether two items may be about the same pod. */
function overlap(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}
