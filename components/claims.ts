import { CERT_MANAGER_NAMESPACE } from "./certManager/certManager";
import { Claim } from "./cluster/foreignObjects";
import { LINKERD_NAMESPACE, VIZ_NAMESPACE } from "./controlPlane/linkerdNamespace";
import { CONTROL_PLANE_WEBHOOKS } from "./controlPlane/values";
import { GUARD_NAMES } from "./injection/meshGuard";
import { LinkerdMeshArgs, MeshRotation } from "./linkerdMeshArgs";
import { sharesNamespace } from "./managers";
import { TRUST_MANAGER_NAMESPACE } from "./trustManager/trustManager";

const UNINSTALL =
  "adopt it (docs/adopt.md), change it with the stack or the tool that installed it, or uninstall it first";

/** What a mesh makes under names that others may use already. `namespaces`: those that are made beside it. */
export function claimsOf(args: LinkerdMeshArgs, namespaces: readonly string[]): Claim[] {
  const { rotation, viz } = args;
  const applications = (args.namespaces ?? []).map(({ name, existing = false }, index): Claim => {
    const part = `namespace ${name}`;
    return existing
      ? { part, existing: name, remedies: [use(`namespaces[${index}].existing`, false)] }
      : { part, namespaces: [name], remedies: [use(`namespaces[${index}].existing`, true)] };
  });
  return [
    {
      part: "Linkerd",
      namespaces: [LINKERD_NAMESPACE],
      releases: ["linkerd-crds", "linkerd-control-plane"],
      groups: ["linkerd.io", "policy.linkerd.io", "workload.linkerd.io"],
      webhooks: CONTROL_PLANE_WEBHOOKS.map((service) => `${service}-webhook-config`),
      remedies: [UNINSTALL],
    },
    {
      part: "the guard",
      policies: GUARD_NAMES,
      remedies: [
        "destroy the stack that made them; if no stack did and nothing needs them, delete them:",
        `kubectl delete --ignore-not-found validatingadmissionpolicybinding,validatingadmissionpolicy ${GUARD_NAMES.join(" ")}`,
      ],
    },
    ...(viz === undefined
      ? []
      : [
          {
            part: "viz",
            namespaces: [VIZ_NAMESPACE],
            releases: ["linkerd-viz"],
            webhooks: ["linkerd-tap-injector-webhook-config"],
            remedies: [UNINSTALL, use("viz.enabled", false)],
          },
        ]),
    ...(rotation?.certManager.install !== true
      ? []
      : [
          {
            part: "cert-manager",
            namespaces: [rotation.certManager.namespace ?? CERT_MANAGER_NAMESPACE],
            releases: ["cert-manager"],
            groups: ["cert-manager.io", "acme.cert-manager.io"],
            webhooks: ["cert-manager-webhook"],
            remedies: [use("certManager.install", false)],
          },
        ]),
    ...(rotation?.trustManager?.install !== true
      ? []
      : [
          {
            part: "trust-manager",
            ...trustManagerPlace(rotation),
            releases: ["trust-manager"],
            groups: ["trust.cert-manager.io"],
            webhooks: ["trust-manager"],
            remedies: [use("trustManager.install", false)],
          },
        ]),
    ...applications,
    ...namespaces.map((name) => ({
      part: `namespace ${name}`,
      namespaces: [name],
      remedies: ["leave the sample application out of sampleApplications, or delete the namespace"],
    })),
  ];
}

/** Where trust-manager is installed: also in cert-manager's namespace, whoever has made that. */
function trustManagerPlace(rotation: MeshRotation): Pick<Claim, "namespaces" | "place"> {
  const { namespace = TRUST_MANAGER_NAMESPACE } = rotation.trustManager ?? {};
  return sharesNamespace(rotation) ? { place: namespace } : { namespaces: [namespace] };
}

/** The command with which the program leaves it as it is. */
function use(path: string, value: boolean): string {
  return `pulumi config set --path 'linkerd-mtls:${path}' ${value}`;
}
