import type { Server } from "../../components/controlPlane/webhookServers";
import { PROXY_INJECTOR } from "../../components/injection/injectionDiagnosis";

/** Whether it is the one that adds the proxy. */
export function isInjector({ service }: Server): boolean {
  return service === PROXY_INJECTOR.service;
}
