import { VIZ_NAMESPACE, LINKERD_NAMESPACE } from "../../components/controlPlane/linkerdNamespace";
import { CONTROL_PLANE_WEBHOOKS } from "../../components/controlPlane/values";
import { PROXY_INJECTOR, TAP_INJECTOR } from "../../components/injection/injectionDiagnosis";

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
      service === PROXY_INJECTOR.service
        ? ("MutatingWebhookConfiguration" as const)
        : ("ValidatingWebhookConfiguration" as const),
    name: `${service}-webhook-config`,
    namespace: LINKERD_NAMESPACE,
    service,
    isRequired: true,
  })),
  {
    kind: "MutatingWebhookConfiguration",
    name: TAP_INJECTOR.webhook,
    namespace: VIZ_NAMESPACE,
    service: TAP_INJECTOR.service,
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
export function secretOf({ service }: Server): string {
  return `${service}-k8s-tls`;
}

/** Whether it is the one that adds the proxy. */
export function isInjector({ service }: Server): boolean {
  return service === PROXY_INJECTOR.service;
}
