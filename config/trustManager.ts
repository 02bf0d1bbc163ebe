import {
  DEFAULT_CERT_MANAGER_CHART_SOURCE,
  DEFAULT_TRUST_MANAGER_VERSION,
  TRUST_MANAGER_NAMESPACE,
} from "../components";
import { readRelease } from "./certManager";
import { readChartSource } from "./charts";
import { ConfigReader, DNS_LABEL, FLAG, text } from "./reader";

/** trust-manager, installed here or by others. */
export interface TrustManagerConfig {
  /** Whether this program installs it. */
  readonly install: boolean;
  readonly namespace: string;
  readonly chartSource: string;
  readonly version: string;
}

const LABEL = text("must be a DNS label", DNS_LABEL, TRUST_MANAGER_NAMESPACE);

/**
 * Keys `trustManager`, `trustManagerVersion` and `trustManagerChartSource`; undefined where it is not enabled. `used`: the
 * last two matter.
 */
export function readTrustManager(reader: ConfigReader, used: boolean): TrustManagerConfig | undefined {
  const key = "trustManager";
  const object = reader.object(reader.json(key) ?? {}, key, ["enabled", "install", "namespace"]) ?? {};
  const enabled = reader.property(object, key, "enabled", FLAG) ?? false;
  const install = reader.property(object, key, "install", FLAG) ?? true;
  const config = {
    install,
    namespace: reader.property(object, key, "namespace", LABEL) ?? TRUST_MANAGER_NAMESPACE,
    version: readRelease(reader, "trustManagerVersion", DEFAULT_TRUST_MANAGER_VERSION),
    chartSource: readChartSource(
      reader,
      "trustManagerChartSource",
      DEFAULT_CERT_MANAGER_CHART_SOURCE,
      used && enabled && install ? ["trust-manager"] : [],
    ),
  };
  return enabled ? config : undefined;
}
