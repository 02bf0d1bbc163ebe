import type { V1Pod } from "@kubernetes/client-node";

import { isLive, proxyOf } from "../../components/cluster/meshedPods";
import { ownerOf } from "../../components/cluster/podOwner";
import { type Check, check, type Group } from "./model";
import { byOwner } from "./owners";
import type { Snapshot } from "./snapshot";

const WHAT = "meshed pods use TLS with each other";

/** Finds the pairs of meshed pods that talk without TLS, or did so, by what their own proxies count. */
export function checkTraffic({ pods, traffic }: Snapshot): Group {
  if (traffic === undefined) {
    return {
      group: "traffic",
      checks: [{ check: WHAT, result: "skipped", note: "--traffic asks the proxies" }],
    };
  }
  const meshed = new Map(
    pods
      .filter((pod) => isLive(pod) && proxyOf(pod) !== undefined)
      .map((pod) => [`${pod.metadata?.namespace ?? ""}/${pod.metadata?.name ?? ""}`, pod]),
  );
  const silent = traffic.flatMap(({ pod, unknown }) =>
    unknown === undefined ? [] : [[pod, unknown] as const],
  );
  const pairs = pairsOf(traffic, meshed);
  const open = pairs.filter((pair) => pair.open > 0);
  const past = pairs.filter((pair) => pair.open === 0);
  const asked = `${traffic.length - silent.length} of ${traffic.length} proxies asked`;
  const checks: Check[] = [
    {
      ...check(
        `${WHAT} now`,
        open.map((pair) => `${describe(pair)}, ${pair.open} open now`),
        "plaintext",
      ),
      note: asked,
    },
    check(
      `${WHAT} in the last minutes, as far as their proxies remember`,
      past.map((pair) => describe(pair)),
      "plaintext",
      "warning",
    ),
    check("proxies tell their metrics", byOwner(silent), "plaintext", "warning"),
  ];
  return { group: "traffic", checks };
}

/** Owners of pods of which one connected to the other without TLS. */
interface Pair {
  readonly from: string;
  readonly to: string;
  readonly port: string;
  readonly reason: string;
  opened: number;
  open: number;
}

/** In alphabetical order. */
function pairsOf(
  traffic: NonNullable<Snapshot["traffic"]>,
  meshed: ReadonlyMap<string, V1Pod>,
): readonly Pair[] {
  const pairs = new Map<string, Pair>();
  for (const { pod, plaintext } of traffic) {
    for (const { to, port, reason, opened, open } of plaintext) {
      const other = meshed.get(to);
      if (other === undefined) continue;
      const key = `${ownerOf(pod)} ${ownerOf(other)} ${port} ${reason}`;
      const pair = pairs.get(key) ?? {
        ...{ from: ownerOf(pod), to: ownerOf(other), port, reason },
        ...{ opened: 0, open: 0 },
      };
      pairs.set(key, pair);
      pair.opened += opened;
      pair.open += open;
    }
  }
  return [...pairs].sort(([one], [another]) => one.localeCompare(another)).map(([, pair]) => pair);
}

function describe({ from, to, port, reason, opened }: Pair): string {
  const connections = `${opened} ${opened === 1 ? "connection" : "connections"}`;
  return `${from} to port ${port} of ${to}: ${connections} without TLS (${reason})`;
}
