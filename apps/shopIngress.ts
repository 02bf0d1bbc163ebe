import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { MeshedWorkload, ownNamespace } from "../components";
import { SampleApplicationArgs } from "./sampleApplication";

/** Name of the controller's objects. */
const NAME = "nginx-ingress";
const IMAGE = "nginx/nginx-ingress:5.5.4";

const READ = ["get", "list", "watch"];

/** What the controller needs for Ingresses alone, without its custom resources (its deployments/rbac/rbac.yaml). */
const RULES: k8s.types.input.rbac.v1.PolicyRule[] = [
  { apiGroups: [""], resources: ["configmaps", "namespaces", "secrets", "services"], verbs: READ },
  // It labels its own pod with its version.
  { apiGroups: [""], resources: ["pods"], verbs: [...READ, "update"] },
  { apiGroups: [""], resources: ["nodes"], verbs: ["list"] },
  { apiGroups: [""], resources: ["events"], verbs: ["create", "list", "patch"] },
  { apiGroups: ["apps"], resources: ["replicasets"], verbs: ["get"] },
  { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
  { apiGroups: ["networking.k8s.io"], resources: ["ingresses", "ingressclasses"], verbs: READ },
];

/**
 * F5 NGINX Ingress Controller in the namespace `shop-ingress`, which is not annotated: its pods are meshed by their own
 * annotation, with the proxy in ingress mode.
 */
export class ShopIngress extends pulumi.ComponentResource {
  /** Name of the IngressClass. */
  public readonly className: pulumi.Output<string>;

  public constructor(name: string, args: SampleApplicationArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:ShopIngress", name, {}, opts);

    const { mesh } = args;
    const namespace = ownNamespace(
      `${name}-namespace`,
      { name },
      mesh.cluster,
      // The guard outlives the last pod.
      { parent: this, dependsOn: mesh.guard },
    );
    const metadata = { name: NAME, namespace: namespace.metadata.name };
    const account = new k8s.core.v1.ServiceAccount(`${name}-account`, { metadata }, { parent: this });
    const role = new k8s.rbac.v1.ClusterRole(
      `${name}-role`,
      { metadata: { name }, rules: RULES },
      { parent: this },
    );
    const binding = new k8s.rbac.v1.ClusterRoleBinding(
      `${name}-binding`,
      {
        metadata: { name },
        roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: role.metadata.name },
        subjects: [
          { kind: "ServiceAccount", name: account.metadata.name, namespace: namespace.metadata.name },
        ],
      },
      { parent: this },
    );
    const ingressClass = new k8s.networking.v1.IngressClass(
      `${name}-class`,
      { metadata: { name }, spec: { controller: "nginx.org/ingress-controller" } },
      { parent: this },
    );
    this.className = ingressClass.metadata.name;

    new MeshedWorkload(
      name,
      {
        name: NAME,
        namespace: namespace.metadata.name,
        inject: "ingress",
        podSpec: {
          serviceAccountName: account.metadata.name,
          containers: [
            {
              name: NAME,
              image: IMAGE,
              args: [
                pulumi.interpolate`-ingress-class=${this.className}`,
                "-enable-custom-resources=false",
                "-enable-leader-election=false",
                "-enable-snippets",
                "-enable-telemetry-reporting=false",
              ],
              env: [
                { name: "POD_NAMESPACE", valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } } },
                { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
              ],
              ports: [
                { name: "http", containerPort: 80 },
                { name: "https", containerPort: 443 },
                { name: "readiness-port", containerPort: 8081 },
              ],
              readinessProbe: { httpGet: { path: "/nginx-ready", port: "readiness-port" } },
              securityContext: {
                allowPrivilegeEscalation: false,
                runAsNonRoot: true,
                runAsUser: 101,
                capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
              },
            },
          ],
        },
        ports: [
          { name: "http", port: 80 },
          { name: "https", port: 443 },
        ],
        mesh,
      },
      // It ends when it may not read what it watches.
      { parent: this, dependsOn: binding },
    );
    this.registerOutputs({ className: this.className });
  }
}
