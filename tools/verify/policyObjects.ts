import type { V1LabelSelector } from "@kubernetes/client-node";

import { type ClusterAccess, connect, describeError } from "../../components/cluster/client";
import { listObjects } from "./customObjects";

/** HTTP status of an answer that a permission is missing. */
const FORBIDDEN = 403;

const GROUP = "policy.linkerd.io";

/** Versions in which each kind is asked for; the first that a cluster has. */
const KINDS = {
  servers: ["v1beta3", "v1beta1"],
  authorizationpolicies: ["v1alpha1"],
  meshtlsauthentications: ["v1alpha1"],
  networkauthentications: ["v1alpha1"],
  serverauthorizations: ["v1beta1"],
} as const;

/** An object of {@link GROUP}. */
export interface PolicyObject<Spec> {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels?: Readonly<Record<string, string>>;
  };
  readonly spec: Spec;
}

/** A reference to an object, in the namespace of what refers unless it says otherwise. */
export interface Reference {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

/** Clients by their identities. */
interface MeshTls {
  readonly identities?: readonly string[] | null;
  readonly identityRefs?: readonly Reference[] | null;
}

/** Clients by their addresses. */
export interface Networks {
  readonly networks?: readonly { readonly cidr: string }[] | null;
}

/** Linkerd's policies, as far as they matter here. */
export interface PolicyObjects {
  readonly servers: readonly PolicyObject<{
    readonly podSelector?: V1LabelSelector;
    readonly port: string | number;
    readonly proxyProtocol?: string;
    readonly accessPolicy?: string;
  }>[];
  readonly authorizationpolicies: readonly PolicyObject<{
    readonly targetRef: Reference;
    readonly requiredAuthenticationRefs?: readonly Reference[];
  }>[];
  readonly meshtlsauthentications: readonly PolicyObject<MeshTls>[];
  readonly networkauthentications: readonly PolicyObject<Networks>[];
  readonly serverauthorizations: readonly PolicyObject<{
    readonly server: { readonly name?: string; readonly selector?: V1LabelSelector };
    readonly client: {
      readonly unauthenticated?: boolean;
      readonly meshTLS?: { readonly unauthenticatedTLS?: boolean; readonly identities?: readonly string[] };
      readonly networks?: Networks["networks"];
    };
  }>[];
}

/**
 * Reads them; undefined where the user must not.
 *
 * @throws what the client throws where there is no answer.
 */
export async function readPolicies(
  access: ClusterAccess,
  timeoutMs: number,
): Promise<PolicyObjects | undefined> {
  const api = await connect(access, (k8s) => k8s.CustomObjectsApi, timeoutMs);
  try {
    const entries = Object.entries(KINDS).map(
      async ([plural, versions]) => [plural, await listObjects(api, GROUP, plural, versions)] as const,
    );
    return Object.fromEntries(await Promise.all(entries)) as unknown as PolicyObjects;
  } catch (error) {
    if (describeError(error).status === FORBIDDEN) return undefined;
    throw error;
  }
}
