import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { LocalWorkspace, PulumiCommand, type Stack } from "@pulumi/pulumi/automation";
import { parse } from "yaml";

import { issue, type IssueArgs, type Issued } from "../../tools/offlineCa/issue";
import { PROJECT } from "../../tools/shared/paths";
import { pulumiTools } from "../../tools/sandbox/build/pulumi";
import { testAnchor } from "../support/certificates";
import { stepwise } from "../support/steps";

interface StackFile {
  readonly config: Readonly<Record<string, unknown>>;
}

describe("offline-ca, with Pulumi's CLI", () => {
  stepwise();
  let folder = "";
  let stack: Stack;

  const file = () => join(folder, "Pulumi.prod.yaml");
  const keyFile = () => join(folder, "anchor.key");
  const text = () => readFile(file(), "utf8");
  const config = async () => (parse(await text()) as StackFile).config;

  function make(args: Partial<IssueArgs> = {}): Promise<Issued> {
    return issue(stack, {
      stackName: "prod",
      file: file(),
      anchorValidityHours: 1000,
      issuerValidityHours: 100,
      replace: false,
      replaceAnchor: false,
      signal: new AbortController().signal,
      ...args,
    });
  }

  /** What the CLI decrypts. */
  async function decrypted(key: string): Promise<string> {
    return (await stack.getConfig(`linkerd-mtls:${key}`)).value;
  }

  /** A CLI that notes its arguments before it goes on. */
  async function notingCommand(): Promise<PulumiCommand> {
    const { home = "" } = (await pulumiTools()).tools;
    const real = home === "" ? "pulumi" : join(home, "bin", "pulumi");
    const noting = join(folder, "cli", "bin", "pulumi");
    await mkdir(join(noting, ".."), { recursive: true });
    await writeFile(noting, `#!/bin/sh\nprintf '%s\\n' "$@" >> '${folder}/arguments'\nexec '${real}' "$@"\n`);
    await chmod(noting, 0o755);
    return PulumiCommand.get({ root: join(folder, "cli") });
  }

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "linkerd-mtls-offline-ca-"));
    await mkdir(join(folder, "state"));
    await copyFile(join(PROJECT, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    await copyFile(join(PROJECT, "Pulumi.prod.yaml"), file());
    const { home } = (await pulumiTools()).tools;
    stack = await LocalWorkspace.createStack(
      { stackName: "prod", projectName: "linkerd-mtls", program: () => Promise.resolve({}) },
      {
        workDir: folder,
        pulumiCommand: await notingCommand(),
        envVars: {
          ...(home !== undefined && { PULUMI_HOME: home }),
          PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
          PULUMI_CONFIG_PASSPHRASE: "correct horse",
          PULUMI_SKIP_UPDATE_CHECK: "true",
        },
      },
    );
  });
  after(() => rm(folder, { recursive: true }));

  it("sets an anchor, an issuer and its encrypted key, and keeps the rest of the file", async () => {
    const before = await config();
    const issued = await make({ anchorKey: keyFile() });
    assert.equal(issued.anchorIs, "new");
    const { "linkerd-mtls:issuerKey": key, ...rest } = await config();
    assert.deepEqual(rest, {
      ...before,
      "linkerd-mtls:trustAnchors": [{ id: "2026", certificate: issued.anchor.certificate.trim() }],
      "linkerd-mtls:issuerCertificate": issued.issuer.certificate.trim(),
    });
    assert.deepEqual(Object.keys(key as object), ["secure"]);
    const comment = (await readFile(join(PROJECT, "Pulumi.prod.yaml"), "utf8")).split("\n", 1).join();
    assert(comment.startsWith("#"));
    assert((await text()).startsWith(`${comment}\n`));
    assert.equal(await decrypted("issuerKey"), issued.issuer.key.trim());
  });

  it("keeps the anchor's key in the file that was named, for its owner alone", async () => {
    assert.equal((await stat(keyFile())).mode & 0o777, 0o600);
    assert.match(await readFile(keyFile(), "utf8"), /^-----BEGIN PRIVATE KEY-----\n/);
  });

  it("hands no key to the CLI as an argument, and leaves none in another file", async () => {
    const keys = [await readFile(keyFile(), "utf8"), await decrypted("issuerKey")].map((pem) =>
      pem.split("\n").slice(1, 2).join(),
    );
    assert.equal(keys.length, 2);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    assert(files.includes(join(folder, "arguments")));
    for (const path of files.filter((name) => name !== keyFile())) {
      const contents = await readFile(path, "utf8");
      for (const key of keys) assert(!contents.includes(key), path);
    }
  });

  it("refuses to replace what is set", async () => {
    const before = await text();
    const remedy =
      "--replace --anchor-key FILE for another issuer of the same anchor, whose key is in FILE; " +
      "--replace-anchor for another anchor too, which no pod of a running mesh trusts";
    const message = "stack prod has a trust anchor already; nothing was changed";
    await assert.rejects(make(), { message, remedy });
    await assert.rejects(make({ replace: true }), { message, remedy });
    await assert.rejects(make({ replace: true, anchorKey: join(folder, "ancor.key") }), {
      message: `stack prod has a trust anchor already, and ${join(folder, "ancor.key")} does not exist; nothing was changed`,
      remedy,
    });
    await assert.rejects(make({ anchorKey: keyFile() }), {
      message: "stack prod has an issuer already; nothing was changed",
      remedy: "--replace",
    });
    await assert.rejects(
      make({ anchorKey: keyFile(), replaceAnchor: true }),
      /the key cannot be written: EEXIST/,
    );
    assert.equal(await text(), before);
  });

  it("makes a new issuer of the same anchor from its key", async () => {
    const { "linkerd-mtls:trustAnchors": anchors, "linkerd-mtls:issuerCertificate": old } = await config();
    const issued = await make({ anchorKey: keyFile(), replace: true });
    assert.equal(issued.anchorIs, "kept");
    const now = await config();
    assert.deepEqual(now["linkerd-mtls:trustAnchors"], anchors);
    assert.notEqual(now["linkerd-mtls:issuerCertificate"], old);
    const [issuer, anchor] = [issued.issuer, issued.anchor].map(
      ({ certificate }) => new X509Certificate(certificate),
    );
    assert(anchor && issuer?.verify(anchor.publicKey));
    assert.equal(await decrypted("issuerKey"), issued.issuer.key.trim());
  });

  it("refuses a key that is not the anchor's, and says nothing of it", async () => {
    const { keyPem } = await testAnchor();
    const [other, none] = [join(folder, "other.key"), join(folder, "none.key")];
    await writeFile(other, keyPem);
    await writeFile(none, "secret words");
    const before = await text();
    await assert.rejects(make({ anchorKey: other, replace: true }), {
      message: `${other} has the key of another trust anchor than the stack's`,
    });
    await assert.rejects(make({ anchorKey: none, replace: true }), {
      message: `${none} has no private key that can be read without a passphrase`,
    });
    assert.equal(await text(), before);
    assert.equal(await readFile(other, "utf8"), keyPem);
    await rm(other);
    await rm(none);
  });

  it("changes nothing when it is interrupted, at any moment, or when the CLI fails", async () => {
    const before = await text();
    const fresh = join(folder, "fresh.key");
    const interrupted = (milliseconds: number) =>
      make({ anchorKey: fresh, replaceAnchor: true, signal: AbortSignal.timeout(milliseconds) });
    for (const moment of [0, 150, 400]) {
      await assert.rejects(interrupted(moment), { message: "interrupted; nothing was set" });
    }
    const { envVars } = stack.workspace;
    const { PULUMI_CONFIG_PASSPHRASE: passphrase = "" } = envVars;
    envVars.PULUMI_CONFIG_PASSPHRASE = "wrong";
    await assert.rejects(make({ anchorKey: fresh, replaceAnchor: true }), /incorrect passphrase/);
    envVars.PULUMI_CONFIG_PASSPHRASE = passphrase;
    assert.equal(await text(), before);
    assert(!existsSync(fresh));
    assert(!(await readdir(folder)).some((name) => name.startsWith(".new.")));
  });

  it("makes another anchor where that is asked for, and throws its key away", async () => {
    const issued = await make({ replaceAnchor: true });
    assert.equal(issued.anchorIs, "replaced");
    const anchors = [{ id: "2026", certificate: issued.anchor.certificate.trim() }];
    assert.deepEqual((await config())["linkerd-mtls:trustAnchors"], anchors);
  });

  it("refuses a file that exists where the anchor has no certificate, and a stack that takes none", async () => {
    await stack.removeConfig("linkerd-mtls:trustAnchors[0].certificate", true);
    await assert.rejects(make({ anchorKey: keyFile(), replace: true }), {
      message: `${keyFile()} exists, and stack prod has no trust anchor whose key it could be`,
    });
    await assert.rejects(make({ anchor: "2027" }), {
      message: "linkerd-mtls:trustAnchors has 2026, and not 2027",
      remedy: "--anchor 2026",
    });
    await stack.setConfig("linkerd-mtls:certificates", { value: "generated" });
    await assert.rejects(make(), {
      message:
        "stack prod has linkerd-mtls:certificates=generated, and takes a trust anchor and an issuer only with provided",
      remedy: "pulumi config set linkerd-mtls:certificates provided -s prod",
    });
  });
});
