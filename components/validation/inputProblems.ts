import * as pulumi from "@pulumi/pulumi";

import { describeFound, Problem } from "./problem";

/**
 * Throws all problems of a component's arguments as one error.
 *
 * @param component What has the arguments, e.g. `MeshedNamespace shop`.
 * @throws InputPropertiesError with the path and the reason of each problem.
 */
export function throwInputProblems(component: string, problems: readonly Problem[]): void {
  if (problems.length === 0) {
    return;
  }
  const errors = problems.map(({ path, rule, found }) => ({
    propertyPath: path,
    reason: `${rule}, but ${describeFound(found)}`,
  }));
  // The engine prints the paths only for a component of a package.
  const lines = errors.map(({ propertyPath, reason }) => `\n  ${propertyPath} ${reason}`);
  const message = `The arguments of ${component} are not valid:${lines.join("")}`;
  throw new pulumi.InputPropertiesError({ message, errors });
}
