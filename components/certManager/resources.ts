import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { readinessGate } from "../cluster/readinessGate";
import { acceptanceHook } from "../cluster/acceptance";
import { beforeChange } from "../cluster/hook";
import { marked } from "../cluster/ownership";
import { Rotation } from "./rotation";

/** Default of how long to wait for cert-manager, in seconds. */
export const DEFAULT_CERT_MANAGER_DEADLINE_SECONDS = 300;

/** Names an issuer of cert-manager. */
export interface IssuerRef {
  /** Name of the issuer. */
  readonly name: string;
  /** `Issuer` in the same namespace, `ClusterIssuer`, or the kind of an external issuer. Default `Issuer`. */
  readonly kind?: string;
  /** API group of the kind. Default `cert-manager.io`. */
  readonly group?: string;
}

/** Specification of an Issuer: it signs for itself, or with the CA of a Secret. */
export type IssuerSpec =
  { readonly selfSigned: Record<string, never> } | { readonly ca: { readonly secretName: string } };

/** Specification of a Certificate, as far as it is used here. https://cert-manager.io/docs/reference/api-docs/ */
export interface CertificateSpec extends Rotation {
  readonly secretName: string;
  readonly issuerRef: Required<IssuerRef>;
  readonly commonName: pulumi.Input<string>;
  readonly dnsNames?: readonly pulumi.Input<string>[];
  readonly subject?: { readonly serialNumber: pulumi.Input<string> };
  readonly isCA?: true;
  readonly privateKey: {
    readonly algorithm: "ECDSA";
    readonly size: 256;
    readonly encoding?: "PKCS8";
    readonly rotationPolicy: "Always" | "Never";
  };
  readonly usages: readonly string[];
}

/** A Certificate's specification with what cert-manager writes on its Secret: the mark of this stack. */
interface MarkedSpec extends CertificateSpec {
  readonly secretTemplate: { readonly annotations: Readonly<Record<string, pulumi.Input<string>>> };
}

/** Where a component's objects of cert-manager are, and how long to wait for them. */
export interface Placement {
  readonly namespace: pulumi.Input<string>;
  /** How long to wait until they are Ready, in seconds. Default 300. */
  readonly deadlineSeconds?: number;
  /** The cluster to ask about them, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

const API_VERSION = "cert-manager.io/v1";

/** A reference to an issuer with all of its fields, because cert-manager fills in missing ones. */
export function issuerRef({
  name,
  kind = "Issuer",
  group = "cert-manager.io",
}: IssuerRef): Required<IssuerRef> {
  return { name, kind, group };
}

/** A Certificate and what is asked of it. */
interface Issued {
  readonly name: string;
  readonly spec: MarkedSpec;
  readonly resource: k8s.apiextensions.CustomResource;
}

/** Creates the Issuers and Certificates of one component, in one namespace. */
export class CertManagerObjects {
  private readonly placement: Required<Placement>;
  private readonly accepted: pulumi.ResourceHook;

  /** `prefix` begins the names of hooks; `parent` is the component. */
  public constructor(
    private readonly prefix: string,
    placement: Placement,
    private readonly parent: pulumi.ComponentResource,
  ) {
    const { deadlineSeconds = DEFAULT_CERT_MANAGER_DEADLINE_SECONDS } = placement;
    this.placement = { ...placement, deadlineSeconds };
    this.accepted = acceptanceHook(`${prefix}-accepted`, { controller: "cert-manager", ...this.placement });
  }

  /** An Issuer. */
  public issuer(
    resourceName: string,
    name: string,
    spec: IssuerSpec,
    dependsOn?: pulumi.CustomResourceOptions["dependsOn"],
  ): k8s.apiextensions.CustomResource {
    return this.create(resourceName, "Issuer", name, spec, dependsOn);
  }

  /** A Certificate; see {@link ready}. */
  public certificate(
    resourceName: string,
    name: string,
    spec: CertificateSpec,
    dependsOn?: pulumi.CustomResourceOptions["dependsOn"],
  ): Issued {
    const annotations = marked(this.placement.cluster);
    const markedSpec = { ...spec, secretTemplate: { annotations } };
    const resource = this.create(resourceName, "Certificate", name, markedSpec, dependsOn);
    return { name, spec: markedSpec, resource };
  }

  /** Resolves once the Certificates are Ready. */
  public ready(suffix: string, certificates: readonly Issued[]): pulumi.CustomResource {
    const { namespace, deadlineSeconds, cluster } = this.placement;
    return readinessGate(
      `${this.prefix}-${suffix}`,
      {
        objects: certificates.map(({ name }) =>
          pulumi.output(namespace).apply((place) => ({
            apiVersion: API_VERSION,
            kind: "Certificate",
            namespace: place,
            name,
          })),
        ),
        condition: "Ready",
        specs: certificates.map(({ spec }) => spec),
        controller: "cert-manager",
        deadlineSeconds,
        cluster,
      },
      { parent: this.parent, dependsOn: certificates.map(({ resource }) => resource) },
    );
  }

  private create(
    resourceName: string,
    kind: "Issuer" | "Certificate",
    name: string,
    spec: object,
    dependsOn?: pulumi.CustomResourceOptions["dependsOn"],
  ): k8s.apiextensions.CustomResource {
    const { namespace } = this.placement;
    return new k8s.apiextensions.CustomResource(
      resourceName,
      { apiVersion: API_VERSION, kind, metadata: { name, namespace }, spec },
      {
        parent: this.parent,
        dependsOn,
        hooks: beforeChange(this.accepted),
      },
    );
  }
}
