import { isIP } from "node:net";

/** Clients of a port: whoever is in one of the lists. */
export interface Clients {
  /** Namespaces, every pod of which may connect through the mesh. */
  readonly namespaces?: readonly string[];
  /** Service accounts, each `<namespace>/<name>`, whose pods may connect through the mesh. */
  readonly serviceAccounts?: readonly string[];
  /** Networks in CIDR notation from which anybody may connect, in the mesh or not. */
  readonly networks?: readonly string[];
}

/** What a value must be. */
interface Rule {
  readonly rule: string;
  /** A value that is right. */
  readonly example: string;
  readonly allows: (value: unknown) => boolean;
}

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";

const matches = (pattern: RegExp) => (value: unknown) => typeof value === "string" && pattern.test(value);

/** What the items of each list must be. */
export const CLIENT_RULES: Readonly<Record<keyof Clients, Rule>> = {
  namespaces: {
    rule: "must be the name of a namespace",
    example: "shop",
    allows: matches(new RegExp(`^${LABEL}$`)),
  },
  serviceAccounts: {
    rule: "must be <namespace>/<service account>",
    example: "shop/web",
    allows: matches(new RegExp(`^${LABEL}/${LABEL}(\\.${LABEL})*$`)),
  },
  networks: {
    rule: "must be a network in CIDR notation",
    example: "10.0.0.0/8",
    allows: (value) => typeof value === "string" && isNetwork(value),
  },
};

/** Every list. */
export const CLIENT_LISTS = Object.keys(CLIENT_RULES) as (keyof Clients)[];

/** What the lists must be together. */
export const SOME_CLIENTS: Rule = {
  rule: `must name at least one client in ${CLIENT_LISTS.join(", ")}`,
  example: "shop",
  allows: (value) => CLIENT_LISTS.some((list) => ((value as Clients)[list] ?? []).length > 0),
};

/** What a proxy takes the connections to a port for; `unknown` has it find out, which `opaque` ports are spared. */
export const PROXY_PROTOCOLS = ["unknown", "HTTP/1", "HTTP/2", "gRPC", "opaque", "TLS"] as const;
export type ProxyProtocol = (typeof PROXY_PROTOCOLS)[number];

/** A port of a container: its number, or its name. */
export const CONTAINER_PORT: Rule = {
  rule: "must be a container's port, 1 to 65535, or its name",
  example: "8080",
  allows: (value) =>
    typeof value === "number"
      ? Number.isInteger(value) && value >= 1 && value <= 65535
      : // An IANA service name, as Kubernetes wants it.
        matches(/^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/)(value),
};

function isNetwork(text: string): boolean {
  const [address = "", length = "", ...rest] = text.split("/");
  const family = isIP(address);
  return (
    family !== 0 &&
    rest.length === 0 &&
    /^\d{1,3}$/.test(length) &&
    Number(length) <= (family === 4 ? 32 : 128)
  );
}
