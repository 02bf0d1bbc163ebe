import { WebhookValues, webhookValues } from "../controlPlane/values";
import { sha256 } from "../certificates/pem";
import { TRUST_BUNDLE_LABEL } from "../cluster/meshedPods";
import { WebhookTrust } from "../pki/webhookCertificates";

/** Services of viz that have a certificate: the tap API, and the webhook that switches tap on. */
export const VIZ_WEBHOOKS = ["tap", "tap-injector"] as const;

/** One of these Services. */
export type VizWebhook = (typeof VIZ_WEBHOOKS)[number];

/** Hex digits of the hash; a label's value has at most 63 characters. */
const TRUST_BUNDLE_DIGITS = 16;

/**
 * The values that this program sets in the chart linkerd-viz. The chart has no schema and ignores unknown names, so a test
 * compares them with the names that the chart has.
 */
export interface VizValues {
  /** Linkerd's namespace. */
  readonly linkerdNamespace: string;
  /** Trust domain. */
  readonly identityTrustDomain: string;
  /** No Job that patches the namespace: its metadata is complete. */
  readonly createNamespaceMetadataJob: false;
  /**
   * Labels of all pods. A proxy gets the trust bundle when its pod is created, so a label with the bundle's hash restarts
   * the pods when the bundle changes. The chart documents no annotations for all pods.
   */
  readonly podLabels: Readonly<Record<string, string>>;
  /** The server of the tap API. */
  readonly tap: WebhookValues & { readonly replicas: number; readonly resources?: Resources };
  /** The webhook that switches tap on. */
  readonly tapInjector: WebhookValues;
  readonly dashboard: {
    /** Go regular expression of the allowed hosts; "" allows localhost and the Service. */
    readonly enforcedHostRegexp: string;
    readonly resources?: Resources;
  };
  /** URL of an existing Prometheus; "" is the chart's own. */
  readonly prometheusUrl: string;
  /** The chart's own Prometheus. */
  readonly prometheus: { readonly enabled: boolean; readonly resources?: Resources };
  /** Registry and path of all images except Prometheus'. */
  readonly defaultRegistry?: string;
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  /** Whether replicas run on different nodes. */
  readonly enablePodAntiAffinity: boolean;
  /** Whether the components have PodDisruptionBudgets. */
  readonly enablePodDisruptionBudget: boolean;
}

/** Resources of a container, in the chart's format. */
interface Resources {
  readonly cpu: { readonly request: string };
  readonly memory: { readonly request: string; readonly limit: string };
}

/** As in the chart's values-ha.yaml. */
const HA_TAP_REPLICAS = 3;
const HA_RESOURCES: Resources = { cpu: { request: "100m" }, memory: { request: "50Mi", limit: "250Mi" } };
const HA_PROMETHEUS_RESOURCES: Resources = {
  cpu: { request: "300m" },
  memory: { request: "300Mi", limit: "8192Mi" },
};

/** The values of viz. */
export function vizValues(args: {
  linkerdNamespace: string;
  trustDomain: string;
  trustBundlePem: string;
  webhookTrust: Readonly<Record<VizWebhook, WebhookTrust>>;
  enforcedHostRegexp?: string;
  prometheusUrl?: string;
  highAvailability?: boolean;
  imageRegistry?: string;
  imagePullSecrets?: readonly string[];
}): VizValues {
  const { highAvailability = false } = args;
  const resources = highAvailability ? { resources: HA_RESOURCES } : {};
  const ownPrometheus = args.prometheusUrl === undefined;
  return {
    linkerdNamespace: args.linkerdNamespace,
    identityTrustDomain: args.trustDomain,
    createNamespaceMetadataJob: false,
    podLabels: { [TRUST_BUNDLE_LABEL]: sha256(args.trustBundlePem).slice(0, TRUST_BUNDLE_DIGITS) },
    tap: {
      ...webhookValues(args.webhookTrust.tap),
      replicas: highAvailability ? HA_TAP_REPLICAS : 1,
      ...resources,
    },
    tapInjector: webhookValues(args.webhookTrust["tap-injector"]),
    dashboard: { enforcedHostRegexp: args.enforcedHostRegexp ?? "", ...resources },
    prometheusUrl: args.prometheusUrl ?? "",
    prometheus: {
      enabled: ownPrometheus,
      ...(highAvailability && ownPrometheus && { resources: HA_PROMETHEUS_RESOURCES }),
    },
    ...(args.imageRegistry !== undefined && { defaultRegistry: args.imageRegistry }),
    ...(args.imagePullSecrets && { imagePullSecrets: args.imagePullSecrets.map((name) => ({ name })) }),
    enablePodAntiAffinity: highAvailability,
    enablePodDisruptionBudget: highAvailability,
  };
}
