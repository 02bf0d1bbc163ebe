import { UserError } from "../shared/errors";

/** A repository on GitHub, and who asks. */
export interface Repository {
  /** GitHub's API, `https://api.github.com` except on GitHub Enterprise. */
  readonly api: string;
  /** OWNER/NAME. */
  readonly name: string;
  readonly token: string;
}

/** What a token must be allowed to do. */
export type Permission = "pull-requests: write" | "issues: write";

/** A comment or an issue, as far as it matters here. */
export interface Post {
  readonly body?: string | null;
  readonly user?: { readonly type?: string } | null;
}

const PAGE = 100;

/** What is asked of one repository with one permission. */
export class GitHub {
  /** @param permission What the token needs, to be named where GitHub refuses. */
  public constructor(
    private readonly repository: Repository,
    private readonly permission: Permission,
  ) {}

  /**
   * The first item of a list that a bot wrote and that begins with the marker.
   *
   * @param path Below the repository; may have a query.
   */
  public async find<P extends Post>(path: string, marker: string): Promise<P | undefined> {
    const all = `${path}${path.includes("?") ? "&" : "?"}per_page=${PAGE}`;
    for (let page = 1; ; page++) {
      const items = (await this.call("GET", `${all}&page=${page}`)) as readonly P[];
      // A person may quote the line; what the token's bot may edit is a bot's.
      const found = items.find(({ body, user }) => user?.type === "Bot" && body?.startsWith(marker));
      if (found !== undefined || items.length < PAGE) return found;
    }
  }

  /**
   * Asks GitHub.
   *
   * @param path Below the repository.
   * @throws UserError when GitHub refuses it.
   */
  public async call(method: "GET" | "POST" | "PATCH", path: string, body?: object): Promise<unknown> {
    const { api, name, token } = this.repository;
    const whole = `/repos/${name}${path}`;
    const response = await fetch(`${api}${whole}`, {
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
        `GitHub answered ${response.status} to ${method} ${whole}: ${await response.text()}`,
        `give the token the permission ${this.permission}`,
      );
    }
    return response.json();
  }
}

/**
 * The repository of the workflow that runs, from the variables that GitHub sets.
 *
 * @param command The npm script that needs them.
 * @throws UserError that names the variables that are missing.
 */
export function repositoryOf(env: NodeJS.ProcessEnv, command: string): Repository {
  const {
    GITHUB_API_URL: api = "https://api.github.com",
    GITHUB_REPOSITORY: name,
    GITHUB_TOKEN: token,
  } = env;
  if (name === undefined || token === undefined || name === "" || token === "") {
    throw new UserError(
      "GITHUB_REPOSITORY (OWNER/NAME) and GITHUB_TOKEN must be set, and are not",
      `GITHUB_REPOSITORY=OWNER/NAME GITHUB_TOKEN="$(gh auth token)" npm run ${command} -- ...`,
    );
  }
  return { api, name, token };
}
