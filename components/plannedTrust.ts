import { LinkerdMeshArgs } from "./linkerdMeshArgs";
import { DEFAULT_TRUST_DOMAIN, PlannedTrust } from "./pki/deployedTrust";

/** The arguments of a mesh as a plan that can be compared with what is deployed. */
export function plannedTrust(args: LinkerdMeshArgs): PlannedTrust {
  const { trustDomain = DEFAULT_TRUST_DOMAIN, trustAnchors = [{ id: "primary" }], acceptOutage } = args;
  const signedElsewhere =
    args.providedIssuer !== undefined || args.rotation?.identity.issuerRef !== undefined;
  const signingAnchor = signedElsewhere ? undefined : (args.signingAnchor ?? trustAnchors[0]?.id);
  return { trustDomain, trustAnchors, signingAnchor, acceptOutage };
}
