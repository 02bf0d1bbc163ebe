import type { VNode } from "preact";

import type { Part } from "../deployment";
import { Chart, Section, Table } from "../parts";

/** The parts of the deployment in the order in which they are made. */
export function Deployment(props: { readonly parts?: readonly Part[]; readonly graph?: string }): VNode {
  const { parts = [], graph } = props;
  return (
    <Section id="deployment" title="Deployment">
      {graph === undefined ? (
        <p>
          No stack of this program is known for the cluster, so the order of its deployment is left out.{" "}
          <code>npm run report -- --state FILE</code> takes what <code>pulumi stack export</code> writes.
        </p>
      ) : (
        <>
          <p>
            Each part waits for those that an arrow comes from: no pod is created before the gate has seen
            that pods are injected.
          </p>
          <Chart svg={graph} label="Graph of the deployment; the table below has the same" />
          <Table
            caption="Parts in their order"
            columns={["Part", "Stage", "Components", "Resources", "Waits for"]}
            rows={parts.map(({ name, stage, components, resources, waitsFor }) => [
              name,
              stage,
              components,
              resources,
              waitsFor.join(", ") || "nothing",
            ])}
          />
        </>
      )}
    </Section>
  );
}
