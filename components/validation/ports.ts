import { DNS_LABEL, Rule } from "./rule";

/** A port number, or a range such as `4567-4568`. */
export type PortRange = number | string;

const MAX_PORT = 65535;

/** A port number. */
export const PORT: Rule<number> = {
  rule: `must be a port, 1 to ${MAX_PORT}`,
  example: "8080",
  allows: (value): value is number => typeof value === "number" && isPort(value),
};

/** A port of a container: its number, or its name. */
export const CONTAINER_PORT: Rule<number | string> = {
  rule: `must be a container's port, 1 to ${MAX_PORT}, or its name`,
  example: PORT.example,
  allows: (value): value is number | string =>
    // An IANA service name, as Kubernetes requires it.
    PORT.allows(value) ||
    (typeof value === "string" && value.length <= 15 && /[a-z]/.test(value) && PORT_NAME.test(value)),
};

const PORT_NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;

/** A port to which a Service forwards: its number, or its name. */
export const TARGET_PORT: Rule<number | string> = {
  rule: `${PORT.rule}, or the name of one`,
  example: PORT.example,
  allows: (value): value is number | string => PORT.allows(value) || DNS_LABEL.allows(value),
};

/** An item of a {@link PORT_LIST}. */
export const PORT_RANGE: Rule<PortRange> = {
  rule: `must be a port (1 to ${MAX_PORT}) or a range such as "4567-4568"`,
  example: "4567",
  allows: (value): value is PortRange => {
    if (typeof value === "number") {
      return isPort(value);
    }
    const [from = 0, to = from, ...rest] = typeof value === "string" ? value.split("-").map(toPort) : [];
    return rest.length === 0 && isPort(from) && isPort(to) && from <= to;
  },
};

/** The rule of a list of {@link PORT_RANGE}. */
export const PORT_LIST = `must be a list of ports (1 to ${MAX_PORT}) or of ranges such as "4567-4568"`;

/** Whether a port is in a range. */
export function includesPort(range: PortRange, port: number | string): boolean {
  const [first = "", last = first] = String(range).split("-");
  return Number(first) <= Number(port) && Number(port) <= Number(last);
}

function isPort(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_PORT;
}

function toPort(digits: string): number {
  return /^\d+$/.test(digits) ? Number(digits) : 0;
}
