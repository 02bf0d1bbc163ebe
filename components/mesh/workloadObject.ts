import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { WorkloadKind } from "./workloadKind";

/** What a workload is made of. */
interface WorkloadParts {
  readonly metadata: {
    readonly name: string;
    readonly namespace: pulumi.Input<string>;
    readonly labels: Record<string, string>;
  };
  readonly template: {
    readonly metadata: {
      readonly labels: Record<string, string>;
      readonly annotations: Record<string, pulumi.Input<string>>;
    };
    readonly spec: pulumi.Input<k8s.types.input.core.v1.PodSpec>;
  };
  /** Default 1. */
  readonly replicas?: pulumi.Input<number>;
  readonly schedule?: pulumi.Input<string>;
}

/** A workload of any kind. */
type Workload =
  | k8s.apps.v1.Deployment
  | k8s.apps.v1.StatefulSet
  | k8s.apps.v1.DaemonSet
  | k8s.batch.v1.Job
  | k8s.batch.v1.CronJob;

/** Creates the object that creates a workload's pods. */
export function createWorkload(
  name: string,
  kind: WorkloadKind,
  parts: WorkloadParts,
  options: pulumi.CustomResourceOptions,
): Workload {
  const { metadata, template, replicas = 1, schedule = "" } = parts;
  const selector = { matchLabels: metadata.labels };
  switch (kind) {
    case "Deployment":
      return new k8s.apps.v1.Deployment(
        `${name}-deployment`,
        { metadata, spec: { replicas, selector, template } },
        options,
      );
    case "StatefulSet":
      return new k8s.apps.v1.StatefulSet(
        `${name}-statefulset`,
        { metadata, spec: { replicas, selector, serviceName: metadata.name, template } },
        options,
      );
    case "DaemonSet":
      return new k8s.apps.v1.DaemonSet(
        `${name}-daemonset`,
        { metadata, spec: { selector, template } },
        options,
      );
    case "Job":
      return new k8s.batch.v1.Job(`${name}-job`, { metadata, spec: { template: ending(template) } }, options);
    case "CronJob":
      return new k8s.batch.v1.CronJob(
        `${name}-cronjob`,
        { metadata, spec: { schedule, jobTemplate: { spec: { template: ending(template) } } } },
        options,
      );
  }
}

/** A template for pods that end: the API server takes no Job with the default policy `Always`. */
function ending(template: WorkloadParts["template"]): WorkloadParts["template"] {
  const spec = pulumi.output(template.spec).apply((given) => ({ restartPolicy: "OnFailure", ...given }));
  return { ...template, spec };
}
