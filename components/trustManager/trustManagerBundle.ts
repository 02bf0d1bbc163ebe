import { X509Certificate } from "node:crypto";

import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { DEFAULT_CERT_MANAGER_DEADLINE_SECONDS } from "../certManager/resources";
import { joinPems, normalizePem } from "../certificates/pem";
import { acceptanceHook } from "../cluster/acceptance";
import { ClusterAccess } from "../cluster/client";
import { beforeChange } from "../cluster/hook";
import { readinessGate } from "../cluster/readinessGate";
import {
  BUNDLE_API_VERSION,
  CONTROL_PLANE_NAMESPACE_LABELS,
  OWN_BUNDLE_LABELS,
  TRUST_ROOTS,
  TRUST_ROOTS_KEY,
} from "./trustRoots";

/** Arguments of {@link TrustManagerBundle}. */
export interface TrustManagerBundleArgs {
  /** PEMs of the trust anchors, each a source of the Bundle. */
  readonly certPems: readonly pulumi.Input<string>[];
  /** How long to wait until trust-manager has written the bundle, in seconds. Default 300. */
  readonly deadlineSeconds?: number;
  /** The cluster to ask about it, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/**
 * The trust bundle as trust-manager's Bundle `linkerd-identity-trust-roots`, which writes the ConfigMap of that name into
 * Linkerd's namespace in place of the chart. That namespace must be there before, with its labels.
 */
export class TrustManagerBundle extends pulumi.ComponentResource {
  /** The trust bundle, in the order in which trust-manager writes it: `linkerd check` compares it as text. */
  public readonly trustBundlePem: pulumi.Output<string>;

  public constructor(name: string, args: TrustManagerBundleArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:TrustManagerBundle", name, {}, opts);

    const { cluster, deadlineSeconds = DEFAULT_CERT_MANAGER_DEADLINE_SECONDS } = args;
    const spec = {
      sources: args.certPems.map((certPem) => ({ inLine: pulumi.output(certPem).apply(normalizePem) })),
      target: {
        configMap: {
          key: TRUST_ROOTS_KEY,
          // Helm must not delete the ConfigMap of the chart when the chart no longer has it.
          metadata: { annotations: { "helm.sh/resource-policy": "keep" } },
        },
        namespaceSelector: { matchLabels: CONTROL_PLANE_NAMESPACE_LABELS },
      },
    };
    const accepted = acceptanceHook(`${name}-accepted`, {
      controller: "trust-manager",
      clusterScoped: true,
      deadlineSeconds,
      cluster,
    });
    const bundle = new k8s.apiextensions.CustomResource(
      `${name}-bundle`,
      {
        apiVersion: BUNDLE_API_VERSION,
        kind: "Bundle",
        metadata: { name: TRUST_ROOTS, labels: OWN_BUNDLE_LABELS },
        spec,
      },
      { parent: this, hooks: beforeChange(accepted) },
    );
    readinessGate(
      `${name}-synced`,
      {
        objects: [{ apiVersion: BUNDLE_API_VERSION, kind: "Bundle", name: TRUST_ROOTS }],
        condition: "Synced",
        specs: spec,
        controller: "trust-manager",
        deadlineSeconds,
        cluster,
      },
      { parent: this, dependsOn: bundle },
    );
    this.trustBundlePem = pulumi.all([...args.certPems]).apply((pems) => joinPems(byFingerprint(pems)));
    this.registerOutputs({ trustBundlePem: this.trustBundlePem });
  }
}

/** The order in which trust-manager writes certificates. */
function byFingerprint(pems: readonly string[]): string[] {
  const fingerprint = (pem: string): string => new X509Certificate(pem).fingerprint256;
  return [...pems].sort((a, b) => (fingerprint(a) < fingerprint(b) ? -1 : 1));
}
