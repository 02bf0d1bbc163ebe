import { at } from "../known";
import { isOf, nameOf, type OfStacks, type Resource, type Rule, STACKS } from "../rule";

/** The key and the certificate of a trust anchor that the program generates. */
const ANCHOR = /linkerd-mtls:index:TrustAnchor\$tls:index\/(privateKey|selfSignedCert):/;

interface Settings extends OfStacks {
  /** Names of namespaces that may be deleted: all that is in them is made again by another update. */
  readonly replaceable: readonly string[];
}

/** Production deletes no namespace, with all that is in it, and no anchor that pods trust, by mistake. */
export const protectedInProduction: Rule<Settings> = {
  name: "protected-in-production",
  description: "Production must protect its namespaces and generated trust anchors.",
  enforcementLevel: "mandatory",
  properties: {
    stacks: STACKS,
    replaceable: {
      type: "array",
      items: { type: "string" },
      description: "Names of namespaces that need no protection.",
      default: ["linkerd-viz", "cert-manager", "trust-manager"],
    },
  },
  violations: (resource, settings) =>
    isOf(resource, settings) && isPrecious(resource, settings) && !resource.isProtected
      ? [
          `${nameOf(resource)} is not protected, so an update that no longer has it deletes it; it must be. ` +
            "pulumi config set linkerd-mtls:protect true",
        ]
      : [],
};

function isPrecious({ type, urn, props }: Resource, { replaceable }: Settings): boolean {
  return type === "kubernetes:core/v1:Namespace"
    ? !replaceable.includes(String(at(props, "metadata", "name")))
    : ANCHOR.test(urn);
}
