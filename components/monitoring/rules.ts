import { GuardMode } from "../injection/meshGuard";
import { admissionAlerts } from "./admissionAlerts";
import {
  issuerAlerts,
  knownAlerts,
  KnownCertificate,
  knownCertificates,
  renewalAlerts,
  RenewedCertificates,
} from "./certificateAlerts";
import { proxyAlerts } from "./proxyAlerts";
import { Alerts, RuleGroup, Thresholds } from "./rule";
import {
  API_SERVER_METRICS,
  CERT_MANAGER_METRICS,
  IDENTITY_METRICS,
  PROXY_METRICS,
  trafficAlerts,
} from "./trafficAlerts";

/** What the rules are made from. */
export interface MonitoredMesh {
  /** Page with a section for each alert. */
  readonly runbookUrl: string;
  /** Certificates that the deployment knows and that nothing renews. */
  readonly known: readonly KnownCertificate[];
  /** Certificates of cert-manager. */
  readonly renewed: readonly RenewedCertificates[];
  /** When to alert of the issuer that identity has; undefined for releases whose identity does not tell. */
  readonly issuer?: Thresholds;
  /** The shortest life that a proxy's certificate is issued for, in seconds. */
  readonly proxySeconds: number;
  readonly guardMode: GuardMode;
}

/** All rules of a mesh. */
export function meshRules(mesh: MonitoredMesh): RuleGroup[] {
  const alerts = new Alerts(mesh.runbookUrl);
  const { known, renewed, issuer } = mesh;
  return [
    {
      name: "linkerd-mtls-certificates",
      rules: [
        ...knownCertificates(known),
        ...knownAlerts(alerts),
        ...(issuer === undefined ? [] : issuerAlerts(alerts, issuer)),
        ...renewalAlerts(alerts, renewed),
        ...proxyAlerts(alerts, mesh.proxySeconds),
      ],
    },
    { name: "linkerd-mtls-admission", rules: admissionAlerts(alerts, mesh.guardMode) },
    {
      name: "linkerd-mtls-traffic",
      rules: trafficAlerts(alerts, [
        PROXY_METRICS,
        API_SERVER_METRICS,
        ...(issuer === undefined ? [] : [IDENTITY_METRICS]),
        ...(renewed.length === 0 ? [] : [CERT_MANAGER_METRICS]),
      ]),
    },
  ];
}
