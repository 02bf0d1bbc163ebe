import type { KubernetesObject } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";

import { joinPems, sha256 } from "../certificates/pem";
import { ClusterAccess, describeError } from "../cluster/client";
import { clusterHook, gate } from "../cluster/hook";
import { settled } from "../cluster/settled";
import { CLOCK } from "../cluster/waiting";
import { ClientConfig, readWebhookClients } from "../cluster/webhookClients";
import { fingerprints } from "./deployedTrust";

/** How long the API server may take for each answer. */
const TIMEOUT_MS = 30_000;

/** Each API server of a cluster has the changed configuration by then. */
const SPREAD_MS = 2_000;

/** How annotations begin by which cert-manager's injector would overwrite the CAs. Helm would leave them in place. */
const INJECTED_BY = "cert-manager.io/inject-";

/** Arguments of {@link webhookOverlap}. */
export interface WebhookOverlapArgs {
  readonly namespace: pulumi.Input<string>;
  /** Services of the webhooks. */
  readonly services: readonly string[];
  /** PEM of the CA that signs their next certificates. */
  readonly caPem: pulumi.Output<string>;
  readonly cluster: ClusterAccess;
}

/** Inputs of the gate. */
interface OverlapInputs {
  readonly keepers: { readonly namespace: string };
}

/**
 * Opens when the API server trusts running webhooks of others by the next CA, too, and by those that it trusts now: they
 * get certificates of that CA only then. Let their Secrets depend on it. It changes their live configurations, which the
 * chart then writes with all of these CAs, and takes them from cert-manager's injector, which would put its own in place.
 */
export function webhookOverlap(
  name: string,
  { namespace, services, caPem, cluster }: WebhookOverlapArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource {
  const hook = clusterHook<OverlapInputs>(name, async ({ newInputs: { keepers } }) => {
    const ca = (await settled(caPem)) ?? "";
    try {
      if (await trustToo(ca, keepers.namespace, services, cluster)) {
        await CLOCK.sleep(SPREAD_MS);
      }
    } catch (error) {
      throw new Error(
        `the API server cannot be told to trust the next certificates of ${services.join(", ")}: ${describeError(error).message}\n` +
          "  the deploying user must be allowed to list and update webhook configurations and API services",
        { cause: error },
      );
    }
  });
  return gate(name, hook, { namespace, ca: caPem.apply(sha256) }, opts);
}

/** @returns Whether something was changed. */
async function trustToo(
  ca: string,
  namespace: string,
  services: readonly string[],
  cluster: ClusterAccess,
): Promise<boolean> {
  /** Whether a configuration is changed, in place. */
  const extend = (client: ClientConfig): boolean => {
    const isOurs = client.service?.namespace === namespace && services.includes(client.service.name ?? "");
    const bundle = Buffer.from(client.caBundle ?? "", "base64").toString();
    const [print = ""] = fingerprints(ca);
    if (!isOurs || fingerprints(bundle).has(print)) return false;
    client.caBundle = Buffer.from(joinPems([bundle, ca])).toString("base64");
    return true;
  };
  const changed = (await readWebhookClients(cluster, TIMEOUT_MS)).filter(
    // All of an object's, not only up to the first.
    ({ clients }) => clients.filter(extend).length > 0,
  );
  await Promise.all(
    changed.map(({ object, write }) => {
      takeFromInjector(object);
      return write();
    }),
  );
  return changed.length > 0;
}

function takeFromInjector({ metadata }: KubernetesObject): void {
  const annotations = Object.entries(metadata?.annotations ?? {});
  Object.assign(metadata ?? {}, {
    annotations: Object.fromEntries(annotations.filter(([name]) => !name.startsWith(INJECTED_BY))),
  });
}
