import * as pulumi from "@pulumi/pulumi";

/** Type by which Pulumi knows cert-manager's Certificates. */
const CERTIFICATE_TYPE = "kubernetes:cert-manager.io/v1:Certificate";

/**
 * Annotations of such a Secret. What cert-manager wrote last is overwritten, instead of reported as a conflict; and the
 * name of another issuer is its reason to issue anew, where it would otherwise be content until the certificate ends.
 */
export const TAKEOVER_ANNOTATIONS = {
  "pulumi.com/patchForce": "true",
  "cert-manager.io/issuer-name": "linkerd-mtls",
};

/** URN of a Certificate that was a child of a component. */
export function formerCertificate(
  componentType: string,
  componentName: string,
  certificateName: string,
  parent?: pulumi.Resource,
): pulumi.Output<pulumi.URN> {
  const component = pulumi.createUrn(componentName, componentType, parent);
  return pulumi.createUrn(certificateName, CERTIFICATE_TYPE, component);
}

/**
 * Options of a Secret whose name cert-manager may have used, or may come to use. The Secret replaces the Certificate,
 * which is deleted first: otherwise cert-manager would see a foreign certificate and write its own again. And it stays
 * in the cluster when the program lets go of it, for cert-manager to write or for its namespace to take along; pods that
 * mount it never miss it.
 */
export function takeover(certificate?: pulumi.Input<pulumi.URN>): pulumi.CustomResourceOptions {
  return {
    retainOnDelete: true,
    ...(certificate !== undefined && {
      aliases: [certificate],
      replaceOnChanges: ["kind"],
      deleteBeforeReplace: true,
    }),
  };
}
