import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { VNode } from "preact";
import { renderToString } from "preact-render-to-string";

import type { Result } from "../verify/model";
import { coverage, graph, timeline } from "./charts";
import { sum } from "./namespaces";
import { Badge, count, Time } from "./parts";
import type { Report } from "./report";
import { Certificates } from "./sections/certificates";
import { Deployment } from "./sections/deployment";
import { Findings } from "./sections/findings";
import { Identities } from "./sections/identities";
import { Namespaces } from "./sections/namespaces";
import { Rotation } from "./sections/rotation";

const SECTIONS = [
  ["findings", "Findings"],
  ["certificates", "Certificates"],
  ["deployment", "Deployment"],
  ["namespaces", "Namespaces"],
  ["identities", "Identities and policies"],
  ["rotation", "Rotation"],
] as const;

/** Drawings, as SVG. */
interface Drawings {
  readonly timeline?: string;
  readonly graph?: string;
  readonly coverage: string;
}

/** The whole page, in one piece: it has no scripts and asks for nothing. */
export async function page(report: Report): Promise<string> {
  const { certificates, deployment, namespaces, now } = report;
  const style = await readFile(join(__dirname, "style.css"), "utf8");
  const drawings: Drawings = {
    ...(certificates.rows.length > 0 && { timeline: await timeline(certificates.rows, now) }),
    ...(deployment !== undefined && deployment.length > 0 && { graph: await graph(deployment) }),
    coverage: await coverage(sum(namespaces)),
  };
  return `<!doctype html>\n${renderToString(<Page report={report} drawings={drawings} style={style} />)}\n`;
}

function Page(props: {
  readonly report: Report;
  readonly drawings: Drawings;
  readonly style: string;
}): VNode {
  const { report, drawings, style } = props;
  const hash = createHash("sha256").update(style).digest("base64");
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta
          http-equiv="Content-Security-Policy"
          content={`default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`}
        />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`Mesh of ${report.cluster}`}</title>
        <style dangerouslySetInnerHTML={{ __html: style }} />
      </head>
      <body>
        <a class="skip" href="#findings">
          Skip to the findings
        </a>
        <Header report={report} />
        <nav aria-label="Sections">
          <ul>
            {SECTIONS.map(([id, title]) => (
              <li>
                <a href={`#${id}`}>{title}</a>
              </li>
            ))}
          </ul>
        </nav>
        <main>
          <Findings groups={report.findings} />
          <Certificates certificates={report.certificates} timeline={drawings.timeline} />
          <Deployment parts={report.deployment} graph={drawings.graph} />
          <Namespaces namespaces={report.namespaces} coverage={drawings.coverage} />
          <Identities identities={report.identities} policies={report.policies} />
          <Rotation rows={report.rotation} />
        </main>
        <footer>
          <p>
            Written by <code>npm run report</code>. The page has no scripts, loads nothing and holds no keys;
            it is as old as the time at its top.
          </p>
        </footer>
      </body>
    </html>
  );
}

function Header({ report }: { readonly report: Report }): VNode {
  const { cluster, now, findings, namespaces, certificates } = report;
  const results = findings.flatMap(({ checks }) => checks).map(({ result }) => result);
  const number = (result: Result): number => results.filter((each) => each === result).length;
  const worst = (["error", "warning"] as const).find((result) => number(result) > 0) ?? "ok";
  const { meshed, outside } = sum(namespaces);
  const [next] = [...certificates.rows].sort((one, other) => one.renewal.getTime() - other.renewal.getTime());
  return (
    <header>
      <h1>Mesh of {cluster}</h1>
      <p>
        As of <Time time={now} />
      </p>
      <dl class="tiles">
        <div>
          <dt>Findings</dt>
          <dd>
            <Badge
              result={worst}
              word={
                worst === "ok"
                  ? "none"
                  : `${count(number("error"), "error")}, ${count(number("warning"), "warning")}`
              }
            />
          </dd>
        </div>
        <div>
          <dt>Pods in the mesh</dt>
          <dd>
            {meshed} of {meshed + outside} that ask for it
          </dd>
        </div>
        <div>
          <dt>Namespaces with meshed pods</dt>
          <dd>
            {namespaces.filter((row) => row.meshed > 0).length} of {namespaces.length}
          </dd>
        </div>
        <div>
          <dt>Next renewal</dt>
          <dd>
            {next === undefined ? (
              "not known"
            ) : (
              <>
                {next.renewal <= now ? (
                  <Badge result="warning" word="overdue" />
                ) : (
                  <Time time={next.renewal} />
                )}
                <br />
                <span class="soft">{next.label}</span>
              </>
            )}
          </dd>
        </div>
      </dl>
    </header>
  );
}
