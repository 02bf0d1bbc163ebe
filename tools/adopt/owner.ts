import { describeOwner, type ObjectMetadata } from "../../components/cluster/ownership";

/** Labels and annotations with which GitOps tools mark what they deploy. */
const GIT_OPS: Readonly<Record<string, string>> = {
  "argocd.argoproj.io/tracking-id": "Argo CD",
  "argocd.argoproj.io/instance": "Argo CD",
  "kustomize.toolkit.fluxcd.io/name": "Flux (Kustomization)",
  "helm.toolkit.fluxcd.io/name": "Flux (HelmRelease)",
};

/** The GitOps tool that deploys an object, with the name of its application; undefined where there is none. */
export function gitOpsOf({ labels = {}, annotations = {} }: ObjectMetadata): string | undefined {
  for (const [key, tool] of Object.entries(GIT_OPS)) {
    const application = annotations[key] ?? labels[key];
    if (application !== undefined) return `${tool} ${application.split(":", 1).join()}`;
  }
  return undefined;
}

/** Who deploys an object, in words. */
export function deployerOf(metadata: ObjectMetadata): string {
  // The mark of this stack does not matter: nothing of it is there yet.
  return gitOpsOf(metadata) ?? describeOwner(metadata, "");
}
