import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { throwInputProblems } from "../validation/inputProblems";
import { check } from "../validation/problem";
import { COUNT, DNS_LABEL } from "../validation/rule";
import { clusterHook, gate } from "../cluster/hook";
import { settled } from "../cluster/settled";
import { injectionApi } from "./injectionApi";
import { InjectionApi, InjectionProbe } from "./injectionProbe";

/** Default of {@link InjectionGateArgs.deadlineSeconds}. */
export const DEFAULT_GATE_DEADLINE_SECONDS = 300;

/** Default of {@link InjectionGateArgs.namespace}. */
export const DEFAULT_GATE_NAMESPACE = "default";

/** Arguments of an {@link InjectionGate}. */
export interface InjectionGateArgs {
  /**
   * What the control plane is, e.g. its version and digest. When one of these values changes, the gate asks again
   * before anything that depends on it goes on. They are kept in the state: nothing secret.
   */
  readonly controlPlane: pulumi.Input<Record<string, pulumi.Input<string>>>;
  /** Whether a pod must get tap too, which viz's tap injector switches on. Default false: its proxy is enough. */
  readonly tap?: boolean;
  /** PEMs of the trust anchors that a proxy must get. Default: any will do. */
  readonly trustBundlePem?: pulumi.Input<string>;
  /** How long to wait for injection, in seconds. Default 300. */
  readonly deadlineSeconds?: number;
  /** Existing namespace of the pod that is tried and never created. Default `default`. */
  readonly namespace?: string;
  /** The cluster to ask, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
  /** Who asks the cluster. Default: a client for `cluster`. */
  readonly api?: InjectionApi;
}

/**
 * Opens when the admission webhook really injects, which is later than its Deployment is available. It asks the API
 * server for a dry run of an annotated pod and looks for the proxy in the answer, and for the trust bundle in the proxy:
 * an injector from before a change hands out the one before.
 *
 * What depends on the gate is created after it has opened. It asks in a hook before its child is created, so an
 * unchanged deployment asks nothing, and a gate that did not open is not in the state and asks again the next time.
 */
export class InjectionGate extends pulumi.ComponentResource {
  /**
   * Asks too. Hooks are not inherited, so bind it, before creation and before update, to each resource that creates
   * pods in a meshed namespace: the gate itself asks only when the control plane has changed.
   */
  public readonly hook: pulumi.ResourceHook;
  /** Whether pods get tap too. */
  public readonly tap: boolean;
  /** Changes when the gate has asked again because the control plane changed: a keeper for a gate behind it. */
  public readonly opened: pulumi.Output<string>;

  public constructor(name: string, args: InjectionGateArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:InjectionGate", name, {}, opts);

    const {
      deadlineSeconds = DEFAULT_GATE_DEADLINE_SECONDS,
      namespace = DEFAULT_GATE_NAMESPACE,
      tap = false,
    } = args;
    throwInputProblems(`InjectionGate ${name}`, [
      ...check("deadlineSeconds", deadlineSeconds, COUNT),
      ...check("namespace", namespace, DNS_LABEL),
    ]);
    const { trustBundlePem } = args;
    const trustBundle = trustBundlePem === undefined ? undefined : () => settled(trustBundlePem);
    const probe = new InjectionProbe({
      api: args.api ?? injectionApi(args.cluster, namespace, { tap, trustBundle }),
      log: (line) => void pulumi.log.info(line, this),
      deadlineSeconds,
    });
    this.hook = clusterHook(name, () => probe.untilInjected());
    const opened = gate(`${name}-opened`, this.hook, args.controlPlane, { parent: this });

    this.tap = tap;
    this.opened = opened.hex;
    this.registerOutputs({ opened: this.opened });
  }
}
