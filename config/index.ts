import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess, LinkerdMeshArgs, RollSettings, Workload } from "../components";
import { oneOf } from "../components/rules";
import { readCertificates } from "./certificates";
import { checkCharts, checkValues } from "./charts";
import { filled } from "./controlPlane";
import { ConfigStack, KEYS } from "./keys";
import { checkNamespaces, NamespaceConfig, withOpaqueProtocols } from "./namespaces";
import { value } from "./reading";
import { Stack } from "./stack";
import { reservedNamespaces } from "./reservedNamespaces";

/** Arguments of the mesh that a stack need not have. */
type Optional =
  | "acceptOutage"
  | "deployed"
  | "gateNamespace"
  | "trustAnchorKey"
  | "providedIssuer"
  | "rotation"
  | "viz"
  | "monitoring";

/** A stack's configuration, checked: the mesh, and what is deployed to it. Every key is described in docs/configuration.md. */
export interface StackConfig<A extends string = string>
  extends Required<Omit<LinkerdMeshArgs, Optional>>, Pick<LinkerdMeshArgs, Optional> {
  readonly namespaces: readonly NamespaceConfig[];
  readonly sampleApplications: readonly A[];
  /** Workloads of others that are rolled when they lack the trust bundle. Default: none. */
  readonly rolls?: RollSettings;
}

/** Sample applications by name, each with the namespaces that it creates. */
export type Applications<A extends string> = Readonly<Record<A, { readonly namespaces: readonly string[] }>>;

/** Reads and checks the whole configuration; throws one error that has every problem. */
export function readConfig<A extends string>(applications: Applications<A>): StackConfig<A> {
  const stack: ConfigStack = new Stack(KEYS);
  const { settings } = stack;
  const { cniEnabled, proxyInit } = settings;
  const sampleApplications = readSampleApplications(stack, applications);
  checkCharts(stack);
  checkValues(stack);
  checkNamespaces(stack.at("namespaces"), settings.namespaces, {
    cniEnabled,
    initAsRoot: proxyInit.runAsRoot ?? false,
    reserved: reservedNamespaces(
      stack,
      sampleApplications.flatMap((name) => applications[name].namespaces),
    ),
  });
  const { enabled: vizEnabled, ...viz } = settings.viz;
  const { enabled: monitored, ...monitoring } = settings.monitoring;
  const { workloads: rolled, ...rolls } = settings.rolls;
  const opaquePorts = filled(settings.opaquePorts);
  const config: StackConfig<A> = {
    charts: { version: settings.linkerdVersion, source: settings.chartSource },
    trustDomain: settings.trustDomain,
    ...readCertificates(stack),
    guardMode: settings.guardMode,
    gateDeadlineSeconds: settings.gateDeadlineSeconds,
    gateNamespace: settings.gateNamespace,
    controlPlane: {
      highAvailability: settings.highAvailability,
      webhookFailurePolicy: settings.webhookFailurePolicy,
      opaquePorts,
      proxyInit: Object.values(proxyInit).some((set) => set !== undefined) ? proxyInit : undefined,
      imageRegistry: settings.imageRegistry,
      imagePullSecrets: filled(settings.imagePullSecrets),
    },
    protect: settings.protect,
    acceptOutage: settings.acceptOutage,
    rolls: rolled === undefined ? undefined : { workloads: rolled, ...rolls },
    cniEnabled,
    labelKubeSystem: settings.labelKubeSystem,
    viz: vizEnabled === true ? viz : undefined,
    monitoring: monitored === true ? monitoring : undefined,
    values: settings.values,
    sampleApplications,
    namespaces: settings.namespaces
      .map((namespace) => withOpaqueProtocols(namespace, opaquePorts))
      .map((namespace) => (stack.isSecret("namespaces") ? withSecretPods(namespace) : namespace)),
    cluster: readCluster(stack),
  };
  stack.throwProblems();
  return config;
}

/** Key `sampleApplications`. A name that is repeated counts once. */
function readSampleApplications<A extends string>(stack: ConfigStack, applications: Applications<A>): A[] {
  // Object.keys forgets the names.
  const application = oneOf(Object.keys(applications) as A[]);
  const place = stack.at("sampleApplications");
  const names = stack.settings.sampleApplications.map((_, index) =>
    value(application)(place.at(`[${index}]`)),
  );
  return [...new Set(names)].filter((name) => name !== undefined);
}

/** What is a secret in the configuration is one in the state. */
function withSecretPods(namespace: NamespaceConfig): NamespaceConfig {
  const secret = (workload: Workload): Workload => ({
    ...workload,
    podSpec: pulumi.secret(workload.podSpec),
  });
  return { ...namespace, workloads: namespace.workloads.map(secret) };
}

/** The gate has a client of its own, which must ask the same cluster as the Kubernetes provider changes. */
function readCluster(stack: ConfigStack): ClusterAccess {
  const kubernetes = new pulumi.Config("kubernetes");
  if (kubernetes.get("cluster") !== undefined) {
    stack.report({
      path: "kubernetes:cluster",
      rule: "must not be set (the injection gate follows kubernetes:kubeconfig and kubernetes:context)",
      found: "is set",
      fixes: [{ remove: "kubernetes:cluster" }, { set: "kubernetes:context", to: "<context>" }],
    });
  }
  const { adopt } = stack.settings;
  return {
    kubeconfig: kubernetes.get("kubeconfig"),
    context: kubernetes.get("context"),
    ...(adopt.objects.length > 0 && { adopt }),
  };
}
