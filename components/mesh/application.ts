import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { PodSecurityLevel } from "../cluster/podSecurity";
import { PortAuthorizationArgs } from "./portAuthorization";
import { InjectMode, NamespaceProxySettings, ProxySettings } from "./proxySettings";
import { ServicePort } from "./servicePort";
import { WorkloadKind } from "./workloadKind";

/** A workload of an {@link ApplicationNamespace}. */
export interface Workload {
  /** Unique in its namespace. */
  readonly name: string;
  /** Default `Deployment`. */
  readonly kind?: WorkloadKind;
  /** Annotation of the pods. Default: none, the namespace decides. */
  readonly inject?: InjectMode;
  /** Number of pods of a Deployment or StatefulSet. Default 1. */
  readonly replicas?: number;
  /** When a CronJob runs, e.g. `0 3 * * *`. */
  readonly schedule?: string;
  /** Ports of a Service with the workload's name. Default: no Service. */
  readonly ports?: readonly ServicePort[];
  /** Seconds that a container serves on after its pod was told to end. Default 5; see `MeshedWorkload`. */
  readonly drainSeconds?: number;
  /** Settings of the pods' proxies, which precede the namespace's. Default: none. */
  readonly proxy?: ProxySettings;
  /** The pods' specification. */
  readonly podSpec: pulumi.Input<k8s.types.input.core.v1.PodSpec>;
}

/** Who may connect to a port of an {@link ApplicationNamespace}'s pods. */
export type Authorization = Pick<PortAuthorizationArgs, "workload" | "port" | "protocol" | "clients">;

/** A namespace of applications, with its workloads. */
export interface ApplicationNamespace {
  readonly name: string;
  /** Whether something else creates the namespace; then only what is set here is patched. Default false. */
  readonly existing?: boolean;
  /** Default `enabled`; for an existing namespace none: its annotation is left as it is. */
  readonly inject?: InjectMode;
  /** Pod security level to enforce. Default: none; an existing namespace keeps its own. */
  readonly podSecurity?: PodSecurityLevel;
  /** Settings that pods inherit. Default: none. */
  readonly proxy?: NamespaceProxySettings;
  /** Default: none. */
  readonly workloads?: readonly Workload[];
  /** Who may connect to which ports. Default: whoever the pods' default inbound policy lets in. */
  readonly authorization?: readonly Authorization[];
}
