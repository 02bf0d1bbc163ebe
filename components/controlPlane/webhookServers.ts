import { LINKERD_NAMESPACE, VIZ_NAMESPACE } from "./linkerdNamespace";
import { CONTROL_PLANE_WEBHOOKS } from "./values";

/** A server that the API server calls by TLS, and the object that says so. */
export interface Server {
  readonly kind: "MutatingWebhookConfiguration" | "ValidatingWebhookConfiguration" | "APIService";
  /** Name of that object. */
  readonly name: string;
  readonly namespace: string;
  readonly service: string;
  /** Whether each mesh has it. */
  readonly isRequired: boolean;
}

/** Servers of Linkerd's charts: the webhooks of the control plane, and those of viz. */
export const SERVERS: readonly Server[] = [
  ...CONTROL_PLANE_WEBHOOKS.map((service) => ({
    kind:
      service === "linkerd-proxy-injector"
        ? ("MutatingWebhookConfiguration" as const)
        : ("ValidatingWebhookConfiguration" as const),
    name: `${service}-webhook-config`,
    namespace: LINKERD_NAMESPACE,
    service,
    isRequired: true,
  })),
  {
    kind: "MutatingWebhookConfiguration",
    name: "linkerd-tap-injector-webhook-config",
    namespace: VIZ_NAMESPACE,
    service: "tap-injector",
    isRequired: false,
  },
  {
    kind: "APIService",
    name: "v1alpha1.tap.linkerd.io",
    namespace: VIZ_NAMESPACE,
    service: "tap",
    isRequired: false,
  },
];

/** The Secret of a server's certificate; the name is fixed in the charts. */
export function secretOf({ service }: Pick<Server, "service">): string {
  return `${service}-k8s-tls`;
}
