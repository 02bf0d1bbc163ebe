import type { ChartName } from "../../components";
import type { Properties } from "../../components/rules";

/** One of Linkerd's charts, as it is installed. */
export interface Installed {
  readonly chart: ChartName;
  /** Helm's release, `<namespace>/<name>`; undefined where `linkerd install` made it. */
  readonly release?: string;
  /** Revision of the release. */
  readonly revision?: number;
  /** Version of the chart, e.g. `2026.6.3`. */
  readonly version?: string;
  /** Values that were given and differ from the chart's own. They can hold private keys: none of them is ever printed. */
  readonly values: Properties;
}

/** The Certificate of cert-manager that renews the issuer. */
export interface IssuerCertificate {
  readonly name: string;
  readonly issuerRef: { readonly name: string; readonly kind?: string; readonly group?: string };
  readonly duration?: string;
  readonly renewBefore?: string;
}

/** The identity issuer. */
export interface PresentIssuer {
  /** PEM; empty where there is none. */
  readonly certificate: string;
  /** PEM of its private key. It goes from here to the Pulumi CLI's standard input, and nowhere else. */
  readonly key: string;
  readonly scheme: "linkerd.io/tls" | "kubernetes.io/tls";
  /** Who made the Secret, in words. */
  readonly owner: string;
  /** Where cert-manager renews it. */
  readonly renewedBy?: IssuerCertificate;
}

/** The certificate of a webhook, or of an API service. */
export interface PresentWebhook {
  readonly service: string;
  readonly namespace: string;
  /** Whether its Secret is there. */
  readonly exists: boolean;
  /** PEMs of the CAs by which the API server trusts it. */
  readonly cas: readonly string[];
  /** Who made the Secret, in words. */
  readonly owner: string;
  /** Certificate of cert-manager that renews it. */
  readonly certificate?: string;
}

/** A namespace whose pods are injected. */
export interface PresentNamespace {
  readonly name: string;
  /** Its annotation; undefined where only workloads have one. */
  readonly inject?: string;
  /** Who deploys to it, each in words. */
  readonly deployers: readonly string[];
}

/** A mesh that is running, as the cluster has it. */
export interface Present {
  readonly charts: readonly Installed[];
  /** e.g. `edge-26.6.3`. */
  readonly linkerdVersion?: string;
  readonly trustDomain: string;
  /** PEMs of the trust bundle, in its order, each once. */
  readonly bundle: readonly string[];
  /** Who writes the ConfigMap of the bundle, in words. */
  readonly bundleOwner: string;
  readonly issuer: PresentIssuer;
  readonly webhooks: readonly PresentWebhook[];
  readonly namespaces: readonly PresentNamespace[];
  /** Extensions of Linkerd other than viz. */
  readonly extensions: readonly string[];
  /** Mark of the stack that made Linkerd's namespace. */
  readonly stack?: string;
  /** GitOps tools that deploy Linkerd, in words. */
  readonly gitOps: readonly string[];
  /** All values of the control plane, from ConfigMap `linkerd-config`, which has no private key. */
  readonly effective: Properties;
}

/** Something that the configuration does not get. */
export interface Left {
  readonly what: string;
  /** What to do about it, or why nothing needs to be done. */
  readonly todo: string;
}

/** What the stack has, and where its charts come from. */
export interface StackNow {
  /** By key, without the project's name. */
  readonly config: Properties;
  readonly chartSource: string;
}
