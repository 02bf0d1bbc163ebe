import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { singleTool, type Toolset } from "../../sandbox/build/artifact";
import { ENGINE_VERSION, type Tool } from "../../sandbox/build/manifest";
import { prepare } from "../../sandbox/build/prepare";
import type { OpenBackend } from "../../sandbox/backend";
import { interruption } from "../../shared/interruption";
import { serveState, type StateService } from "./service";

const STATE_SERVICE: Tool = {
  name: "pulumi-state",
  module: "pulumi",
  package: "./pulumi-state",
  variables: ENGINE_VERSION,
};

/** How long the engine collects entries of its journal before it has them written; a step waits for that. */
const JOURNAL_MILLISECONDS = 2;

/** Name of Pulumi's file of accounts. */
const CREDENTIALS = "credentials.json";

/** The service that keeps a state with a journal. The tool is the path of its binary. */
export function stateService(): Promise<Toolset<string>> {
  return singleTool(STATE_SERVICE);
}

/**
 * A backend to which the engine sends a journal, as to Pulumi Cloud, in place of the whole state at each step. Between
 * commands its folder is a `file://` backend.
 */
export const journalBackend: OpenBackend = async ({ state, workspace }) => {
  const toolset = await stateService();
  await prepare([toolset], interruption.signal);
  const service = await serveState(toolset.tools, state);
  const file = join(workspace, CREDENTIALS);
  await writeFile(file, credentials(service), { mode: 0o600 });
  return {
    env: {
      PULUMI_BACKEND_URL: service.url,
      PULUMI_DISABLE_JOURNALING: "false",
      PULUMI_JOURNALING_BATCH_PERIOD: String(JOURNAL_MILLISECONDS),
    },
    close: async () => {
      await service.close();
      await rm(file, { force: true });
    },
  };
};

/** An account that logged in a moment ago; without one Pulumi reports a login at each command. */
function credentials({ url, token }: StateService): string {
  const account = { accessToken: token, username: "organization", lastValidatedAt: new Date() };
  return JSON.stringify({ current: url, accessTokens: { [url]: token }, accounts: { [url]: account } });
}
