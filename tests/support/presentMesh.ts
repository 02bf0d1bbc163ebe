import type { Properties } from "../../components/rules";
import type { Installed, IssuerCertificate, Present } from "../../tools/adopt/present";
import type { TestCertificate } from "./certificates";

/** What differs in a test's mesh from one that Helm installed with the chart's values. */
export interface MeshOverrides extends Partial<Omit<Present, "issuer" | "bundle">> {
  readonly anchors?: readonly TestCertificate[];
  readonly issuer?: TestCertificate;
  readonly renewedBy?: IssuerCertificate;
  /** Values of the control plane. */
  readonly values?: Properties;
  /** Release of the control plane. */
  readonly release?: string;
}

/** Both charts as Helm's releases. */
export function helmCharts(values: Properties, release = "linkerd/linkerd-control-plane"): Installed[] {
  return [
    { chart: "linkerd-crds", release: "linkerd/linkerd-crds", revision: 1, version: "2026.6.3", values: {} },
    { chart: "linkerd-control-plane", release, revision: 3, version: "2026.6.3", values },
  ];
}

/** The control plane as `linkerd install` makes it. */
export function cliCharts(values: Properties): Installed[] {
  return [{ chart: "linkerd-control-plane", values }];
}

/** A mesh as `readPresent` reads it. */
export function mesh({
  anchors = [],
  issuer,
  renewedBy,
  values = {},
  release,
  ...rest
}: MeshOverrides): Present {
  return {
    charts: helmCharts(values, release),
    linkerdVersion: "edge-26.6.3",
    trustDomain: "cluster.local",
    bundle: anchors.map(({ certPem }) => certPem.trim()),
    bundleOwner: "belongs to Helm release linkerd/linkerd-control-plane",
    issuer: {
      certificate: issuer?.certPem ?? "",
      key: issuer?.keyPem ?? "",
      scheme: "linkerd.io/tls",
      owner: "belongs to Helm release linkerd/linkerd-control-plane",
      ...(renewedBy && { renewedBy }),
    },
    webhooks: [],
    namespaces: [],
    extensions: [],
    gitOps: [],
    effective: {},
    ...rest,
  };
}
