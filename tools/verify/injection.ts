import type { V1Namespace, V1Pod } from "@kubernetes/client-node";

import { passedOverProblems } from "../../components/injection/injectorRules";
import { INJECT_ANNOTATION, INJECT_MODE, isInjected } from "../../components/mesh/proxySettings";
import { describeFound } from "../../components/validation/problem";
import { isLive, proxyOf } from "../../components/cluster/meshedPods";
import { check, type Group } from "./model";
import { byOwner, type Found } from "./owners";
import { selects } from "./selectors";
import { isInjector } from "./servers";
import type { ServerState, Snapshot } from "./snapshot";

/** Finds the pods that ask for a proxy and have none, and says why, as far as it can still be seen. */
export function checkInjection({ pods, namespaces, servers }: Snapshot): Group {
  const byName = new Map(namespaces.map((namespace) => [namespace.metadata?.name, namespace]));
  const injector = servers.find(isInjector)?.live;
  const outside: Found[] = [];
  const passedOver: Found[] = [];
  let meshed = 0;
  for (const pod of pods.filter(isLive)) {
    const namespace = byName.get(pod.metadata?.namespace);
    if (proxyOf(pod) !== undefined) {
      meshed++;
    } else if (isAsked(injector, pod, namespace)) {
      const modes = [modeOf(namespace), modeOf(pod)];
      const wrong = modes.find((mode) => mode !== undefined && !INJECT_MODE.allows(mode));
      const skipped =
        wrong === undefined
          ? passedOverProblems(pod.spec).map(({ path, found }) => `${path} ${describeFound(found)}`)
          : [`${INJECT_ANNOTATION}: ${JSON.stringify(wrong)} is none of enabled, ingress, disabled`];
      if (skipped.length > 0 && (wrong !== undefined || isWanted(pod, namespace))) {
        passedOver.push([pod, skipped.join(", ")]);
      } else if (isWanted(pod, namespace)) {
        outside.push([pod, causeOf(pod, namespace, injector)]);
      }
    }
  }
  return {
    group: "injection",
    checks: [
      {
        ...check("pods that ask for a proxy have one", byOwner(outside), "outside"),
        note: `${meshed} in the mesh${outside.length > 0 ? `, ${outside.length} outside` : ""}`,
      },
      check(
        "no pod asks for a proxy and is passed over by the injector",
        byOwner(passedOver),
        "passedOver",
        "warning",
      ),
    ],
  };
}

/** The annotation of a pod or a namespace; the injector takes an empty one for none. */
function modeOf(object: V1Namespace | V1Pod | undefined): string | undefined {
  const mode = object?.metadata?.annotations?.[INJECT_ANNOTATION];
  return mode === "" ? undefined : mode;
}

/** Whether the pod asks for a proxy: its own annotation counts before its namespace's. */
export function isWanted(pod: V1Pod, namespace: V1Namespace | undefined): boolean {
  const mode = modeOf(pod) ?? modeOf(namespace);
  return INJECT_MODE.allows(mode) && isInjected(mode);
}

/** Whether the API server asks the injector about the pod. Without an injector, whether it should be is not known: yes. */
function isAsked(injector: ServerState["live"], pod: V1Pod, namespace: V1Namespace | undefined): boolean {
  return (
    selects(injector?.namespaceSelector, namespace?.metadata?.labels) &&
    selects(injector?.objectSelector, pod.metadata?.labels)
  );
}

function causeOf(pod: V1Pod, namespace: V1Namespace | undefined, injector: ServerState["live"]): string {
  const created = pod.metadata?.creationTimestamp;
  if (injector?.created === undefined || created === undefined) {
    return "there is no injector";
  }
  if (created < injector.created) {
    return "created before the injector";
  }
  const annotated = modeOf(pod) === undefined ? annotatedAt(namespace) : undefined;
  if (annotated !== undefined && created < annotated) {
    return `created before namespace ${namespace?.metadata?.name ?? ""} got its annotation`;
  }
  return `the injector did not answer when it was created (failure policy ${injector.failurePolicy ?? "Fail"})`;
}

/** When whoever set the annotation last changed the namespace, as far as the API server keeps it. */
function annotatedAt(namespace: V1Namespace | undefined): Date | undefined {
  const entry = namespace?.metadata?.managedFields?.find(({ fieldsV1 }) => {
    const fields = fieldsV1 as { readonly "f:metadata"?: { readonly "f:annotations"?: object } } | undefined;
    return `f:${INJECT_ANNOTATION}` in (fields?.["f:metadata"]?.["f:annotations"] ?? {});
  });
  return entry?.time;
}
