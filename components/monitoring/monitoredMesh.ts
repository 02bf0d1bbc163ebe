import type * as pulumi from "@pulumi/pulumi";

import { Rotation } from "../certManager/rotation";
import { DEFAULT_ISSUANCE_LIFETIME } from "../controlPlane/linkerdControlPlane";
import { LINKERD_NAMESPACE, VIZ_NAMESPACE } from "../controlPlane/linkerdNamespace";
import { CONTROL_PLANE_WEBHOOKS } from "../controlPlane/values";
import { isOlder } from "../controlPlane/version";
import { VIZ_WEBHOOKS } from "../extensions/vizValues";
import { validityOf } from "../pki/expiry";
import { IDENTITY_ISSUER_SECRET, IDENTITY_ROTATION } from "../pki/identityIssuer";
import { WEBHOOK_CA, WEBHOOK_ROTATION, WebhookRotation } from "../pki/webhookCertificates";
import { parseDuration } from "../validation/duration";
import {
  KnownCertificate,
  reloadThresholds,
  RenewedCertificates,
  replacementThresholds,
} from "./certificateAlerts";
import { MonitoredMesh } from "./rules";

/** The first release whose identity service has the metric of its issuer. */
const ISSUER_METRIC_SINCE = "edge-25.2.1";

/** The certificates of a mesh, and how they are renewed. */
export interface MonitoredCertificates {
  /** PEMs of certificates that nothing renews, by what they are, e.g. `trust anchor 2026`; without the issuer. */
  readonly certPems: Readonly<Record<string, pulumi.Input<string>>>;
  /** PEM of the issuer. Default: cert-manager issues it, as `rotation` says. */
  readonly issuerPem?: pulumi.Input<string>;
  /** How cert-manager renews certificates. Default: it renews none. */
  readonly rotation?: {
    readonly identity: Partial<Rotation>;
    /** Default: `certPems` has the webhooks' certificates. */
    readonly webhooks?: WebhookRotation;
  };
  /** Validity of the proxies' certificates, in seconds. Default a day. */
  readonly issuanceLifetime?: number;
  /** Whether viz has certificates too. Default false. */
  readonly viz?: boolean;
}

/** The same, with the PEMs as they are known at last. */
export interface SettledCertificates extends Omit<MonitoredCertificates, "certPems" | "issuerPem"> {
  readonly certPems: Readonly<Record<string, string>>;
  readonly issuerPem?: string;
}

/** What the rules must know of the certificates. `release`: of Linkerd. */
export function monitoredMesh(
  certificates: SettledCertificates,
  release: string,
): Pick<MonitoredMesh, "known" | "renewed" | "issuer" | "proxySeconds"> {
  const { rotation, issuerPem, issuanceLifetime = DEFAULT_ISSUANCE_LIFETIME } = certificates;
  const identity = rotation && { ...IDENTITY_ROTATION, ...defined(rotation.identity) };
  const issuer = issuerPem === undefined ? undefined : knownCertificate("the issuer", issuerPem);
  const tells = !isOlder(release, ISSUER_METRIC_SINCE);
  const known = Object.entries(certificates.certPems).map(([what, pem]) => knownCertificate(what, pem));
  return {
    known: [...known, ...(issuer === undefined || tells ? [] : [issuer])],
    renewed: identity === undefined ? [] : renewedCertificates(certificates, identity),
    issuer: !tells
      ? undefined
      : issuer !== undefined
        ? replacementThresholds(issuer.lifetime)
        : reloadThresholds(identity ?? IDENTITY_ROTATION),
    // No certificate outlives the issuer, of which this much is left at a renewal.
    proxySeconds: Math.min(
      issuanceLifetime,
      (identity && parseDuration(identity.renewBefore)) ?? issuanceLifetime,
    ),
  };
}

function renewedCertificates(
  { rotation, viz = false }: SettledCertificates,
  identity: Rotation,
): RenewedCertificates[] {
  const issuer = { namespace: LINKERD_NAMESPACE, names: [IDENTITY_ISSUER_SECRET], rotation: identity };
  const webhooks = rotation?.webhooks;
  if (webhooks === undefined) {
    return [issuer];
  }
  const { caRotation, ...given } = webhooks;
  const own = { ...WEBHOOK_ROTATION, ...defined(given) };
  const places: readonly [namespace: string, names: readonly string[]][] = [
    [LINKERD_NAMESPACE, CONTROL_PLANE_WEBHOOKS],
    ...(viz ? [[VIZ_NAMESPACE, VIZ_WEBHOOKS] as [string, readonly string[]]] : []),
  ];
  return [
    issuer,
    ...places.flatMap(([namespace, names]) => [
      { namespace, names, rotation: own },
      ...(caRotation === undefined ? [] : [{ namespace, names: [WEBHOOK_CA], rotation: caRotation }]),
    ]),
  ];
}

/** A rotation without what is undefined, which would hide the default. */
function defined({ duration, renewBefore }: Partial<Rotation>): Partial<Rotation> {
  return {
    ...(duration !== undefined && { duration }),
    ...(renewBefore !== undefined && { renewBefore }),
  };
}

function knownCertificate(what: string, pem: string): KnownCertificate {
  const { notBefore, notAfter } = validityOf(pem);
  const end = notAfter.getTime() / 1000;
  return { what, notAfter: end, lifetime: end - notBefore.getTime() / 1000 };
}
