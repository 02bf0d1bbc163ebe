import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

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

/** Where an object of cert-manager is, and how long to wait until it is Ready. */
export interface Placement {
  readonly name: string;
  readonly namespace: pulumi.Input<string>;
  readonly deadlineSeconds: number;
}

/** Refers to an issuer with all of its fields, because cert-manager fills in what is missing. */
export function issuerRef({
  name,
  kind = "Issuer",
  group = "cert-manager.io",
}: IssuerRef): Required<IssuerRef> {
  return { name, kind, group };
}

/** An Issuer, awaited until it is Ready. */
export function issuer(
  name: string,
  placement: Placement,
  spec: IssuerSpec,
  opts: pulumi.CustomResourceOptions,
): k8s.apiextensions.CustomResource {
  return awaited(name, "Issuer", placement, spec, opts);
}

/** A Certificate, awaited until it is Ready. */
export function certificate(
  name: string,
  placement: Placement,
  spec: CertificateSpec,
  opts: pulumi.CustomResourceOptions,
): k8s.apiextensions.CustomResource {
  return awaited(name, "Certificate", placement, spec, opts);
}

function awaited(
  resourceName: string,
  kind: "Issuer" | "Certificate",
  { name, namespace, deadlineSeconds }: Placement,
  spec: object,
  opts: pulumi.CustomResourceOptions,
): k8s.apiextensions.CustomResource {
  const timeout = `${deadlineSeconds}s`;
  return new k8s.apiextensions.CustomResource(
    resourceName,
    {
      apiVersion: "cert-manager.io/v1",
      kind,
      metadata: { name, namespace, annotations: { "pulumi.com/waitFor": "condition=Ready" } },
      spec,
    },
    { ...opts, customTimeouts: { create: timeout, update: timeout } },
  );
}
