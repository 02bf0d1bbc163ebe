import type { ComponentChildren, VNode } from "preact";

import type { Result } from "../verify/model";

/** More rows than these are folded away. */
const FOLD = 12;

/** How a result is written: never by its colour alone. */
const RESULTS: Readonly<Record<Result, readonly [symbol: string, word: string]>> = {
  ok: ["√", "passed"],
  warning: ["‼", "warning"],
  error: ["×", "error"],
  skipped: ["–", "not checked"],
};

/** A section of the page, with its heading. */
export function Section(props: {
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
}): VNode {
  return (
    <section id={props.id} aria-labelledby={`${props.id}-title`}>
      <h2 id={`${props.id}-title`}>{props.title}</h2>
      {props.children}
    </section>
  );
}

/** A result as a badge. */
export function Badge({ result, word }: { readonly result: Result; readonly word?: string }): VNode {
  const [symbol, usual] = RESULTS[result];
  return (
    <span class={`badge ${result}`}>
      <span aria-hidden="true">{symbol}</span> {word ?? usual}
    </span>
  );
}

/** A table; a long one is folded. The first cell of each row is its heading. */
export function Table(props: {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly ComponentChildren[])[];
  /** Default: whether it is short. */
  readonly open?: boolean;
}): VNode {
  const { caption, columns, rows, open = rows.length <= FOLD } = props;
  const table = (
    <div class="scroll" role="region" aria-label={`Table: ${caption}`} tabIndex={0}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th scope="col">{column}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([first, ...others]) => (
            <tr>
              <th scope="row">{first}</th>
              {others.map((cell) => (
                <td>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
  return open ? table : <Fold summary={`${caption} (${rows.length})`}>{table}</Fold>;
}

/** What is folded away until it is asked for. */
export function Fold(props: { readonly summary: string; readonly children: ComponentChildren }): VNode {
  return (
    <details>
      <summary>{props.summary}</summary>
      {props.children}
    </details>
  );
}

/** Lines, of which the first few are seen at once. */
export function Lines(props: {
  readonly lines: readonly ComponentChildren[];
  /** What the others are, e.g. `more objects`. */
  readonly more: string;
  /** How many are seen at once. Default: as many as rows of a table. */
  readonly first?: number;
}): VNode {
  const { lines, more, first = FOLD } = props;
  const list = (some: readonly ComponentChildren[]): VNode => (
    <ul>
      {some.map((line) => (
        <li>{line}</li>
      ))}
    </ul>
  );
  return (
    <>
      {list(lines.slice(0, first))}
      {lines.length > first && (
        <Fold summary={`${lines.length - first} ${more}`}>{list(lines.slice(first))}</Fold>
      )}
    </>
  );
}

/** A drawing, with what it shows in words. The table beside it has the same. */
export function Chart(props: { readonly svg: string; readonly label: string }): VNode {
  // Vega and Graphviz escape the text in it.
  return (
    <div class="scroll chart" role="img" aria-label={props.label} tabIndex={0}>
      <div aria-hidden="true" dangerouslySetInnerHTML={{ __html: props.svg }} />
    </div>
  );
}

/** A time, to the minute. */
export function Time({ time }: { readonly time: Date }): VNode {
  const iso = time.toISOString();
  return (
    <time dateTime={iso}>
      {iso.slice(0, 10)} {iso.slice(11, 16)} UTC
    </time>
  );
}

/** E.g. `1 pod`, `2 pods`. */
export function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}
