import * as pulumi from "@pulumi/pulumi";

/** Type by which Pulumi knows cert-manager's Certificates. */
const CERTIFICATE_TYPE = "kubernetes:cert-manager.io/v1:Certificate";

/**
 * Annotations of a Secret that cert-manager may have written before. The first overwrites what cert-manager wrote, instead of reporting a conflict.
 * The second names another issuer, which makes cert-manager issue at once when it takes the Secret over; otherwise it
 * would wait until the certificate ends.
 */
export const TAKEOVER_ANNOTATIONS = {
  "pulumi.com/patchForce": "true",
  "cert-manager.io/issuer-name": "linkerd-mtls",
};

/**
 * Options of the Secret that a component writes when it issues the certificate itself, and that its Certificate
 * `certificateName` names when cert-manager does. Either can take over from the other in one deployment:
 *
 * - The Secret replaces the Certificate, which is deleted first. Otherwise cert-manager would overwrite the new Secret.
 * - With `handover`, the Secret stays in the cluster when the Certificate replaces it, so that pods which mount it never
 *   miss it. The engine takes this from the deployment before, so it must be set before it is needed. It also keeps the
 *   Secret when the stack is destroyed, until its namespace is deleted.
 */
export function takeover(certificateName: string, handover: boolean): pulumi.CustomResourceOptions {
  return {
    aliases: [{ name: certificateName, type: CERTIFICATE_TYPE }],
    replaceOnChanges: ["kind"],
    deleteBeforeReplace: true,
    retainOnDelete: handover,
  };
}
