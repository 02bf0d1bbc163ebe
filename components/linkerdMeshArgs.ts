import * as pulumi from "@pulumi/pulumi";

import { CertManagerArgs } from "./certManager/certManager";
import { IssuerRef } from "./certManager/resources";
import { Rotation } from "./certManager/rotation";
import { ChartValues } from "./chartValues";
import { ClusterAccess } from "./cluster/client";
import { DeployedMesh } from "./controlPlane/deployedMesh";
import { ControlPlaneSettings } from "./controlPlane/settings";
import { ChartSource } from "./controlPlane/version";
import { VizSettings } from "./extensions/linkerdViz";
import { GuardMode } from "./injection/meshGuard";
import { ApplicationNamespace } from "./mesh/application";
import { MonitoringSettings } from "./monitoring/linkerdMonitoring";
import { ProvidedIssuer } from "./pki/identityIssuer";
import { IssuanceArgs } from "./pki/keyGeneration";
import { WebhookIssuanceArgs } from "./pki/webhookCas";
import { WebhookRotation } from "./pki/webhookCertificates";
import { TrustManagerArgs } from "./trustManager/trustManager";

/** One trust anchor of a mesh. */
export interface MeshTrustAnchor extends IssuanceArgs {
  /** Goes into resource names, so adding or removing an anchor renames no other. */
  readonly id: string;
  /** PEM of an anchor whose key is kept elsewhere. Default: one is generated. */
  readonly certificate?: string;
}

/** What cert-manager and trust-manager do for a mesh. */
export interface MeshRotation {
  /** cert-manager; with `install: false` it exists already. */
  readonly certManager: Omit<CertManagerArgs, "cluster" | "values"> & {
    readonly install: boolean;
    /** How long to wait for what cert-manager and trust-manager write, in seconds. Default 300. */
    readonly deadlineSeconds?: number;
  };
  /** How cert-manager issues the identity issuer. Default: with the signing anchor. */
  readonly identity: Partial<Rotation> & { readonly issuerRef?: IssuerRef };
  /** How cert-manager issues the webhooks' certificates. Default: they are generated. */
  readonly webhooks?: WebhookRotation;
  /** Has trust-manager write the trust bundle; with `install: false` it exists already. Default: the chart writes it. */
  readonly trustManager?: Omit<
    TrustManagerArgs,
    "cluster" | "existingNamespace" | "highAvailability" | "values"
  > & {
    readonly install: boolean;
  };
}

/** Arguments of a {@link LinkerdMesh}: plain data, but for secrets. What is left out is as documented for the part it is for. */
export interface LinkerdMeshArgs {
  /** The cluster, the same as the Kubernetes provider's; an empty object for the ambient kubeconfig. */
  readonly cluster: ClusterAccess;
  /** Linkerd's release and where its charts come from. */
  readonly charts?: ChartSource;
  /** Trust domain. Default `cluster.local`. */
  readonly trustDomain?: string;
  /** In the order of the trust bundle. Default: one with the id `primary` is generated. */
  readonly trustAnchors?: readonly MeshTrustAnchor[];
  /** id of the anchor that signs the issuer. Default: the only one. */
  readonly signingAnchor?: string;
  /** Key of the signing anchor where that has a certificate. */
  readonly trustAnchorKey?: pulumi.Input<string>;
  /** How the issuer is signed here. */
  readonly issuer?: IssuanceArgs;
  /** The issuer, where it is not signed here. */
  readonly providedIssuer?: ProvidedIssuer;
  /** Validity of the proxies' certificates, in seconds. Default a day. */
  readonly issuanceLifetime?: number;
  /** How the webhooks' certificates are signed here, and by which CA. */
  readonly webhookCertificates?: WebhookIssuanceArgs;
  /** Has cert-manager issue and renew certificates. Default: they change only with the configuration. */
  readonly rotation?: MeshRotation;
  /** Default `deny`. */
  readonly guardMode?: GuardMode;
  /** How long each gate waits for injection, in seconds. Default 300. */
  readonly gateDeadlineSeconds?: number;
  /**
   * Existing namespace in which each gate tries a pod. Default: the first of the `namespaces` that exists already and is
   * injected, otherwise `default`.
   */
  readonly gateNamespace?: string;
  /** Choices for the control plane. */
  readonly controlPlane?: ControlPlaneSettings;
  /** Whether generated anchors and namespaces must be unprotected before they can be deleted. Default false. */
  readonly protect?: boolean;
  /** Whether the cluster has Linkerd's CNI plugin. Default false. */
  readonly cniEnabled?: boolean;
  /** Whether kube-system gets the label that keeps Linkerd's webhooks away. Default false. */
  readonly labelKubeSystem?: boolean;
  /** Installs the viz extension. Default: it is not installed. */
  readonly viz?: VizSettings;
  /** Makes alerts for the Prometheus operator, which must be on the cluster, and a dashboard for Grafana. Default: none. */
  readonly monitoring?: MonitoringSettings;
  /** Further Helm values, by the name of the chart. Default: none. */
  readonly values?: ChartValues;
  /**
   * What the cluster has of Linkerd, as `checkCluster` reads it: a change that would cut its traffic is refused. Default:
   * nothing is compared.
   */
  readonly deployed?: DeployedMesh;
  /** Names the one change that is let through although it cuts traffic, as its refusal says it. Default: none. */
  readonly acceptOutage?: string;
  /** Application namespaces with their workloads. Default: none. */
  readonly namespaces?: readonly ApplicationNamespace[];
}
