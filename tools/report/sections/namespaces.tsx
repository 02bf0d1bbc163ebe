import type { VNode } from "preact";

import { type NamespaceRow, sum, type Workload } from "../namespaces";
import { Badge, Chart, count, Fold, Section, Table } from "../parts";

/** Namespaces, with their pods in the mesh and outside. */
export function Namespaces(props: {
  readonly namespaces: readonly NamespaceRow[];
  readonly coverage: string;
}): VNode {
  const { namespaces, coverage } = props;
  const { meshed, outside, plain } = sum(namespaces);
  const groups = [
    ["Namespaces with pods outside the mesh", namespaces.filter((row) => row.outside > 0), true],
    [
      "Namespaces in the mesh",
      namespaces.filter((row) => row.outside === 0 && (row.meshed > 0 || row.inject === "enabled")),
      undefined,
    ],
    [
      "Other namespaces",
      namespaces.filter((row) => row.outside === 0 && row.meshed === 0 && row.inject !== "enabled"),
      undefined,
    ],
  ] as const;
  return (
    <Section id="namespaces" title="Namespaces">
      <Chart
        svg={coverage}
        label={`Pods: ${meshed} in the mesh, ${outside} outside though they ask for a proxy, ${plain} that ask for none`}
      />
      {groups.map(
        ([caption, rows, open]) =>
          rows.length > 0 && (
            <Table
              caption={caption}
              columns={["Namespace", "Injection", "In the mesh", "Outside", "Ask for none", "Workloads"]}
              rows={rows.map((row) => [
                row.name,
                row.inject ?? "–",
                row.meshed,
                row.outside > 0 ? <Badge result="error" word={String(row.outside)} /> : 0,
                row.plain,
                <Workloads workloads={row.workloads} namespace={row.name} />,
              ])}
              open={open}
            />
          ),
      )}
    </Section>
  );
}

function Workloads(props: { readonly workloads: readonly Workload[]; readonly namespace: string }): VNode {
  const { workloads, namespace } = props;
  if (workloads.length === 0) return <>none</>;
  return (
    <Fold summary={`${workloads.length} in ${namespace}`}>
      <ul>
        {workloads.map(({ owner, meshed, outside, plain }) => (
          <li>
            {owner}: {describe(meshed, "in the mesh")}
            {describe(outside, "outside")}
            {describe(plain, "ask for none")}
          </li>
        ))}
      </ul>
    </Fold>
  );
}

function describe(pods: number, where: string): string {
  return pods === 0 ? "" : `${count(pods, "pod")} ${where} `;
}
