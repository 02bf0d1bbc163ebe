import { CERT_MANAGER_NAMESPACE } from "./certManager/certManager";
import { MeshRotation } from "./linkerdMeshArgs";
import { TRUST_MANAGER_NAMESPACE } from "./trustManager/trustManager";

/** Whether trust-manager is installed in cert-manager's namespace, which is there already or is made for that. */
export function sharesNamespace({ certManager, trustManager }: MeshRotation): boolean {
  return (
    (trustManager?.namespace ?? TRUST_MANAGER_NAMESPACE) === (certManager.namespace ?? CERT_MANAGER_NAMESPACE)
  );
}
