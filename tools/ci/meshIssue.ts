import type { Check } from "../verify/model";
import { GitHub, type Post, type Repository } from "./github";
import { code, fence, fitting } from "./markdown";

/** A check as `npm run verify -- --output json` writes it: with the link of its hint. */
type Answered = Omit<Check, "hint"> & { readonly hint?: string };

/** What `npm run verify -- --output json` writes. */
export interface Answer {
  readonly healthy: boolean;
  readonly groups: readonly { readonly group: string; readonly checks: readonly Answered[] }[];
}

/** What the issue is about. */
export interface Mesh {
  readonly stack: string;
  /** Undefined where verify gave no answer. */
  readonly answer?: Answer;
  /** The run of the workflow that asked. */
  readonly run?: string;
  /** Where the files of the repository are shown. */
  readonly files?: string;
}

/** What became of the issue; without a number, there is none and none is needed. */
export interface Done {
  readonly done: "opened" | "updated" | "closed" | "unchanged";
  readonly issue?: number;
}

interface Issue extends Post {
  readonly number: number;
}

/** GitHub refuses texts of more than 65,536 characters. */
const LONGEST = 60_000;

/** Objects of a finding that are listed. */
const LISTED = 20;

/**
 * Opens the issue of a stack where something was found, or brings the open one up to date; closes it where nothing is found
 * any more. GitHub tells nobody of an edited text, so what is found since the last time is a comment too. The token needs the
 * permission `issues: write`.
 *
 * @throws UserError when GitHub refuses it.
 */
export async function updateIssue(repository: Repository, mesh: Mesh): Promise<Done> {
  const github = new GitHub(repository, "issues: write");
  const open = await github.find<Issue>("/issues?state=open", markerOf(mesh));
  const { answer } = mesh;
  if (answer?.healthy === true) {
    if (open === undefined) return { done: "unchanged" };
    await github.call("POST", `/issues/${open.number}/comments`, { body: healthy(mesh) });
    await github.call("PATCH", `/issues/${open.number}`, { state: "closed", state_reason: "completed" });
    return { done: "closed", issue: open.number };
  }
  const body = issueText(mesh);
  if (open === undefined) {
    const title = `The mesh of ${mesh.stack} needs attention`;
    const { number } = (await github.call("POST", "/issues", { title, body })) as Issue;
    return { done: "opened", issue: number };
  }
  const before = open.body ?? "";
  if (before.trim() === body.trim()) return { done: "unchanged", issue: open.number };
  const added = headings(mesh).filter((heading) => !before.includes(heading));
  if (added.length > 0) {
    const news = [`Found since then${runOf(mesh)}:`, ...added.map((heading) => `- ${heading}`)].join("\n");
    await github.call("POST", `/issues/${open.number}/comments`, { body: news });
  }
  await github.call("PATCH", `/issues/${open.number}`, { body });
  return { done: "updated", issue: open.number };
}

/** By it the issue of a stack is found again. */
function markerOf({ stack }: Mesh): string {
  return `<!-- linkerd-mtls verify: ${stack} -->`;
}

/** The answer as Markdown. It has no date and no link to the run, so that the same findings have the same text. */
export function issueText(mesh: Mesh): string {
  const findings = findingsOf(mesh);
  const details = findings.map((finding) => detailsOf(finding, mesh));
  const shown = fitting(details, LONGEST);
  const more = details.length - shown.length;
  const parts = [
    markerOf(mesh),
    `\`npm run verify\` about the mesh of stack ${code(mesh.stack)}:`,
    ...(mesh.answer === undefined ? [NOT_ASKED] : []),
    ...(mesh.answer?.healthy === true ? ["Nothing was found."] : []),
    ...shown,
    ...(more > 0 ? [`${more} more findings are in the run's log.`] : []),
  ];
  return `${parts.join("\n\n")}\n`;
}

/** The finding where verify gave no answer. */
const SILENT = "**error**: the cluster could not be asked";

const NOT_ASKED = `${SILENT}

The log of the run says why: the cluster does not answer, the user of the kubeconfig lacks a permission, or its token has
expired. Nobody watches this mesh until that is fixed.`;

/** A line for each finding, the same as long as that is found. */
function headings(mesh: Mesh): string[] {
  return mesh.answer === undefined ? [SILENT] : findingsOf(mesh).map(headingOf);
}

/** A check that found something, with its group. */
type Finding = Answered & { readonly group: string };

function findingsOf({ answer }: Mesh): Finding[] {
  return (answer?.groups ?? []).flatMap(({ group, checks }) =>
    checks
      .filter(({ result }) => result === "error" || result === "warning")
      .map((finding) => ({ group, ...finding })),
  );
}

function headingOf({ group, check, result }: Finding): string {
  return `**${result}**, ${group}: ${code(check)}`;
}

function detailsOf(finding: Finding, { files }: Mesh): string {
  const { found = [], hint } = finding;
  const more = found.length - LISTED;
  const lines = [...found.slice(0, LISTED), ...(more > 0 ? [`and ${more} more`] : [])];
  return [
    headingOf(finding),
    // In a fence no name of an object is a link, and none calls a person.
    ...(lines.length > 0 ? [fence(lines.join("\n"), "text")] : []),
    ...(hint === undefined
      ? []
      : [`What to do: ${files === undefined ? hint : `[${hint}](${files}/${hint})`}`]),
  ].join("\n\n");
}

function healthy(mesh: Mesh): string {
  return `Nothing is found any more${runOf(mesh)}.`;
}

function runOf({ run }: Mesh): string {
  return run === undefined ? "" : ` by [this run](${run})`;
}

/** Where the run and the repository's files are, from the variables that GitHub sets; nothing where they are not set. */
export function linksOf(env: NodeJS.ProcessEnv): Pick<Mesh, "run" | "files"> {
  const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: name, GITHUB_RUN_ID: run } = env;
  if (server === undefined || name === undefined || run === undefined) return {};
  return { run: `${server}/${name}/actions/runs/${run}`, files: `${server}/${name}/blob/HEAD` };
}
