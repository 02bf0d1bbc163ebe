import { X509Certificate } from "node:crypto";

import * as pulumi from "@pulumi/pulumi";

/** What may be shown of a certificate. */
export interface CertificateSummary {
  /** SHA-256 of the DER form, upper-case hex pairs joined by colons, as `openssl x509 -fingerprint` prints it. */
  readonly fingerprint: string;
  /** The last moment of its validity, ISO 8601 in UTC. */
  readonly notAfter: string;
}

/** Fingerprint and end of a PEM certificate. */
export function summarize(certPem: pulumi.Input<string>): pulumi.Output<CertificateSummary> {
  return pulumi.output(certPem).apply((pem) => {
    const certificate = new X509Certificate(pem);
    return {
      fingerprint: certificate.fingerprint256,
      notAfter: new Date(certificate.validTo).toISOString(),
    };
  });
}
