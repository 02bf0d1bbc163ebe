import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { InjectionGate } from "../injection/injectionGate";
import { MeshGuard } from "../injection/meshGuard";
import {
  POD_SECURITY,
  POD_SECURITY_LABEL,
  PodSecurityLevel,
  podSecurityProblems,
} from "../injection/podSecurity";
import { throwInputProblems } from "../validation/inputProblems";
import { check, within } from "../validation/problem";
import {
  INJECT_ANNOTATION,
  INJECT_MODE,
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
    checkArgs(name, args, inject);

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

function checkArgs(name: string, args: MeshedNamespaceArgs, inject: InjectMode | undefined): void {
  const { podSecurity, proxy, cniEnabled = false, injectedByPod = false } = args;
  throwInputProblems(`MeshedNamespace ${name}`, [
    ...check("inject", inject, INJECT_MODE),
    ...check("podSecurity", podSecurity, POD_SECURITY),
    ...(isInjected(inject) || injectedByPod ? podSecurityProblems(podSecurity, cniEnabled) : []),
    ...within("proxy", proxySettingProblems(proxy, "namespace", inject)),
  ]);
}
