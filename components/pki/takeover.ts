import * as pulumi from "@pulumi/pulumi";

import { isAdopted } from "../cluster/adoption";
import { ClusterAccess } from "../cluster/client";
import { removeLeftover } from "../cluster/leftover";

/** Type by which Pulumi knows cert-manager's Certificates. */
const CERTIFICATE_TYPE = "kubernetes:cert-manager.io/v1:Certificate";

/** Annotation of a Secret with the issuer of its certificate; of one that this program writes, this program. */
const ISSUER_ANNOTATION = "cert-manager.io/issuer-name";
const ISSUER = "linkerd-mtls";

/**
 * Annotations of a Secret that cert-manager may have written before. The first overwrites what cert-manager wrote, instead of reporting a conflict.
 * The second names another issuer, which makes cert-manager issue at once when it takes the Secret over; otherwise it
 * would wait until the certificate ends.
 */
export const TAKEOVER_ANNOTATIONS = { "pulumi.com/patchForce": "true", [ISSUER_ANNOTATION]: ISSUER };

/** Arguments of {@link takeover}. */
export interface TakeoverArgs {
  /** Name of the Secret's resource. */
  readonly name: string;
  /** Name of the resource for cert-manager's Certificate. */
  readonly resource: string;
  /** Whether the Secret stays when the Certificate replaces it. */
  readonly handover: boolean;
  readonly cluster: ClusterAccess;
}

/**
 * Options of the Secret that a component writes when it issues the certificate itself, and that its Certificate names when
 * cert-manager does. Either can take over from the other in one deployment:
 *
 * - The Secret replaces the Certificate, which is deleted first. Otherwise cert-manager would overwrite the new Secret. What
 *   cert-manager wrote for this stack is deleted just before the Secret is created: pods that have mounted it keep their
 *   files, and one that starts in this moment waits for it. A Secret of others is an error.
 * - So is the Secret of others that this stack may take over: its type cannot be changed.
 * - With `handover`, the Secret stays in the cluster when the Certificate replaces it, so that pods which mount it never
 *   miss it. The engine takes this from the deployment before, so it must be set before it is needed. It also keeps the
 *   Secret when the stack is destroyed, until its namespace is deleted.
 */
export function takeover(args: TakeoverArgs): pulumi.CustomResourceOptions {
  const { name, resource, handover, cluster } = args;
  const leftover = removeLeftover(
    `${name}-leftover`,
    cluster,
    ({ name: secret = "", namespace, annotations = {} }) =>
      // It has written it itself, and Pulumi was killed, or it has kept it for cert-manager.
      annotations[ISSUER_ANNOTATION] === ISSUER || isAdopted(cluster, "Secret", secret, namespace),
  );
  return {
    aliases: [{ name: resource, type: CERTIFICATE_TYPE }],
    replaceOnChanges: ["kind"],
    deleteBeforeReplace: true,
    retainOnDelete: handover,
    hooks: { beforeCreate: [leftover] },
  };
}

/**
 * A name that only certificates of cert-manager have. Without a difference cert-manager may take one that is signed here
 * for its own, annotations or not, and renew it only near its end: it then has another validity, and another CA where
 * cert-manager rotates that.
 */
export function nameByCertManager(name: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.interpolate`renewed.${name}`;
}
