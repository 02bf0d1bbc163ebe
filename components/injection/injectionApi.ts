import type * as client from "@kubernetes/client-node";

import { ClusterAccess, connect, describeError } from "../cluster/client";
import { proxyOf, TRUST_ANCHORS_VARIABLE, variable } from "../cluster/meshedPods";
import { isSameTrust } from "../pki/deployedTrust";
import { commandsFor, describeInjector, PROXY_INJECTOR, TAP_INJECTOR } from "./injectionDiagnosis";
import { InjectionAnswer, InjectionApi } from "./injectionProbe";
import { GUARD_NAME } from "./meshGuard";
import { probePod } from "./probePod";

export { type ClusterAccess } from "../cluster/client";

/** The init container of an injected pod. A refusal that names it comes after the injector's answer. */
const PROXY_INIT = "linkerd-init";

const INJECT = { "linkerd.io/inject": "enabled" };

const REMEDY =
  "choose an existing namespace that takes injected pods: pulumi config set linkerd-mtls:gateNamespace <namespace>";

/** What viz's tap injector adds to a pod and to its proxy (linkerd2, viz/tap/injector). */
const TAP_ANNOTATION = "viz.linkerd.io/tap-enabled";
const TAP_VARIABLE = "LINKERD2_PROXY_TAP_SVC_NAME";

/** What a proxy must get, beyond being there. */
export interface WantedInjection {
  /** Whether it must have tap. Default false. */
  readonly tap?: boolean;
  /** PEMs of the trust bundle that it must have; undefined where it is not known. Default: any bundle will do. */
  readonly trustBundle?: () => Promise<string | undefined>;
}

/** Asks a real API server about injection, with pods in `namespace`. Connects when it is first asked. */
export function injectionApi(
  access: ClusterAccess,
  namespace: string,
  { tap = false, trustBundle }: WantedInjection = {},
): InjectionApi {
  const injectors = tap ? [PROXY_INJECTOR, TAP_INJECTOR] : [PROXY_INJECTOR];
  return {
    async dryRun(timeoutMs) {
      try {
        const core = await connect(access, (k8s) => k8s.CoreV1Api, timeoutMs);
        const pod = await core.createNamespacedPod({ namespace, dryRun: "All", body: probePod(INJECT) });
        return readPod(pod, tap, await trustBundle?.());
      } catch (error) {
        return readError(error, namespace, timeoutMs, tap);
      }
    },

    async diagnose() {
      const lines = await Promise.all(injectors.map((injector) => describeInjector(access, injector)));
      const commands = injectors.flatMap(commandsFor).map((command) => `  ${command}`);
      return [...lines.flat(), "look at:", ...commands];
    },
  };
}

function readPod(pod: client.V1Pod, tap: boolean, trustBundle: string | undefined): InjectionAnswer {
  const proxy = proxyOf(pod);
  if (proxy === undefined) {
    return {
      injected: false,
      reason: "the pod was accepted without a proxy, so the injector did not answer",
    };
  }
  const tapped =
    pod.metadata?.annotations?.[TAP_ANNOTATION] === "true" &&
    proxy.env?.some(({ name }) => name === TAP_VARIABLE) === true;
  if (tap && !tapped) {
    return {
      injected: false,
      reason: "the pod got its proxy without tap, so the tap injector did not answer",
    };
  }
  if (trustBundle !== undefined && !isSameTrust(variable(proxy, TRUST_ANCHORS_VARIABLE) ?? "", trustBundle)) {
    return {
      injected: false,
      reason:
        "the pod got its proxy with another trust bundle, so an injector from before the change answered",
    };
  }
  return { injected: true, proxyImage: proxy.image ?? "without an image" };
}

/** Tells apart the causes that a person fixes in different ways. */
function readError(error: unknown, namespace: string, timeoutMs: number, tap: boolean): InjectionAnswer {
  const { status, message } = describeError(error);
  if (status === undefined) {
    const late = error instanceof Error && error.name === "AbortError";
    const reason = late ? `no answer within ${(timeoutMs / 1000).toFixed(1)} s` : message;
    return { injected: false, reason: `the API server cannot be reached: ${reason}` };
  }
  if (message.includes(`ValidatingAdmissionPolicy '${GUARD_NAME}'`)) {
    return { injected: false, reason: "the mesh guard refused the pod, because the injector did not answer" };
  }
  if (message.includes(PROXY_INIT)) {
    return tap
      ? {
          injected: false,
          final: true,
          reason: `whether the pod got tap cannot be seen, because its proxy is refused (${status}): ${message}; ${REMEDY}`,
        }
      : { injected: true, proxyImage: `not shown, because namespace ${namespace} refuses ${PROXY_INIT}` };
  }
  if (status === 404) {
    const reason = `the API server has no such namespace (${status}): ${message}; ${REMEDY}`;
    return { injected: false, final: true, reason };
  }
  if (status === 401 || (status === 403 && message.includes("cannot create resource"))) {
    const remedy = `the deploying user must be allowed to create pods in namespace ${namespace}`;
    return { injected: false, final: true, reason: `permission is missing, ${remedy}: ${message}` };
  }
  // Whoever refuses a pod without a proxy will take it once it is injected, so the question is repeated.
  const remedy = status < 500 ? `; if that lasts, ${REMEDY}` : "";
  return { injected: false, reason: `the API server refused the pod (${status}): ${message}${remedy}` };
}
