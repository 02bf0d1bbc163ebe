import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { isObject, Problem } from "../validation/problem";
import { Rule, wholeNumber } from "../validation/rule";

type PodSpec = k8s.types.input.core.v1.PodSpec;
type Container = k8s.types.input.core.v1.Container;

/** Seconds that a container goes on serving after its pod was told to end, where none are given. */
export const DEFAULT_DRAIN_SECONDS = 5;

/** Kubernetes' default of `terminationGracePeriodSeconds`, which begins with the drain. */
const GRACE_SECONDS = 30;

/** Longest drain, in seconds. */
const MAX_SECONDS = 3600;

const WHOLE = wholeNumber(0);

/** Rule of a workload's `drainSeconds`. */
export const DRAIN_SECONDS: Rule<number> = {
  rule: `must be a whole number of seconds, 0 to ${MAX_SECONDS}`,
  example: String(DEFAULT_DRAIN_SECONDS),
  allows: (value): value is number => WHOLE.allows(value) && value <= MAX_SECONDS,
};

/** Problems of a pod's specification with a drain, as far as it is known. */
export function drainProblems(podSpec: unknown, seconds = DEFAULT_DRAIN_SECONDS): Problem[] {
  const grace = isObject(podSpec) ? podSpec.terminationGracePeriodSeconds : undefined;
  if (seconds === 0 || typeof grace !== "number" || grace > seconds) {
    return [];
  }
  return [
    {
      path: "podSpec.terminationGracePeriodSeconds",
      rule: `must be longer than drainSeconds (${seconds}), which is part of it`,
      found: { value: grace },
      fixes: [
        { set: "podSpec.terminationGracePeriodSeconds", to: String(GRACE_SECONDS + seconds) },
        { set: "drainSeconds", to: "0", note: "where the containers need no drain" },
      ],
    },
  ];
}

/**
 * Lets each container serve for some seconds more after its pod was told to end, until every client knows that the pod
 * is gone: a pod that ends at once loses requests that are on their way. A container with a `preStop` hook keeps it.
 * The grace period is extended likewise, unless it is set.
 */
export function drained(
  podSpec: pulumi.Input<PodSpec>,
  seconds = DEFAULT_DRAIN_SECONDS,
): pulumi.Input<PodSpec> {
  if (seconds === 0) {
    return podSpec;
  }
  const drain = (container: Container): Container => ({
    ...container,
    lifecycle: map(container.lifecycle ?? {}, (own) => ({ preStop: { sleep: { seconds } }, ...own })),
  });
  return map(podSpec, (spec) => ({
    terminationGracePeriodSeconds: GRACE_SECONDS + seconds,
    ...spec,
    containers: map(spec.containers, (containers) => containers.map((container) => map(container, drain))),
  }));
}

/** Changes an input. What is known stays known in a preview, whatever is unknown within it. */
function map<T>(input: pulumi.Input<T>, change: (value: T) => T): pulumi.Input<T> {
  return pulumi.Output.isInstance(input) || input instanceof Promise
    ? (pulumi.output(input).apply((value) => change(value as T) as pulumi.Input<T>) as pulumi.Output<T>)
    : change(input);
}
