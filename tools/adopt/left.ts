import type { Left, Present } from "./present";

/** What the configuration has no place for, and what to do about it. */
export function leftOf(present: Present): Left[] {
  const { charts, effective, extensions, gitOps, issuer, webhooks, bundleOwner } = present;
  const identity = effective.identity as { readonly externalCA?: boolean } | undefined;
  const renewed = webhooks.flatMap(({ certificate }) => certificate ?? []);
  const withKey = charts.filter(({ values }) => JSON.stringify(values).includes("PRIVATE KEY-----"));
  return [
    ...(charts.some(({ chart, release }) => chart === "linkerd-control-plane" && release === undefined)
      ? [
          {
            what: "the objects of `linkerd install`",
            todo: "the first `up` makes them the objects of Helm releases: use the stack from then on, not `linkerd upgrade`",
          },
        ]
      : []),
    ...gitOps.map((application) => ({
      what: `${application} deploys Linkerd`,
      todo: "take Linkerd out of it without deleting its objects, or both will change the mesh",
    })),
    ...(identity?.externalCA === true
      ? [
          {
            what: `the ConfigMap of the trust bundle (${bundleOwner})`,
            todo: "it is not the chart's: this stack's chart writes it, or trustManager does (docs/configuration.md)",
          },
        ]
      : []),
    ...(issuer.renewedBy === undefined
      ? []
      : [
          {
            what: `cert-manager's Certificate ${issuer.renewedBy.name}`,
            todo: "the first `up` deletes it, and makes Certificate linkerd-identity-issuer with the same issuerRef for its Secret",
          },
        ]),
    ...renewed.map((name) => ({
      what: `cert-manager's Certificate ${name}`,
      todo: "the first `up` deletes it, and signs the webhooks' certificates itself",
    })),
    ...withKey.map(({ release }) =>
      release === undefined
        ? {
            what: "a private key in Secret linkerd-config-overrides",
            todo: "whoever reads Secrets there can sign as the mesh: delete it after the first `up`, and rotate the issuer",
          }
        : {
            what: `a private key in Helm's records of ${release}`,
            todo: "the first `up` removes it; whoever has read Secrets there can sign as the mesh until the issuer is rotated",
          },
    ),
    ...extensions.map((name) => ({
      what: `the extension ${name}`,
      todo: "it stays as it is, with the tool that installed it",
    })),
  ];
}
