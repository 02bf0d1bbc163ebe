import { PORT, TARGET_PORT } from "../validation/ports";
import { check, checkItems, checkObject, invalid, isObject, Problem } from "../validation/problem";
import { DNS_LABEL } from "../validation/rule";

/** A port of a workload's Service. */
export interface ServicePort {
  /** Unique among the workload's ports. */
  readonly name: string;
  /** Number, for clients. */
  readonly port: number;
  /** Number or name of the container's port. Default: the same number. */
  readonly targetPort?: number | string;
}

const NAME = { ...DNS_LABEL, rule: "must be a DNS label, unique among the ports", example: "http" };
const UNIQUE_PORT = { ...PORT, rule: `${PORT.rule}, unique among the ports` };

/** Checks the ports of a Service, which may come from outside the type system. */
export function servicePortProblems(ports: unknown): Problem[] {
  const names = new Set<unknown>();
  const numbers = new Set<unknown>();
  return checkItems("", ports, "must be a list of ports", { path: "port", to: PORT.example }, (item) => {
    const problems = checkObject("", item, ["name", "port", "targetPort"]);
    if (!isObject(item)) {
      return problems;
    }
    const { name, port, targetPort } = item;
    if (!NAME.allows(name) || names.has(name)) {
      problems.push(invalid("name", NAME, name));
    }
    if (!PORT.allows(port) || numbers.has(port)) {
      problems.push(invalid("port", UNIQUE_PORT, port));
    }
    names.add(name);
    numbers.add(port);
    return [...problems, ...check("targetPort", targetPort, TARGET_PORT)];
  });
}
