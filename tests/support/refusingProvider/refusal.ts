import { ApiException, type KubernetesObject, type KubernetesObjectApi } from "@kubernetes/client-node";
import type { CreateRequest } from "@pulumi/pulumi/proto/provider_pb";

/** What the provider that refuses is told. */
export interface Environment {
  /** Path of the provider that it passes all else to. */
  readonly REFUSING_PROVIDER: string;
  /** Path of the kubeconfig of the cluster to look at. */
  readonly REFUSING_KUBECONFIG: string;
}

/** What the provider from 4.29 on says when an object that is to be created exists; undefined when it does not. */
export async function refusal(
  objects: KubernetesObjectApi,
  request: CreateRequest,
): Promise<string | undefined> {
  const type = request.getType();
  const { apiVersion, kind, metadata } = (request.getProperties()?.toJavaScript() ?? {}) as KubernetesObject;
  // A preview does not fail for it; patches and releases find what exists.
  if (request.getPreview() || type.endsWith("Patch") || type.includes(":helm.sh/")) return undefined;
  if (apiVersion === undefined || kind === undefined || metadata?.name === undefined) return undefined;
  try {
    const { name, namespace } = metadata;
    await objects.read({ apiVersion, kind, metadata: { name, namespace } });
    return (
      `resource "${request.getUrn()}" was not successfully created by the Kubernetes API server: ` +
      `${kind} "${name}" already exists`
    );
  } catch (error) {
    // Such a kind or namespace is not there, or the provider says what is wrong.
    if (error instanceof ApiException) return undefined;
    throw error;
  }
}
