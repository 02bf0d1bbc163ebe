import { isIP } from "node:net";

import { checkList, checkObject, isObject, Problem } from "../validation/problem";
import { DNS_LABEL, DNS_NAME, oneOf, Rule } from "../validation/rule";

/** Clients of a port: whoever is in one of the lists. */
export interface Clients {
  /** Namespaces, every pod of which may connect through the mesh. */
  readonly namespaces?: readonly string[];
  /** Service accounts, each `<namespace>/<name>`, whose pods may connect through the mesh. */
  readonly serviceAccounts?: readonly string[];
  /** Networks in CIDR notation from which anybody may connect, in the mesh or not. */
  readonly networks?: readonly string[];
}

/** What the items of each list must be. */
const CLIENT_RULES: Readonly<Record<keyof Clients, Rule<string>>> = {
  namespaces: { ...DNS_LABEL, rule: "must be the name of a namespace", example: "shop" },
  serviceAccounts: {
    rule: "must be <namespace>/<service account>",
    example: "shop/web",
    allows: (value): value is string => typeof value === "string" && isServiceAccount(value),
  },
  networks: {
    rule: "must be a network in CIDR notation",
    example: "10.0.0.0/8",
    allows: (value): value is string => typeof value === "string" && isNetwork(value),
  },
};

const CLIENT_LISTS = Object.keys(CLIENT_RULES) as (keyof Clients)[];

/** Checks clients, which may come from outside the type system. */
export function clientProblems(clients: unknown): Problem[] {
  const lists = clients ?? {};
  const problems = checkObject("", lists, CLIENT_LISTS);
  if (!isObject(lists)) {
    return problems;
  }
  for (const list of CLIENT_LISTS) {
    problems.push(...checkList(list, lists[list], "must be a list", CLIENT_RULES[list]));
  }
  if (!CLIENT_LISTS.some((list) => isFilled(lists[list]))) {
    problems.push({
      path: "",
      rule: `must name at least one client in ${CLIENT_LISTS.join(", ")}`,
      found: { value: clients },
      fixes: [{ set: "namespaces[0]", to: CLIENT_RULES.namespaces.example }],
    });
  }
  return problems;
}

/** Whether a list has an item, or its place has a value that is a problem already. */
function isFilled(list: unknown): boolean {
  return Array.isArray(list) ? list.length > 0 : list !== undefined;
}

/** What a proxy takes the connections to a port for; `unknown` has it detect that, which `opaque` ports are spared. */
export type ProxyProtocol = "unknown" | "HTTP/1" | "HTTP/2" | "gRPC" | "opaque" | "TLS";

/** Rule of a {@link ProxyProtocol}. */
export const PROXY_PROTOCOL = oneOf<ProxyProtocol>(
  ["unknown", "HTTP/1", "HTTP/2", "gRPC", "opaque", "TLS"],
  "opaque",
);

function isServiceAccount(client: string): boolean {
  const [namespace, name, ...rest] = client.split("/");
  return DNS_LABEL.allows(namespace) && DNS_NAME.allows(name) && rest.length === 0;
}

function isNetwork(network: string): boolean {
  const [address = "", length = "", ...rest] = network.split("/");
  const family = isIP(address);
  return (
    family !== 0 &&
    rest.length === 0 &&
    /^\d{1,3}$/.test(length) &&
    Number(length) <= (family === 4 ? 32 : 128)
  );
}
