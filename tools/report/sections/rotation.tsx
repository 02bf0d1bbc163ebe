import type { VNode } from "preact";

import { count, Section, Table } from "../parts";
import type { RotationRow } from "../rotation";

const ROLLED_BY = { "control plane": "its Helm release", stack: "the stack's own update" } as const;

/** What a new trust bundle would recreate. */
export function Rotation({ rows }: { readonly rows: readonly RotationRow[] }): VNode {
  const others = rows.filter(({ rolledBy }) => rolledBy === "others");
  const own = rows.filter(({ rolledBy }) => rolledBy !== "others");
  const pods = (some: readonly RotationRow[]): string =>
    count(
      some.reduce((total, row) => total + row.pods, 0),
      "pod",
    );
  return (
    <Section id="rotation" title="What a rotation would touch">
      <p>
        Each change of the trust bundle recreates {pods(rows)}: once when the new anchor is added, once when
        the old one is removed. The switch of the signer between them touches no pod.
      </p>
      {others.length === 0 ? (
        <p>All of them roll by themselves.</p>
      ) : (
        <>
          <p>
            {count(others.length, "workload")} with {pods(others)} {others.length === 1 ? "is" : "are"} of
            others and {others.length === 1 ? "does" : "do"} not roll by{" "}
            {others.length === 1 ? "itself" : "themselves"}: the owners run these commands after each change,
            unless the configuration <code>rolls</code> of the stack names them.
          </p>
          <Table
            caption="Workloads of others"
            columns={["Workload", "Pods", "Command"]}
            rows={others.map(({ owner, pods: number, command }) => [owner, number, <code>{command}</code>])}
          />
        </>
      )}
      {own.length > 0 && (
        <Table
          caption="Workloads that roll by themselves"
          columns={["Workload", "Pods", "Rolled by"]}
          rows={own.map(({ owner, pods: number, rolledBy }) => [
            owner,
            number,
            rolledBy === "others" ? "" : ROLLED_BY[rolledBy],
          ])}
        />
      )}
    </Section>
  );
}
