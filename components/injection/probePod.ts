import type * as client from "@kubernetes/client-node";

/** A pod for dry runs, which every level of pod security takes before it is injected. */
export function probePod(annotations: Readonly<Record<string, string>>): client.V1Pod {
  return {
    metadata: { generateName: "linkerd-injection-probe-", annotations: { ...annotations } },
    spec: {
      securityContext: { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } },
      containers: [
        {
          name: "probe",
          image: "registry.k8s.io/pause:3.10",
          securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ["ALL"] } },
        },
      ],
    },
  };
}
