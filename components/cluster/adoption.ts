import { text } from "../validation/rule";

/** What others have made on a cluster, and a stack takes over. */
export interface Adoption {
  /**
   * Each object by its kind and name, as {@link ADOPTED_OBJECT} has it. What a Helm release has made is taken over with
   * it. What is not named here is not changed.
   */
  readonly objects: readonly string[];
  /** PEMs by which the API server trusts the webhooks before; it goes on to trust them. Default: none. */
  readonly webhookCas?: string;
  /** Whether the stack may delete it. Default false: it is protected. */
  readonly destroy?: boolean;
}

/** A cluster with what is taken over there. */
interface Adopting {
  readonly adopt?: Adoption;
}

/** Kinds of what a stack can take over. */
export type AdoptedKind = "Namespace" | "HelmRelease" | "Secret" | "Certificate";

/** Rule of an object in {@link Adoption.objects}. */
export const ADOPTED_OBJECT = text(
  "must be `Namespace <name>`, or HelmRelease, Secret or Certificate and `<namespace>/<name>`",
  /^(Namespace [a-z0-9-]+|(HelmRelease|Secret|Certificate) [a-z0-9-]+\/[a-z0-9.-]+)$/,
  "Namespace linkerd",
);

/** How an object is named in {@link Adoption.objects}. */
export function adoptedObject(kind: AdoptedKind, name: string, namespace?: string): string {
  return `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}

/** Whether this stack may take over an object that others have made. */
export function isAdopted({ adopt }: Adopting, kind: AdoptedKind, name: string, namespace?: string): boolean {
  return adopt?.objects.includes(adoptedObject(kind, name, namespace)) ?? false;
}

/** Whether this stack may take over a Helm release of this name, in some namespace. */
export function isAdoptedRelease(cluster: Adopting, release: string): boolean {
  return isAdoptedSomewhere(cluster, "HelmRelease", release);
}

/** Whether this stack may take over a Secret of this name, in some namespace. */
export function isAdoptedSecret(cluster: Adopting, secret: string): boolean {
  return isAdoptedSomewhere(cluster, "Secret", secret);
}

function isAdoptedSomewhere({ adopt }: Adopting, kind: AdoptedKind, name: string): boolean {
  return (
    adopt?.objects.some((object) => object.startsWith(`${kind} `) && object.endsWith(`/${name}`)) ?? false
  );
}

/** Whether what this stack has taken over must not be deleted. */
export function isKept({ adopt }: Adopting): boolean {
  return adopt?.destroy !== true;
}
