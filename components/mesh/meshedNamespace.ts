import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { Mesh } from "../injection/mesh";
import { GUARDED_LABEL } from "../injection/meshGuard";
import {
  POD_SECURITY,
  POD_SECURITY_LABEL,
  PodSecurityLevel,
  podSecurityProblems,
} from "../cluster/podSecurity";
import { ownNamespace } from "../cluster/ownership";
import { throwInputProblems } from "../validation/inputProblems";
import { check, within } from "../validation/problem";
import { namespaceNameProblems } from "./namespaceName";
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
  /**
   * Name of the namespace. Default: the component's name. Not of one that Linkerd's injector passes over; `default` and
   * `kube-*` only as `existing`.
   */
  readonly name?: string;
  /** Default `enabled`; for an existing namespace none: its annotation is left as it is. */
  readonly inject?: InjectMode;
  /** Settings that pods inherit. Default: none. Not with `disabled`. */
  readonly proxy?: NamespaceProxySettings;
  /** Pod security level to enforce. Default: none; an existing namespace keeps its own. */
  readonly podSecurity?: PodSecurityLevel;
  /**
   * Whether the namespace exists already. Then only what is set here is patched, and removed when the stack is destroyed.
   * Default false.
   */
  readonly existing?: boolean;
  /** Whether pods are injected by an annotation of their own, whatever the namespace says. Default false. */
  readonly injectedByPod?: boolean;
  /**
   * Its gate must be open before pods are injected here, and its guard outlives them; a namespace that exists in its
   * cluster and is not this stack's is an error. Default: none of this.
   */
  readonly mesh?: Pick<Mesh, "cluster" | "gate" | "guard" | "cniEnabled">;
}

/**
 * A namespace for meshed pods. A pod security level that refuses injected pods is an error;
 * that of an existing namespace is not known here, see `checkPodSecurity`.
 */
export class MeshedNamespace extends pulumi.ComponentResource {
  /** Name of the namespace. */
  public readonly name: pulumi.Output<string>;
  /** Whether its pods are injected by default; false for an existing namespace whose annotation is left as it is. */
  public readonly injected: boolean;

  public constructor(name: string, args: MeshedNamespaceArgs = {}, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:MeshedNamespace", name, {}, opts);

    const { name: namespace = name, existing = false, podSecurity, proxy = {}, mesh } = args;
    const { gate, guard } = mesh ?? {};
    const inject = args.inject ?? (existing ? undefined : "enabled");
    checkArgs(name, args, inject);
    this.injected = isInjected(inject);

    const annotations = {
      ...(inject && { [INJECT_ANNOTATION]: inject }),
      ...proxyAnnotations(proxy),
    };
    // Set where no pod exists yet, or injection has been proven before.
    const guarded = guard !== undefined && (!existing || isInjected(inject));
    const labels =
      podSecurity !== undefined || guarded
        ? {
            ...(podSecurity && { [POD_SECURITY_LABEL]: podSecurity }),
            ...(guarded && { [GUARDED_LABEL]: "true" }),
          }
        : undefined;
    const metadata = { name: namespace, annotations, labels };
    const options: pulumi.CustomResourceOptions = {
      parent: this,
      // A pod may be created here as soon as the namespace says so: by then injection has been proven. The guard outlives
      // the last pod.
      dependsOn: [isInjected(inject) ? gate : undefined, guard].filter((resource) => resource !== undefined),
    };

    if (!existing) {
      this.name = (
        mesh === undefined
          ? new k8s.core.v1.Namespace(`${name}-namespace`, { metadata }, options)
          : ownNamespace(`${name}-namespace`, metadata, mesh.cluster, options)
      ).metadata.name;
    } else if (labels !== undefined || Object.keys(annotations).length > 0) {
      this.name = new k8s.core.v1.NamespacePatch(`${name}-namespace`, { metadata }, options).metadata.name;
    } else {
      // Nothing to set. The guard still outlives the pods that are put here by this name.
      this.name = pulumi.output(guard?.policyName).apply(() => namespace);
    }
    // The plain name, which is known before the namespace exists: the engine then writes the state once less.
    this.registerOutputs({ name: namespace });
  }
}

function checkArgs(name: string, args: MeshedNamespaceArgs, inject: InjectMode | undefined): void {
  const {
    name: namespace = name,
    existing = false,
    podSecurity,
    proxy,
    mesh: { cniEnabled = false } = {},
    injectedByPod = false,
  } = args;
  throwInputProblems(`MeshedNamespace ${name}`, [
    ...namespaceNameProblems(namespace, existing),
    ...check("inject", inject, INJECT_MODE),
    ...check("podSecurity", podSecurity, POD_SECURITY),
    ...(isInjected(inject) || injectedByPod ? podSecurityProblems(podSecurity, cniEnabled) : []),
    ...within("proxy", proxySettingProblems(proxy, "namespace", inject)),
  ]);
}
