import { INJECT_ANNOTATION } from "../../components/mesh/proxySettings";
import { at } from "../known";
import { isOf, nameOf, type OfStacks, type Resource, type Rule, STACKS } from "../rule";

const ANNOTATION = "config.linkerd.io/default-inbound-policy";

interface Settings extends OfStacks {
  /** Inbound policies of Linkerd that a meshed namespace may have. */
  readonly approved: readonly string[];
}

/** Where an object has annotations that its pods or, for a namespace, its pods' defaults get. */
const PLACES = [
  ["metadata"],
  ["spec", "template", "metadata"],
  ["spec", "jobTemplate", "spec", "template", "metadata"],
] as const;

/** A meshed namespace says itself which clients its pods accept: the mesh's own default accepts those outside the mesh, too. */
export const approvedInboundPolicy: Rule<Settings> = {
  name: "approved-inbound-policy",
  description: "A meshed namespace must have an approved inbound policy.",
  enforcementLevel: "mandatory",
  properties: {
    stacks: STACKS,
    approved: {
      type: "array",
      items: { type: "string" },
      description: `Values of ${ANNOTATION} that are approved.`,
      default: ["all-authenticated", "cluster-authenticated", "deny"],
    },
  },
  violations: (resource, settings) => {
    if (!isOf(resource, settings)) return [];
    const { approved } = settings;
    const set = PLACES.map((place) => at(resource.props, ...place, "annotations", ANNOTATION));
    const refused = set.filter(
      (policy) => typeof policy === "string" && !approved.includes(policy),
    ) as string[];
    const found = [
      ...refused.map((policy) => `has the inbound policy ${policy}`),
      ...(isMeshedNamespace(resource) && set[0] === undefined
        ? ["is meshed and has no inbound policy of its own, so that of the whole mesh holds"]
        : []),
    ];
    return found.map(
      (what) =>
        `${nameOf(resource)} ${what}; ${ANNOTATION} must be one of ${approved.join(", ")}. Set ` +
        "proxy.defaultInboundPolicy of its item in linkerd-mtls:namespaces.",
    );
  },
};

function isMeshedNamespace({ type, props }: Resource): boolean {
  const inject = at(props, "metadata", "annotations", INJECT_ANNOTATION);
  return (
    /^kubernetes:core\/v1:Namespace(Patch)?$/.test(type) && (inject === "enabled" || inject === "ingress")
  );
}
