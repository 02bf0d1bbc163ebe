import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { InjectionGate } from "../injection/injectionGate";
import { MeshGuard } from "../injection/meshGuard";
import {
  POD_SECURITY_LABEL,
  POD_SECURITY_LEVELS,
  POD_SECURITY_RULE,
  PodSecurityLevel,
  refusesProxies,
} from "../injection/podSecurity";
import {
  INJECT_ANNOTATION,
  INJECT_MODES,
  InjectMode,
  isInjected,
  NamespaceProxySettings,
  proxyAnnotations,
  proxySettingProblems,
} from "./proxySettings";

/** Arguments of a {@link MeshedNamespace}. */
export interface MeshedNamespaceArgs {
  /** Default `enabled`; for an existing namespace none: its annotation is left as it is. */
  readonly inject?: InjectMode;
  /** Settings that pods inherit. Default: none. Not with `disabled`. */
  readonly proxy?: NamespaceProxySettings;
  /** Pod security level to enforce. Default: none; an existing namespace keeps its own. */
  readonly podSecurity?: PodSecurityLevel;
  /** Whether Linkerd's CNI plugin is installed, so that pods need no privileged init container. Default false. */
  readonly cniEnabled?: boolean;
  /**
   * Whether others have made the namespace. Then only what is set here is patched, and taken back at destruction.
   * Default false.
   */
  readonly existing?: boolean;
  /** Whether pods are injected by an annotation of their own, whatever the namespace says. Default false. */
  readonly injectedByPod?: boolean;
  /** Opens when pods are injected. Default: none, for a mesh that others have installed. */
  readonly gate?: InjectionGate;
  /** Refuses pods without a proxy. Default: none, for a mesh that others have installed. */
  readonly guard?: MeshGuard;
}

/**
 * A namespace for meshed pods, called like the component. A pod security level that refuses injected pods is an error;
 * that of an existing namespace is not known here, see `checkPodSecurity`.
 */
export class MeshedNamespace extends pulumi.ComponentResource {
  /** Name of the namespace. */
  public readonly name: pulumi.Output<string>;

  public constructor(name: string, args: MeshedNamespaceArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:MeshedNamespace", name, {}, opts);

    const { existing = false, podSecurity, proxy = {}, gate, guard } = args;
    const inject = args.inject ?? (existing ? undefined : "enabled");
    checkArgs(args, inject);

    const annotations = {
      ...(inject && { [INJECT_ANNOTATION]: inject }),
      ...proxyAnnotations(proxy),
    };
    const labels = podSecurity && { [POD_SECURITY_LABEL]: podSecurity };
    const inputs = { metadata: { name, annotations, labels } };
    const options: pulumi.CustomResourceOptions = {
      parent: this,
      // A pod may be created here as soon as the namespace says so: injection has been proven by then, and the guard
      // outlives the last pod.
      dependsOn: [isInjected(inject) ? gate : undefined, guard].filter((resource) => resource !== undefined),
    };

    if (!existing) {
      this.name = new k8s.core.v1.Namespace(`${name}-namespace`, inputs, options).metadata.name;
    } else if (labels !== undefined || Object.keys(annotations).length > 0) {
      this.name = new k8s.core.v1.NamespacePatch(`${name}-namespace`, inputs, options).metadata.name;
    } else {
      // Nothing to set. The guard still outlives the pods that are put here by this name.
      this.name = pulumi.output(guard?.policyName).apply(() => name);
    }
    // As it is known already, the engine need not write the whole state once more when the namespace is there.
    this.registerOutputs({ name });
  }
}

function checkArgs(args: MeshedNamespaceArgs, inject: InjectMode | undefined): void {
  const { podSecurity, proxy, cniEnabled = false, injectedByPod = false } = args;
  if (inject !== undefined && !INJECT_MODES.includes(inject)) {
    throw wrong("inject", `must be one of ${INJECT_MODES.join(", ")}, but is ${inject as string}`);
  }
  if (podSecurity !== undefined && !POD_SECURITY_LEVELS.includes(podSecurity)) {
    const levels = POD_SECURITY_LEVELS.join(", ");
    throw wrong("podSecurity", `must be one of ${levels}, but is ${podSecurity as string}`);
  }
  if ((isInjected(inject) || injectedByPod) && refusesProxies(podSecurity, cniEnabled)) {
    const found = `but is ${podSecurity ?? ""}`;
    const remedy = "set it to privileged, or install the plugin and set cniEnabled";
    throw wrong("podSecurity", `${POD_SECURITY_RULE}, ${found}: ${remedy}`);
  }
  if (inject === "disabled" && proxy !== undefined) {
    throw wrong("proxy", "must not be set where inject is disabled, because no proxy would read it");
  }
  for (const { setting, rule, found } of proxySettingProblems(proxy ?? {}, "namespace")) {
    throw wrong(`proxy.${setting}`, `${rule}, but is ${JSON.stringify(found)}`);
  }
}

function wrong(propertyPath: string, reason: string): pulumi.InputPropertyError {
  return new pulumi.InputPropertyError({ propertyPath, reason });
}
