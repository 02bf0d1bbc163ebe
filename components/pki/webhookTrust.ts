import * as pulumi from "@pulumi/pulumi";

/**
 * How the API server comes to trust a webhook: by the PEM of the CA, which the chart is given; or by cert-manager, which
 * injects the CA of a Certificate, `<namespace>/<name>`, and keeps it up to date.
 */
export type WebhookTrust = { readonly caBundle: string } | { readonly injectCaFrom: string };

/** The certificates of some webhooks, by Service. What uses them does not know who issues them. */
export interface WebhookCertificates<S extends string> {
  readonly trust: Readonly<Record<S, pulumi.Output<WebhookTrust>>>;
  /** The serving certificates; undefined where cert-manager issues them, so that no deployment knows them. */
  readonly certPems?: Readonly<Record<S, pulumi.Output<string>>>;
  /** What must be there before pods mount the Secrets, whose names are fixed. */
  readonly makers: readonly pulumi.Resource[];
}
