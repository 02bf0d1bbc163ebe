import * as pulumi from "@pulumi/pulumi";

import { releaseOf } from "./release";
import { ChartSource, isOlder, LinkerdVersion } from "./version";

/**
 * Releases that Linkerd does not recommend, and the one that it names instead. Source: the edge release roundups of 2025,
 * https://linkerd.io/2025/01/10/linkerd-edge-release-roundup/ and those of 04/11, 08/01 and 12/08
 */
const NOT_RECOMMENDED: readonly {
  readonly releases: readonly LinkerdVersion[];
  readonly instead: LinkerdVersion;
}[] = [
  { releases: ["edge-24.11.2"], instead: "edge-24.11.3" },
  { releases: ["edge-24.11.6"], instead: "edge-24.11.7" },
  { releases: ["edge-25.1.1"], instead: "edge-25.1.2" },
  { releases: ["edge-25.3.1", "edge-25.3.3"], instead: "edge-25.4.1" },
  {
    releases: [
      "edge-25.6.1",
      "edge-25.6.2",
      "edge-25.6.3",
      "edge-25.6.4",
      "edge-25.7.1",
      "edge-25.7.2",
      "edge-25.7.3",
    ],
    instead: "edge-25.7.4",
  },
  {
    releases: ["edge-25.10.2", "edge-25.10.3", "edge-25.10.4", "edge-25.10.5", "edge-25.10.6"],
    instead: "edge-25.10.7",
  },
  { releases: ["edge-25.11.2"], instead: "edge-25.11.3" },
];

/** What a release changed for those who come from an older one. Sources: the same, and linkerd2's history. */
const BREAKING: readonly { readonly since: LinkerdVersion; readonly change: string }[] = [
  // #14149
  { since: "edge-25.7.1", change: "connections to a Service's port that its spec does not list are refused" },
  // #14326
  {
    since: "edge-25.8.2",
    change: "linkerd-init uses iptables-nft; set proxyInit.iptablesMode to legacy for nodes without it",
  },
  // #14523
  { since: "edge-25.9.4", change: "the chart linkerd-crds does not install the Gateway API unless told to" },
  // #14558
  { since: "edge-25.10.1", change: "the extension linkerd-jaeger does not exist any more" },
  {
    since: "edge-25.10.2",
    change: "traces in OpenCensus's protocol are not sent any more, only OpenTelemetry's",
  },
  {
    since: "edge-25.11.3",
    change:
      "linkerd-init runs the proxy's image: mirror it; the Helm values proxyInit.image.* have no effect",
  },
  // #15221
  { since: "edge-26.5.1", change: "Kubernetes 1.31 or newer is required" },
  // #15267
  {
    since: "edge-26.5.2",
    change: "proxies of pods that are created are native sidecars, unless told otherwise",
  },
  // #15243
  { since: "edge-26.5.2", change: "a Server has an effect only on pods of its own namespace" },
  // #15473
  {
    since: "edge-26.7.1",
    change:
      "connections to a Service's port that its spec does not list are refused with a ServiceProfile too",
  },
];

/**
 * Warns, in a preview, of a release that Linkerd does not recommend, and of what breaks on the way to it from the one that
 * is deployed.
 *
 * @param deployed Release of the control plane on the cluster, if there is one.
 */
export async function warnOfRelease(deployed: string | undefined, charts: ChartSource): Promise<void> {
  if (!pulumi.runtime.isDryRun()) {
    return;
  }
  const release = await releaseOf(charts);
  const better = NOT_RECOMMENDED.find(({ releases }) => releases.some((other) => other === release));
  if (better !== undefined) {
    await pulumi.log.warn(
      `Linkerd does not recommend ${release}: use ${better.instead} or newer\n` +
        `    pulumi config set linkerd-mtls:linkerdVersion ${better.instead}`,
    );
  }
  const changes = BREAKING.filter(
    ({ since }) => deployed !== undefined && isOlder(deployed, since) && !isOlder(release, since),
  );
  if (changes.length > 0) {
    const lines = changes.map(({ since, change }) => `  ${since}: ${change}`);
    await pulumi.log.warn(
      [`from ${deployed ?? ""} to ${release} Linkerd changes what may break something:`, ...lines].join("\n"),
    );
  }
}
