import { GitHub, type Post, type Repository } from "./github";

/**
 * Puts a text under a pull request, in place of the earlier comment that begins with the same line. The token needs the
 * permission `pull-requests: write`.
 *
 * @throws UserError when GitHub refuses it.
 */
export async function postComment(
  repository: Repository,
  pullRequest: string,
  text: string,
): Promise<"created" | "edited" | "unchanged"> {
  const github = new GitHub(repository, "pull-requests: write");
  const [marker = ""] = text.split("\n");
  const comments = `/issues/${pullRequest}/comments`;
  const earlier = await github.find<Post & { readonly id: number }>(comments, marker);
  if (earlier?.body?.trim() === text.trim()) return "unchanged";
  if (earlier === undefined) {
    await github.call("POST", comments, { body: text });
    return "created";
  }
  await github.call("PATCH", `/issues/comments/${earlier.id}`, { body: text });
  return "edited";
}
