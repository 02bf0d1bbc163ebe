import type * as Asn1X509 from "@peculiar/asn1-x509";

/** Which names the certificates below a CA may have. */
export class NameConstraints {
  /** Domains; undefined for all. */
  private readonly permitted: readonly string[] | undefined;
  private readonly excluded: readonly string[];
  /** Whether all of them are of kinds that Go knows. */
  public readonly isKnown: boolean;

  public constructor({ permittedSubtrees, excludedSubtrees }: Asn1X509.NameConstraints) {
    const permitted = domains(permittedSubtrees);
    this.permitted = permitted.length === 0 ? undefined : permitted;
    this.excluded = domains(excludedSubtrees);
    this.isKnown = [...(permittedSubtrees ?? []), ...(excludedSubtrees ?? [])].every(
      ({ base }) =>
        base.dNSName !== undefined ||
        base.iPAddress !== undefined ||
        base.rfc822Name !== undefined ||
        base.uniformResourceIdentifier !== undefined,
    );
  }

  /** Whether a certificate may have a DNS name. */
  public allows(name: string): boolean {
    return (
      (this.permitted?.some((domain) => includes(domain, name)) ?? true) &&
      !this.excluded.some((domain) => includes(domain, name))
    );
  }

  /** Whether certificates may have every DNS name below a domain. */
  public allowsBelow(domain: string): boolean {
    // Two labels stand for any: an excluded domain may be one that is below.
    return this.allows(`a.a.${domain}`) && !this.excluded.some((excluded) => includes(domain, excluded));
  }
}

function domains(subtrees: Asn1X509.GeneralSubtrees | undefined): string[] {
  return (subtrees ?? []).flatMap(({ base }) => base.dNSName?.toLowerCase() ?? []);
}

/** Whether a constraint has a name in it; one that begins with a dot has only what is below. */
function includes(constraint: string, name: string): boolean {
  const lower = name.toLowerCase();
  return constraint.startsWith(".")
    ? lower.endsWith(constraint)
    : constraint === "" || lower === constraint || lower.endsWith(`.${constraint}`);
}
