import { UserError } from "../shared/errors";

/** A pull request's comments, and who may write them. */
export interface PullRequest {
  /** GitHub's API, `https://api.github.com` except on GitHub Enterprise. */
  readonly api: string;
  /** OWNER/NAME. */
  readonly repository: string;
  readonly number: string;
  /** Needs the permission `pull-requests: write`. */
  readonly token: string;
}

/** A comment, as far as it matters here. */
interface Comment {
  readonly id: number;
  readonly body?: string;
  readonly user?: { readonly type?: string } | null;
}

const PAGE = 100;

/**
 * Puts a text under a pull request, in place of the earlier comment that begins with the same line.
 *
 * @throws UserError when GitHub refuses it.
 */
export async function postComment(
  pull: PullRequest,
  text: string,
): Promise<"created" | "edited" | "unchanged"> {
  const [marker = ""] = text.split("\n");
  const comments = `/repos/${pull.repository}/issues/${pull.number}/comments`;
  const earlier = await findComment(pull, comments, marker);
  if (earlier?.body?.trim() === text.trim()) return "unchanged";
  if (earlier === undefined) {
    await call(pull, "POST", comments, { body: text });
    return "created";
  }
  await call(pull, "PATCH", `/repos/${pull.repository}/issues/comments/${earlier.id}`, { body: text });
  return "edited";
}

async function findComment(pull: PullRequest, path: string, marker: string): Promise<Comment | undefined> {
  for (let page = 1; ; page++) {
    const comments = (await call(pull, "GET", `${path}?per_page=${PAGE}&page=${page}`)) as readonly Comment[];
    // A person may quote the line; what the token's bot may edit is a bot's.
    const found = comments.find(({ body, user }) => user?.type === "Bot" && body?.startsWith(marker));
    if (found !== undefined || comments.length < PAGE) return found;
  }
}

async function call(
  { api, token }: PullRequest,
  method: string,
  path: string,
  body?: object,
): Promise<unknown> {
  const response = await fetch(`${api}${path}`, {
    method,
    headers: {
      accept: "application/vnd.github+json",
      authorization: `Bearer ${token}`,
      "x-github-api-version": "2022-11-28",
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (!response.ok) {
    throw new UserError(
      `GitHub answered ${response.status} to ${method} ${path}: ${await response.text()}`,
      "give the token the permission pull-requests: write",
    );
  }
  return response.json();
}

/**
 * The pull request of the workflow that runs, from the variables that GitHub sets.
 *
 * @throws UserError that names the variables that are missing.
 */
export function pullRequest(env: NodeJS.ProcessEnv, number: string): PullRequest {
  const {
    GITHUB_API_URL: api = "https://api.github.com",
    GITHUB_REPOSITORY: repository,
    GITHUB_TOKEN: token,
  } = env;
  if (repository === undefined || token === undefined || repository === "" || token === "") {
    throw new UserError(
      "GITHUB_REPOSITORY (OWNER/NAME) and GITHUB_TOKEN must be set, and are not",
      'GITHUB_REPOSITORY=OWNER/NAME GITHUB_TOKEN="$(gh auth token)" npm run preview:comment -- ...',
    );
  }
  return { api, repository, number, token };
}
