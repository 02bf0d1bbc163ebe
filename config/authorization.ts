import {
  CLIENT_LISTS,
  CLIENT_RULES,
  Clients,
  CONTAINER_PORT,
  PortAuthorizationArgs,
  PortRange,
  PROXY_PROTOCOLS,
  SOME_CLIENTS,
} from "../components";
import { ConfigReader, describe, DNS_LABEL, Expectation, NAMESPACE, oneOf, setCommand, text } from "./reader";

/** Who may connect to a port of a namespace's pods. */
export type AuthorizationConfig = Pick<PortAuthorizationArgs, "workload" | "port" | "protocol" | "clients">;

const PORT: Expectation<number | string> = {
  ...CONTAINER_PORT,
  allows: (value): value is number | string => CONTAINER_PORT.allows(value),
};
const WORKLOAD = text(
  "must be a value of the label app.kubernetes.io/name, as a string",
  DNS_LABEL,
  "<name>",
);

/**
 * Property `authorization` of a namespace. `opaquePorts` has the opaque ports of a workload's pods, or of those of which
 * nothing else is known.
 */
export function readAuthorizations(
  reader: ConfigReader,
  value: unknown,
  key: string,
  opaquePorts: (workload: string | undefined) => readonly PortRange[],
): AuthorizationConfig[] {
  const list = reader.list(value, key, "must be a list of ports with who may connect", ".port", PORT.example);
  const authorizations: AuthorizationConfig[] = [];
  for (const [index, item] of list.entries()) {
    const path = `${key}[${index}]`;
    const object = reader.object(item, path, ["port", "workload", "protocol", "from"]);
    if (object === undefined) {
      continue;
    }
    const { port } = object;
    const workload = reader.property(object, path, "workload", WORKLOAD);
    const protocol = reader.property(object, path, "protocol", oneOf(PROXY_PROTOCOLS, "opaque"));
    const clients = readClients(reader, object.from, `${path}.from`);
    if (!PORT.allows(port)) {
      reader.invalid(`${path}.port`, PORT.rule, port, PORT.example);
      continue;
    }
    if (authorizations.some((other) => other.port === port && overlap(other.workload, workload))) {
      const rule = "must be the only item for its port and pods (one from has all clients)";
      reader.superfluous(path, rule, `port ${port} is in an item before`);
    }
    const opaque = opaquePorts(workload).some((range) => includes(range, port));
    authorizations.push({ workload, port, protocol: protocol ?? (opaque ? "opaque" : undefined), clients });
  }
  return authorizations;
}

function readClients(reader: ConfigReader, value: unknown, key: string): Clients {
  const object = reader.object(value ?? {}, key, CLIENT_LISTS);
  if (object === undefined) {
    return {};
  }
  const lists = CLIENT_LISTS.map((list) => {
    const { rule, example, allows } = CLIENT_RULES[list];
    const path = `${key}.${list}`;
    const clients = reader.list(object[list], path, "must be a list", "", example);
    for (const [index, client] of clients.entries()) {
      if (!allows(client)) {
        reader.invalid(`${path}[${index}]`, rule, client, example);
      }
    }
    return [list, clients.filter(allows)] as const;
  });
  if (!CLIENT_LISTS.some((list) => isFilled(object[list]))) {
    const set = setCommand(`${key}.namespaces[0]`, SOME_CLIENTS.example);
    reader.problem(`${NAMESPACE}:${key}`, SOME_CLIENTS.rule, `is ${describe(key, value)}`, set);
  }
  return Object.fromEntries(lists.filter(([, clients]) => clients.length > 0));
}

/** Whether a list has an item, or there is something in its place that is answered already. */
function isFilled(list: unknown): boolean {
  return Array.isArray(list) ? list.length > 0 : list !== undefined;
}

/** Whether two items may be about the same pod. */
function overlap(one: string | undefined, other: string | undefined): boolean {
  return one === undefined || other === undefined || one === other;
}

function includes(range: PortRange, port: number | string): boolean {
  const [first = "", last = first] = String(range).split("-");
  return Number(first) <= Number(port) && Number(port) <= Number(last);
}
