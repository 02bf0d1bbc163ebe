import type { CoreV1Api, V1ConfigMap, V1Secret } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";
import { parse } from "yaml";

import { ClusterAccess, connect, describeError } from "../cluster/client";
import { DeployedTrust, expiredSince, liveCertificates } from "../pki/deployedTrust";
import { IDENTITY_ISSUER_SECRET } from "../pki/identityIssuer";
import { DeployedWebhook } from "../pki/webhookChange";
import { TRUST_ROOTS, TRUST_ROOTS_KEY } from "../trustManager/trustRoots";
import { parseDuration } from "../validation/duration";
import { LINKERD_NAMESPACE } from "./linkerdNamespace";
import { readRunningTrust, written } from "./runningTrust";

/** What a cluster has of Linkerd, before a deployment. What is not there is undefined or empty. */
export interface DeployedMesh extends DeployedTrust {
  /** Release of the control plane, e.g. `edge-26.6.3`. */
  readonly linkerdVersion?: string;
  /** uid of the namespace kube-system, which tells one cluster from another. */
  readonly clusterUid?: string;
  /** Reads once which CAs the API server has for webhooks. Default: they are not asked. */
  readonly readWebhooks?: () => Promise<readonly DeployedWebhook[]>;
}

const KUBE_SYSTEM = "kube-system";

/** ConfigMap with the values of the control plane's chart. */
const LINKERD_CONFIG = "linkerd-config";

/** Neither a preview nor `up` waits longer for an answer. */
const TIMEOUT_MS = 10_000;

/** Of the certificates of proxies, in Linkerd's chart. */
const DEFAULT_LIFETIME_SECONDS = 86_400;

/** Values of the control plane's chart, as far as they matter here. */
interface Values {
  readonly identity?: { readonly issuer?: { readonly issuanceLifetime?: string } };
  readonly identityTrustDomain?: string;
  readonly linkerdVersion?: string;
}

/**
 * Reads what is deployed: the trust bundle, the issuer's certificate, the control plane's trust domain and release.
 * Undefined without a kubeconfig, and in a preview, with a warning, where the cluster does not answer.
 *
 * @throws RunError where `up` gets no answer, or the deploying user must not read one of them.
 */
export async function readDeployedMesh(cluster: ClusterAccess): Promise<DeployedMesh | undefined> {
  // It is the Kubernetes provider's to report that there is none.
  const api = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS).catch(() => undefined);
  try {
    return api && (await read(api, cluster));
  } catch (error) {
    const { status, message } = describeError(error);
    const problem = [
      `the cluster does not say what is deployed, so a change that cuts traffic would not be noticed: ${message}`,
      `    the deploying user must be allowed to get namespace ${KUBE_SYSTEM} and, in namespace ${LINKERD_NAMESPACE}, ` +
        `configmaps and Secret ${IDENTITY_ISSUER_SECRET}; see kubectl auth can-i --list -n ${LINKERD_NAMESPACE}`,
    ].join("\n");
    if (status === undefined && pulumi.runtime.isDryRun()) {
      await pulumi.log.warn(problem);
      return undefined;
    }
    throw new pulumi.RunError(problem);
  }
}

async function read(api: CoreV1Api, cluster: ClusterAccess): Promise<DeployedMesh> {
  const [system, { trustRoots, values, issuerPem, issuerWritten }] = await Promise.all([
    api.readNamespace({ name: KUBE_SYSTEM }),
    readMeshObjects(api),
  ]);
  const lifetime = parseDuration(values.identity?.issuer?.issuanceLifetime ?? "") ?? DEFAULT_LIFETIME_SECONDS;
  return {
    clusterUid: system.metadata?.uid,
    trustDomain: values.identityTrustDomain,
    linkerdVersion: values.linkerdVersion,
    anchors: liveCertificates(trustRoots?.data?.[TRUST_ROOTS_KEY] ?? ""),
    issuer: liveCertificates(issuerPem),
    issuerWritten,
    issuerExpired: expiredSince(issuerPem),
    readRunning: () => readRunningTrust(cluster, lifetime),
  };
}

/** The objects that say what a mesh trusts, as the cluster has them. */
export interface MeshObjects {
  /** ConfigMap with the trust bundle. */
  readonly trustRoots?: V1ConfigMap;
  /** Values of the control plane's chart; empty where there are none. */
  readonly values: Values;
  /** Certificate of the issuer; empty where there is none, or it was not asked for. Never its key. */
  readonly issuerPem: string;
  /** When its Secret was last written, as far as the cluster says. */
  readonly issuerWritten?: Date;
}

/** Reads them. `withIssuer`: whether the Secret of the issuer is read, too. */
export async function readMeshObjects(api: CoreV1Api, withIssuer = true): Promise<MeshObjects> {
  const namespace = LINKERD_NAMESPACE;
  const [trustRoots, config, secret] = await Promise.all([
    unlessAbsent(api.readNamespacedConfigMap({ name: TRUST_ROOTS, namespace })),
    unlessAbsent(api.readNamespacedConfigMap({ name: LINKERD_CONFIG, namespace })),
    withIssuer
      ? unlessAbsent(api.readNamespacedSecret({ name: IDENTITY_ISSUER_SECRET, namespace }))
      : undefined,
  ]);
  return {
    trustRoots,
    values: (parse(config?.data?.values ?? "") ?? {}) as Values,
    issuerPem: issuerPemOf(secret),
    issuerWritten: written(secret),
  };
}

/** The certificate in the issuer's Secret. Never its key. */
export function issuerPemOf(secret: V1Secret | undefined): string {
  // The chart's own Secret has it under another name.
  const issuer = secret?.data?.["tls.crt"] ?? secret?.data?.["crt.pem"] ?? "";
  return Buffer.from(issuer, "base64").toString();
}

/** Whether it is known that no mesh was deployed before. */
export function isNewMesh(deployed: DeployedMesh | undefined): boolean {
  return deployed !== undefined && deployed.linkerdVersion === undefined;
}

/** What a request answers; undefined where there is no such object, or no such kind. */
export async function unlessAbsent<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (describeError(error).status === 404) {
      return undefined;
    }
    throw error;
  }
}
