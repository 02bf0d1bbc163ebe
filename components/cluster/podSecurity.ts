import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { invalid, Problem } from "../validation/problem";
import { oneOf } from "../validation/rule";
import { settled } from "./settled";

/** Pod security level that a namespace enforces. https://kubernetes.io/docs/concepts/security/pod-security-standards/ */
export type PodSecurityLevel = "privileged" | "baseline" | "restricted";

/** Rule of a {@link PodSecurityLevel}. */
export const POD_SECURITY = oneOf<PodSecurityLevel>(["privileged", "baseline", "restricted"]);

/** Label of a namespace with the level that the API server enforces. */
export const POD_SECURITY_LABEL = "pod-security.kubernetes.io/enforce";

/**
 * Whether a level refuses injected pods: the init container `linkerd-init` needs NET_ADMIN and NET_RAW, unless the CNI
 * plugin does its work. A namespace without a level takes every pod.
 */
export function refusesProxies(level: string | undefined, cniEnabled: boolean): boolean {
  return !cniEnabled && level !== undefined && level !== "privileged";
}

const RULE =
  "must be privileged where pods are injected without Linkerd's CNI plugin, " +
  "because the container linkerd-init needs NET_ADMIN and NET_RAW";

/** Checks the level of a namespace whose pods are injected. */
export function podSecurityProblems(level: string | undefined, cniEnabled: boolean): Problem[] {
  return POD_SECURITY.allows(level) && refusesProxies(level, cniEnabled)
    ? [invalid("podSecurity", { ...POD_SECURITY, rule: RULE }, level)]
    : [];
}

/**
 * Reads existing namespaces, in a preview too, and refuses those whose level refuses injected pods. Await it before
 * anything is created: an output that fails half-way would leave what depends on it waiting.
 *
 * @throws RunError that names every such namespace and the commands that fix it.
 */
export async function checkPodSecurity(namespaces: readonly string[]): Promise<void> {
  const levels = await Promise.all(namespaces.map(async (name) => ({ name, level: await liveLevel(name) })));
  const problems = levels
    .filter(({ level }) => refusesProxies(level, false))
    .map(
      ({ name, level = "" }) =>
        `label ${POD_SECURITY_LABEL} of namespace ${name} ${RULE}, but is ${level}\n` +
        `    kubectl label --overwrite namespace ${name} ${POD_SECURITY_LABEL}=privileged\n` +
        "    pulumi config set linkerd-mtls:cniEnabled true    # once the plugin is installed",
    );
  if (problems.length > 0) {
    throw new pulumi.RunError(problems.join("\n\n"));
  }
}

function liveLevel(namespace: string): Promise<string | undefined> {
  const { metadata } = k8s.core.v1.Namespace.get(`${namespace}-existing`, namespace);
  const level = metadata.apply((live) => {
    // The type is of what a provider fills in, but an object without labels has none.
    const labels = live.labels as Record<string, string> | undefined;
    return labels?.[POD_SECURITY_LABEL];
  });
  return settled(level);
}
