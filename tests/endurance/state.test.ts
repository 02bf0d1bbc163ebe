import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { appendFile, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { serveState, type StateService } from "../../tools/bench/journal/service";
import { stateService } from "../../tools/bench/journal/backend";
import { prepare } from "../../tools/sandbox/build/prepare";
import { eventually } from "../support/eventually";

const STACK = "/api/stacks/organization/shop/dev";
const ROOT = { urn: "urn:pulumi:dev::shop::pulumi:pulumi:Stack::shop-dev", type: "pulumi:pulumi:Stack" };

/** Kinds of entries of the engine's journal: `JournalEntryKind` in Pulumi's `apitype`. */
const [BEGIN, SUCCESS] = [0, 1];

/** What the engine records of a resource. */
function resource(name: string) {
  return {
    urn: `urn:pulumi:dev::shop::shop:index:Thing::${name}`,
    type: "shop:index:Thing",
    parent: ROOT.urn,
  };
}

interface Deployment {
  readonly resources?: readonly { readonly urn: string }[];
  readonly pending_operations?: readonly { readonly type: string; readonly resource: { urn: string } }[];
}

describe("the service that keeps Pulumi's state", () => {
  let binary = "";
  let folder = "";
  let service: StateService;

  const checkpoint = () => join(folder, ".pulumi", "stacks", "shop", "dev.json");
  const journal = () => join(folder, ".pulumi", "journals", "shop", "dev.jsonl");

  async function ask(method: string, path: string, body?: unknown, token = service.token): Promise<Response> {
    return fetch(service.url + path, {
      method,
      headers: { Authorization: `token ${token}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  }

  async function succeed<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await ask(method, path, body);
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return JSON.parse(text) as T;
  }

  /** Starts an update and returns its path. */
  async function begin(): Promise<string> {
    const { updateID } = await succeed<{ updateID: string }>("POST", `${STACK}/update`, {});
    const update = `${STACK}/update/${updateID}`;
    const started = await succeed<{ journalVersion: number }>("POST", update, { journalVersion: 1 });
    assert.equal(started.journalVersion, 1);
    return update;
  }

  /** Records that resources were made, with the root of the stack as the first. */
  function record(update: string, ...names: string[]): Promise<unknown> {
    const states = [ROOT, ...names.map(resource)];
    const entries = states.map((state, index) => ({
      ...{ version: 1, kind: SUCCESS, sequenceID: index + 1, operationID: index + 1, state },
    }));
    return succeed("PATCH", `${update}/journalentries`, { entries });
  }

  async function deployment(): Promise<Deployment> {
    return (await succeed<{ deployment: Deployment }>("GET", `${STACK}/export`)).deployment;
  }

  async function names(): Promise<string[]> {
    return ((await deployment()).resources ?? []).map(({ urn }) => urn.split("::").at(-1) ?? "");
  }

  /** Kills the service, without a chance to end anything, and starts another. */
  async function kill(): Promise<void> {
    process.kill(service.pid, "SIGKILL");
    await service.close();
    service = await serveState(binary, folder);
  }

  async function restartAfter(change: () => Promise<void>): Promise<void> {
    await service.close();
    await change();
    service = await serveState(binary, folder);
  }

  before(async () => {
    const service = await stateService();
    await prepare([service], new AbortController().signal);
    binary = service.tools;
  });
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "pulumi-state-"));
    service = await serveState(binary, folder);
  });
  afterEach(async () => {
    await service.close();
    await rm(folder, { recursive: true });
  });

  it("has an empty deployment for a stack that was never deployed", async () => {
    assert.deepEqual(await names(), []);
  });

  it("keeps what an update recorded", async () => {
    const update = await begin();
    await record(update, "one", "two");
    await succeed("POST", `${update}/complete`, { status: "succeeded" });
    assert.deepEqual(await names(), ["shop-dev", "one", "two"]);
    await restartAfter(() => Promise.resolve());
    assert.deepEqual(await names(), ["shop-dev", "one", "two"]);
    assert.deepEqual(await readdir(join(journal(), "..")), []);
  });

  it("has all that it acknowledged after it was killed, and what was under way as pending", async () => {
    const update = await begin();
    await record(update, "one");
    const operation = { type: "creating", resource: resource("two") };
    await succeed("PATCH", `${update}/journalentries`, {
      entries: [{ version: 1, kind: BEGIN, sequenceID: 3, operationID: 3, operation }],
    });
    await kill();
    assert.deepEqual(await names(), ["shop-dev", "one"]);
    const pending = (await deployment()).pending_operations ?? [];
    assert.deepEqual(
      pending.map(({ type, resource: { urn } }) => [type, urn]),
      [["creating", resource("two").urn]],
    );
  });

  it("goes without a last line that was cut off", async () => {
    await record(await begin(), "one");
    await restartAfter(() => appendFile(journal(), '{"entry":{"version":1,"kind":1,"sequ'));
    assert.deepEqual(await names(), ["shop-dev", "one"]);
  });

  it("counts an entry that was sent twice once", async () => {
    const update = await begin();
    await record(update, "one");
    await record(update, "one");
    await succeed("POST", `${update}/complete`, { status: "succeeded" });
    assert.deepEqual(await names(), ["shop-dev", "one"]);
  });

  it("does not apply a journal again whose entries the checkpoint has", async () => {
    const update = await begin();
    await record(update, "one");
    const lines = await readFile(journal(), "utf8");
    await succeed("POST", `${update}/complete`, { status: "succeeded" });
    const folded = createHash("sha256")
      .update(await readFile(checkpoint()))
      .digest("hex");
    await restartAfter(() => writeFile(journal(), `${lines}${JSON.stringify({ folded })}\n`));
    assert.deepEqual(await names(), ["shop-dev", "one"]);
  });

  it("refuses a journal of another checkpoint", async () => {
    const update = await begin();
    await record(update, "one");
    const lines = await readFile(journal(), "utf8");
    await succeed("POST", `${update}/complete`, { status: "succeeded" });
    await restartAfter(() => writeFile(journal(), lines));
    const response = await ask("GET", `${STACK}/export`);
    assert.equal(response.status, 500);
    assert.match(await response.text(), /dev\.json was changed by others since the steps in .*dev\.jsonl/);
    assert.equal(await readFile(journal(), "utf8"), lines);
  });

  it("refuses entries of an update when another was started", async () => {
    const first = await begin();
    await begin();
    const response = await ask("PATCH", `${first}/journalentries`, { entries: [] });
    assert.equal(response.status, 409);
  });

  it("removes a stack only when nothing is left in it, or by force", async () => {
    const update = await begin();
    await record(update, "one");
    await succeed("POST", `${update}/complete`, { status: "succeeded" });
    const refused = await ask("DELETE", STACK);
    assert.deepEqual(await refused.json(), {
      code: 400,
      message: "Bad Request: Stack still contains resources.",
    });
    await succeed("DELETE", `${STACK}?force=true`);
    assert.deepEqual(await names(), []);
  });

  it("answers only who has its token, and only about names that cannot leave its folder", async () => {
    assert.equal((await ask("GET", `${STACK}/export`, undefined, "another")).status, 401);
    assert.equal((await ask("GET", "/api/stacks/organization/..%2F..%2Fetc/dev/export")).status, 400);
  });

  it("lets nobody else read its files, or work on them", async () => {
    await record(await begin(), "one");
    for (const file of [checkpoint(), journal(), join(folder, "lock")]) {
      assert.equal((await stat(file)).mode & 0o777, 0o600, file);
      assert.equal((await stat(join(file, ".."))).mode & 0o777, 0o700, file);
    }
    await assert.rejects(serveState(binary, folder), {
      message: `another operation is at work on this stack (process ${process.pid}): wait until it has ended`,
    });
  });

  it("ends when the process that started it lets it go", async () => {
    await service.close();
    await eventually("it is gone", 5, () => {
      try {
        return !process.kill(service.pid, 0);
      } catch {
        return true;
      }
    });
  });
});
