import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { throwInputProblems } from "../validation/inputProblems";
import { check, within } from "../validation/problem";
import { passedOverProblems } from "../injection/injectorRules";
import { Mesh } from "../injection/mesh";
import { sha256 } from "../certificates/pem";
import { DEFAULT_TRUST_DOMAIN } from "../pki/deployedTrust";
import { beforeChange } from "../cluster/hook";
import { TRUST_BUNDLE_ANNOTATION } from "../cluster/meshedPods";
import { DRAIN_SECONDS, drained, drainProblems } from "./drain";
import {
  INJECT_ANNOTATION,
  INJECT_MODE,
  InjectMode,
  NamespaceProxySettings,
  newerAnnotations,
  OPAQUE_PORTS_ANNOTATION,
  proxyAnnotations,
  ProxySettings,
  proxySettingProblems,
} from "./proxySettings";
import { ServicePort, servicePortProblems } from "./servicePort";
import { isServing, kindProblems, WORKLOAD_KIND, WorkloadKind } from "./workloadKind";
import { createWorkload } from "./workloadObject";

/** Annotation of the pod template that is there with another trust domain than the default one. */
const TRUST_DOMAIN_ANNOTATION = "linkerd-mtls/trust-domain";
/** Annotation of the pod template that is there with tap, which viz too gives a pod only at its creation. */
const TAP_ANNOTATION = "linkerd-mtls/tap";

/** What pods inherit from their namespace. */
export interface InheritedSettings {
  readonly inject?: InjectMode;
  readonly proxy?: NamespaceProxySettings;
}

/** Arguments of a {@link MeshedWorkload}. */
export interface MeshedWorkloadArgs {
  /** Name of the objects. Default: the component's name. */
  readonly name?: string;
  /** Namespace, e.g. the name of a `MeshedNamespace`. */
  readonly namespace: pulumi.Input<string>;
  /** Default `Deployment`. */
  readonly kind?: WorkloadKind;
  /** The pods' specification. For Job and CronJob its `restartPolicy` is `OnFailure` by default. */
  readonly podSpec: pulumi.Input<k8s.types.input.core.v1.PodSpec>;
  /** Number of pods of a Deployment or StatefulSet. Default 1. */
  readonly replicas?: pulumi.Input<number>;
  /** When a CronJob runs, e.g. `0 3 * * *`. */
  readonly schedule?: pulumi.Input<string>;
  /** Ports of a Service with the workload's name; headless for a StatefulSet. Default: no Service. */
  readonly ports?: readonly ServicePort[];
  /** Annotation of the pods, for a namespace that does not carry it. Default: none, the namespace decides. */
  readonly inject?: InjectMode;
  /** Settings of the pods' proxies. Default: none. Not with `disabled`. */
  readonly proxy?: ProxySettings;
  /**
   * Seconds that each container without a `preStop` hook serves on after its pod was told to end. 0: it ends at once.
   * Default 5. Not for Job, CronJob and pods that are not injected.
   */
  readonly drainSeconds?: number;
  /**
   * What the namespace says, where it is known. It is written on the pod template too, so that a change of it rolls the
   * pods: Linkerd reads it only when a pod is created. A Job keeps what it was created with. Default: nothing.
   */
  readonly inherited?: InheritedSettings;
  /** The mesh: its gate is asked before each roll-out, and a change of its trust bundle or trust domain rolls the pods. */
  readonly mesh: Pick<Mesh, "trustBundlePem" | "trustDomain" | "gate" | "linkerdVersion">;
}

/**
 * A workload that rolls by itself, once, when the trust bundle or the trust domain changes or tap is added, with a Service if it has ports.
 * Where its pods are not injected (`disabled`) it asks no gate and does not roll.
 */
export class MeshedWorkload extends pulumi.ComponentResource {
  /** Name of the workload. */
  public readonly name: pulumi.Output<string>;

  public constructor(name: string, args: MeshedWorkloadArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:MeshedWorkload", name, {}, opts);

    const { kind = "Deployment", mesh } = args;
    const { gate } = mesh;
    checkArgs(name, args, kind);

    // A Job's template cannot be changed, only replaced, and that would run it again.
    const inherited = kind === "Job" ? {} : (args.inherited ?? {});
    const inject = args.inject ?? inherited.inject;
    const meshed = (args.inject ?? args.inherited?.inject) !== "disabled";
    const proxy = meshed ? proxyAnnotations({ ...inherited.proxy, ...args.proxy }) : {};
    const objectName = args.name ?? name;
    const labels = { "app.kubernetes.io/name": objectName };
    const otherDomain = mesh.trustDomain !== undefined && mesh.trustDomain !== DEFAULT_TRUST_DOMAIN;
    const metadata = { name: objectName, namespace: args.namespace, labels };

    const drains = meshed && isServing(kind);
    const template = {
      metadata: {
        labels,
        annotations: {
          ...(inject && { [INJECT_ANNOTATION]: inject }),
          ...proxy,
          // One more annotation would run a Job again.
          ...(kind !== "Job" && newerAnnotations(args.proxy ?? {}, mesh.linkerdVersion)),
          ...(meshed && { [TRUST_BUNDLE_ANNOTATION]: pulumi.output(mesh.trustBundlePem).apply(sha256) }),
          ...(meshed && otherDomain && { [TRUST_DOMAIN_ANNOTATION]: mesh.trustDomain }),
          ...(meshed && gate?.tap === true && { [TAP_ANNOTATION]: "enabled" }),
        },
      },
      spec: drains ? drained(args.podSpec, args.drainSeconds) : args.podSpec,
    };
    const options: pulumi.CustomResourceOptions = {
      parent: this,
      ...(meshed &&
        gate && {
          // A new trust bundle rolls the control plane first, and the gate asks about it again.
          dependsOn: gate,
          hooks: beforeChange(gate.hook),
        }),
      // A new trust bundle or trust domain, or tap, must not run a Job again.
      ...(kind === "Job" && {
        ignoreChanges: [TRUST_BUNDLE_ANNOTATION, TRUST_DOMAIN_ANNOTATION, TAP_ANNOTATION].map(
          templateAnnotation,
        ),
      }),
    };
    const { replicas, schedule } = args;
    const workload = createWorkload(name, kind, { metadata, template, replicas, schedule }, options);

    if (args.ports !== undefined && args.ports.length > 0) {
      const opaquePorts = proxy[OPAQUE_PORTS_ANNOTATION];
      new k8s.core.v1.Service(
        `${name}-service`,
        {
          metadata: {
            ...metadata,
            annotations: {
              // Its endpoints are the workload's pods, which are awaited already; to await it too costs 10 s each time.
              "pulumi.com/skipAwait": "true",
              // Clients read it here, the pods' own proxies on the pods.
              ...(opaquePorts !== undefined && { [OPAQUE_PORTS_ANNOTATION]: opaquePorts }),
            },
          },
          spec: {
            selector: labels,
            ports: [...args.ports],
            ...(kind === "StatefulSet" && { clusterIP: "None" }),
          },
        },
        { parent: this },
      );
    }

    this.name = workload.metadata.name;
    // As it is known already, the engine need not write the whole state once more when the workload is there.
    this.registerOutputs({ name: objectName });
  }
}

function templateAnnotation(annotation: string): string {
  return `spec.template.metadata.annotations["${annotation}"]`;
}

function checkArgs(name: string, args: MeshedWorkloadArgs, kind: WorkloadKind): void {
  const { inject, inherited, proxy, ports, podSpec, drainSeconds } = args;
  const mode = inject ?? inherited?.inject;
  throwInputProblems(`MeshedWorkload ${name}`, [
    ...check("kind", kind, WORKLOAD_KIND),
    ...kindProblems(kind, args),
    ...check("inject", inject, INJECT_MODE),
    ...within("ports", servicePortProblems(ports)),
    ...check("drainSeconds", drainSeconds, DRAIN_SECONDS),
    ...(mode !== "disabled" && isServing(kind) ? drainProblems(podSpec, drainSeconds) : []),
    ...within("proxy", proxySettingProblems(proxy, "workload", mode)),
    // What is an output is not known yet.
    ...(mode === "disabled" ? [] : within("podSpec", passedOverProblems(podSpec))),
  ]);
}
