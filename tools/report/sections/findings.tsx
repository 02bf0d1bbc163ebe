import type { VNode } from "preact";

import { hintLink } from "../../verify/hints";
import type { Check, Group } from "../../verify/model";
import { Badge, Lines, Section, Table } from "../parts";

/** What `npm run verify` finds: what is wrong first, then everything that was checked. */
export function Findings({ groups }: { readonly groups: readonly Group[] }): VNode {
  const checks = groups.flatMap(({ group, checks: each }) => each.map((check) => ({ group, ...check })));
  const wrong = (["error", "warning"] as const).flatMap((result) =>
    checks.filter((check) => check.result === result),
  );
  return (
    <Section id="findings" title="Findings">
      {wrong.length === 0 ? (
        <p>Nothing was found.</p>
      ) : (
        <ul class="findings">
          {wrong.map((check) => (
            <Finding check={check} />
          ))}
        </ul>
      )}
      <Table
        caption="All that npm run verify checked"
        columns={["Check", "Group", "Result", "Note"]}
        rows={checks.map(({ check, group, result, note }) => [check, group, <Badge result={result} />, note])}
        open={false}
      />
    </Section>
  );
}

function Finding({ check: { check, result, note, found = [], hint } }: { readonly check: Check }): VNode {
  return (
    <li class={result}>
      <h3>
        <Badge result={result} /> Expected: {check}
      </h3>
      {note !== undefined && <p>{note}</p>}
      <Lines lines={found} more="more" />
      {hint !== undefined && (
        <p>
          What to do: <code>{hintLink(hint)}</code>
        </p>
      )}
    </li>
  );
}
