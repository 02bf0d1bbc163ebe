import * as pulumi from "@pulumi/pulumi";

import { ClusterAccess } from "../cluster/client";
import { IssuanceArgs } from "../pki/keyGeneration";
import { formerCertificate } from "../pki/takeover";
import { WebhookCa } from "../pki/webhookCa";
import { WebhookCertificate } from "../pki/webhookCertificate";
import { WebhookCertificates } from "../pki/webhookTrust";
import { ROTATING_WEBHOOKS, RotatingWebhooks, WebhookRotation } from "./rotatingWebhooks";

/** Who issues webhooks' certificates, and how. */
export interface WebhookIssuance {
  /** How they are issued here. Default: for one year (8760 h). No effect with `webhookRotation`. */
  readonly webhookCertificates?: IssuanceArgs;
  /** How cert-manager issues and renews them. Default: it does not. */
  readonly webhookRotation?: WebhookRotation;
  /** cert-manager, where this program installs it. */
  readonly certManager?: pulumi.Resource;
  /** The cluster to ask about its certificates, the same as the Kubernetes provider's. Default: the ambient kubeconfig. */
  readonly cluster?: ClusterAccess;
}

/** Arguments of {@link webhookCertificates}. */
export interface WebhookCertificatesArgs<S extends string> extends WebhookIssuance {
  /** Namespace of the webhooks. */
  readonly namespace: pulumi.Input<string>;
  /** Names of the webhooks' Services. */
  readonly services: readonly S[];
  /** What precedes a Service in the name of its `WebhookCertificate`. */
  readonly prefix: string;
}

/** The certificates of a namespace's webhooks, issued here or by cert-manager, under the same CA. */
export function webhookCertificates<S extends string>(
  name: string,
  args: WebhookCertificatesArgs<S>,
  opts: pulumi.ComponentResourceOptions = {},
): WebhookCertificates<S> {
  const { namespace, services, webhookRotation: rotation, certManager, cluster } = args;
  const ca = new WebhookCa(`${name}-ca`, { namespace }, opts).signer;
  if (rotation !== undefined) {
    const rotating = new RotatingWebhooks(
      name,
      { ...rotation, namespace, services, ca, cluster },
      { ...opts, dependsOn: certManager },
    );
    return { trust: rotating.trust, makers: [rotating] };
  }
  const certificates = services.map(
    (service) =>
      new WebhookCertificate(
        `${args.prefix}${service}`,
        {
          ...args.webhookCertificates,
          service,
          namespace,
          ca,
          formerCertificate: formerCertificate(ROTATING_WEBHOOKS, name, `${name}-${service}`, opts.parent),
        },
        opts,
      ),
  );
  // Object.fromEntries forgets the names.
  const byService = <T>(value: (certificate: WebhookCertificate) => T): Record<S, T> =>
    Object.fromEntries(
      certificates.map((certificate, index) => [services[index], value(certificate)]),
    ) as Record<S, T>;
  return {
    trust: byService(({ trust }) => trust),
    certPems: byService(({ certPem }) => certPem),
    makers: certificates,
  };
}
