import { type KeyObject, X509Certificate } from "node:crypto";

import { CoreV1Api } from "@kubernetes/client-node";

import { readDeployedWebhooks } from "../../components/controlPlane/deployedWebhooks";
import { generationOf } from "../../components/pki/webhookChange";
import { isLive } from "../../components/cluster/meshedPods";
import { ownerOf } from "../../components/cluster/podOwner";
import type { TestSandbox } from "./testSandbox";

/** What the API server trusts, and what webhooks serve. */
export interface WebhookTrustSeen {
  /** Webhooks with the generations of the CAs that the API server has for them, and of the one that signed. */
  readonly servers: Readonly<
    Record<string, { readonly cas: readonly number[]; readonly signedBy: number[] }>
  >;
  /** CAs of the injector, in the order of the bundle. */
  readonly cas: readonly X509Certificate[];
}

/** Reads it for every webhook that there is. */
export async function webhookTrust(sandbox: TestSandbox): Promise<WebhookTrustSeen> {
  const read = await readDeployedWebhooks({ kubeconfig: sandbox.paths.kubeconfig });
  const present = read.filter(({ cas }) => cas.length > 0);
  return {
    servers: Object.fromEntries(
      present.map(({ service, cas, serving }) => [
        service,
        {
          cas: cas.map(generationOf),
          signedBy: cas.filter(({ publicKey }) => serving?.verify(publicKey)).map(generationOf),
        },
      ]),
    ),
    cas: present.find(({ service }) => service === "linkerd-proxy-injector")?.cas ?? [],
  };
}

/** A public key as text. */
export function keyText(key: KeyObject | undefined): string {
  return key?.export({ type: "spki", format: "pem" }).toString() ?? "";
}

/** Live pods by their uid, each with its owner. */
export async function livePods(sandbox: TestSandbox): Promise<ReadonlyMap<string, string>> {
  const { items } = await sandbox.client(CoreV1Api).listPodForAllNamespaces();
  return new Map(items.filter(isLive).map((pod) => [pod.metadata?.uid ?? "", ownerOf(pod)]));
}
