import { PortRange } from "../validation/ports";
import { oneOf } from "../validation/rule";

/** Default of the chart's value `proxy.opaquePorts`. */
export const DEFAULT_OPAQUE_PORTS: readonly PortRange[] = [25, 587, 3306, 4444, 5432, 6379, 9300, 11211];

/** What the API server does when a webhook does not answer: admit the object, or reject it. */
export type WebhookFailurePolicy = "Ignore" | "Fail";

/** Rule of a {@link WebhookFailurePolicy}. */
export const WEBHOOK_FAILURE_POLICY = oneOf<WebhookFailurePolicy>(["Ignore", "Fail"]);

/** Variant of iptables on the nodes. */
export type IptablesMode = "legacy" | "nft";

/** Rule of an {@link IptablesMode}. */
export const IPTABLES_MODE = oneOf<IptablesMode>(["legacy", "nft"], "nft");

/** How the init container of each meshed pod redirects its traffic. */
export interface ProxyInitSettings {
  /** Variant of iptables on the nodes. Default: the chart's, `nft` since edge-25.8.2. */
  readonly iptablesMode?: IptablesMode;
  /** Whether it runs as root, which some nodes and `closeWaitTimeout` need. Default: the chart's, false. */
  readonly runAsRoot?: boolean;
  /** Inbound ports that bypass the proxy. Default: the chart's, 4567 and 4568. */
  readonly ignoreInboundPorts?: readonly PortRange[];
  /** Outbound ports that bypass the proxy. Default: the chart's, 4567 and 4568. */
  readonly ignoreOutboundPorts?: readonly PortRange[];
}

/** Settings of the control plane. The chart's default applies to each that is not set. */
export interface ControlPlaneSettings {
  /**
   * Three replicas of each component on different nodes, PodDisruptionBudgets and resources, as in the chart's
   * values-ha.yaml; needs three nodes. Default false.
   */
  readonly highAvailability?: boolean;
  /** Failure policy of all three webhooks. Default: the chart's, `Ignore`. */
  readonly webhookFailurePolicy?: WebhookFailurePolicy;
  /** Ports of the whole mesh whose protocol is not detected. Replaces the chart's list. */
  readonly opaquePorts?: readonly PortRange[];
  readonly proxyInit?: ProxyInitSettings;
  /** Registry and path of the images, without scheme and tag, e.g. `registry.example.org/linkerd`. Default: Linkerd's. */
  readonly imageRegistry?: string;
  /** Names of Secrets in Linkerd's namespace that hold credentials for the image registry. */
  readonly imagePullSecrets?: readonly string[];
}

/** Resources of a container, in the chart's format. */
interface Resources {
  readonly cpu: { readonly request: string };
  readonly memory: { readonly request: string; readonly limit: string };
}

/** The chart's values that {@link ControlPlaneSettings} set. */
export interface SettingsValues {
  readonly webhookFailurePolicy?: WebhookFailurePolicy;
  readonly proxy?: { readonly opaquePorts?: string; readonly resources?: Resources; readonly image?: Image };
  readonly proxyInit?: {
    readonly iptablesMode?: string;
    readonly runAsRoot?: boolean;
    readonly ignoreInboundPorts?: string;
    readonly ignoreOutboundPorts?: string;
  };
  readonly controllerImage?: string;
  readonly debugContainer?: { readonly image: Image };
  readonly imagePullSecrets?: readonly { readonly name: string }[];
  /** Has `linkerd check` check the number of replicas. */
  readonly highAvailability?: true;
  readonly controllerReplicas?: number;
  readonly enablePodAntiAffinity?: true;
  readonly enablePodDisruptionBudget?: true;
  readonly controller?: { readonly podDisruptionBudget: { readonly maxUnavailable: number } };
  readonly deploymentStrategy?: {
    readonly rollingUpdate: { readonly maxUnavailable: number; readonly maxSurge: string };
  };
  readonly destinationResources?: Resources;
  readonly identityResources?: Resources;
  readonly heartbeatResources?: Resources;
  readonly proxyInjectorResources?: Resources;
  readonly spValidatorResources?: Resources;
}

interface Image {
  readonly name: string;
}

/** Resources as in the chart's values-ha.yaml. */
function haResources(memoryRequest: string): Resources {
  return { cpu: { request: "100m" }, memory: { request: memoryRequest, limit: "250Mi" } };
}

const HA_CONTROLLER = haResources("50Mi");

/** The chart's values-ha.yaml without the failure policy, which is a setting of its own. */
const HA_VALUES = {
  highAvailability: true,
  controllerReplicas: 3,
  enablePodAntiAffinity: true,
  enablePodDisruptionBudget: true,
  controller: { podDisruptionBudget: { maxUnavailable: 1 } },
  deploymentStrategy: { rollingUpdate: { maxUnavailable: 1, maxSurge: "25%" } },
  destinationResources: HA_CONTROLLER,
  identityResources: haResources("10Mi"),
  heartbeatResources: HA_CONTROLLER,
  proxyInjectorResources: HA_CONTROLLER,
  spValidatorResources: HA_CONTROLLER,
} as const satisfies SettingsValues;

/** The values that the settings set, and no others. */
export function settingsValues(settings: ControlPlaneSettings): SettingsValues {
  const {
    highAvailability = false,
    webhookFailurePolicy,
    proxyInit,
    imageRegistry,
    imagePullSecrets,
  } = settings;
  const proxy = {
    ...(settings.opaquePorts && { opaquePorts: list(settings.opaquePorts) }),
    ...(highAvailability && { resources: haResources("20Mi") }),
    ...(imageRegistry !== undefined && { image: { name: `${imageRegistry}/proxy` } }),
  };
  return {
    ...(webhookFailurePolicy && { webhookFailurePolicy }),
    ...(Object.keys(proxy).length > 0 && { proxy }),
    ...(proxyInit && { proxyInit: proxyInitValues(proxyInit) }),
    ...(imageRegistry !== undefined && {
      controllerImage: `${imageRegistry}/controller`,
      debugContainer: { image: { name: `${imageRegistry}/debug` } },
    }),
    ...(imagePullSecrets && { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
    ...(highAvailability && HA_VALUES),
  };
}

function proxyInitValues(settings: ProxyInitSettings): SettingsValues["proxyInit"] {
  const { iptablesMode, runAsRoot, ignoreInboundPorts, ignoreOutboundPorts } = settings;
  return {
    ...(iptablesMode && { iptablesMode }),
    ...(runAsRoot !== undefined && { runAsRoot }),
    ...(ignoreInboundPorts && { ignoreInboundPorts: list(ignoreInboundPorts) }),
    ...(ignoreOutboundPorts && { ignoreOutboundPorts: list(ignoreOutboundPorts) }),
  };
}

function list(ports: readonly PortRange[]): string {
  return ports.join(",");
}
