import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { CustomObjectsApi } from "@kubernetes/client-node";

import { testAnchor, type TestCertificate } from "./certificates";
import type { Ended } from "./command";
import { eventually } from "./eventually";
import { issueLeaf, verifies } from "./identityLeaf";
import type { TakenMesh } from "./takenMesh";

/** Id of the new anchor. */
const NEXT = "next";

/** A wait for certificates to end that a test can afford, in milliseconds. */
const PATIENCE_MS = 180_000;

/** How the trust anchor of a mesh is rotated. */
export interface Rotation {
  readonly add: (mesh: TakenMesh) => Promise<unknown>;
  readonly sign: (mesh: TakenMesh) => Promise<unknown>;
  /** Is refused while pods may have certificates of the old anchor. */
  readonly drop: (mesh: TakenMesh) => Promise<Ended>;
}

/** By `npm run rotate`, with provided certificates. */
export const BY_COMMAND: Rotation = {
  add: (mesh) => mesh.succeed(["anchor", "--id", NEXT, ...rotateOptions(mesh)], ROTATE),
  sign: (mesh) => mesh.succeed(rotateOptions(mesh), ROTATE),
  drop: async (mesh) => {
    const old = (await mesh.trustAnchors()).filter(({ id }) => id !== NEXT);
    return mesh.run([...rotateOptions(mesh), ...old.flatMap(({ id }) => ["--drop", String(id)])], ROTATE);
  },
};

const ROTATE = "tools/rotate/main.ts";

function rotateOptions({ sandbox }: TakenMesh): string[] {
  return ["--stack", "dev", "--yes", "--anchor-key", join(sandbox.paths.root, "next.key")];
}

/** By hand, where cert-manager renews the issuer by an Issuer of others, whose Secret has the anchor and its key. */
export function byHand(): Rotation {
  let next: TestCertificate;
  return {
    add: async (mesh) => {
      next = await testAnchor();
      const trustAnchors = [...(await mesh.trustAnchors()), { id: NEXT, certificate: next.certPem }];
      mesh.config = { ...mesh.config, trustAnchors };
      await mesh.succeed(["up"]);
    },
    sign: async ({ sandbox }) => {
      const secret = {
        ...{ apiVersion: "v1", kind: "Secret", type: "kubernetes.io/tls" },
        metadata: { namespace: "linkerd", name: "linkerd-trust-anchor" },
        stringData: { "tls.crt": next.certPem, "tls.key": next.keyPem },
      };
      await sandbox.kubectl(["apply", "-f", "-"], JSON.stringify(secret));
      await renew(sandbox, "linkerd-identity-issuer");
      const anchor = [new X509Certificate(next.certPem)];
      await eventually("identity issues by the new anchor", 180, async () =>
        verifies(await issueLeaf(sandbox, "shop"), anchor),
      );
    },
    drop: (mesh) => {
      mesh.config = { ...mesh.config, trustAnchors: [{ id: NEXT, certificate: next.certPem }] };
      return mesh.run(["up"]);
    },
  };
}

/** Has cert-manager issue a Certificate of `linkerd` again, as `cmctl renew` does. */
async function renew(sandbox: TakenMesh["sandbox"], name: string): Promise<void> {
  const api = sandbox.client(CustomObjectsApi);
  const where = { group: "cert-manager.io", version: "v1", plural: "certificates" };
  const object = { ...where, namespace: "linkerd", name };
  const body = (await api.getNamespacedCustomObject(object)) as { status: { conditions: object[] } };
  const lastTransitionTime = new Date().toISOString();
  const reason = { reason: "ManuallyTriggered", message: "Certificate re-issuance manually triggered" };
  body.status.conditions.push({ type: "Issuing", status: "True", lastTransitionTime, ...reason });
  await api.replaceNamespacedCustomObjectStatus({ ...object, body });
}

/** Tests that go on from the takeover: a value is changed, and the trust anchor is rotated, to the end. */
export function provesRotation(mesh: TakenMesh, { add, sign, drop }: Rotation = BY_COMMAND): void {
  let refusal = "";

  it("gets another value, which restarts no application", async () => {
    const values = ((await mesh.written())["linkerd-mtls:values"] ?? {}) as Record<string, object>;
    const controlPlane = { ...values["linkerd-control-plane"], controllerLogLevel: "debug" };
    mesh.config = { ...mesh.config, values: { ...values, "linkerd-control-plane": controlPlane } };
    await mesh.during("another value", () => mesh.succeed(["up"]));
  });

  it("trusts another anchor, with which each application restarts", async () => {
    mesh.config = { ...mesh.config, rolls: { workloads: "all", percent: 50 } };
    await mesh.during("anchor added", () => add(mesh), 1);
  });

  it("is signed by it, which restarts no application", () =>
    mesh.during("issuer switched", () => sign(mesh)));

  it("does not lose the old anchor while pods may have its certificates", () =>
    mesh.during("old anchor kept", async () => {
      const { code, output } = await drop(mesh);
      assert.notEqual(code, 0, output);
      assert.match(output, /may have certificates of the anchor that is removed/);
      refusal = output;
    }));

  it("loses it once that is over, with which each application restarts", async () => {
    const until = new Date(/or wait until (\S+Z):/.exec(refusal)?.[1] ?? "").getTime() - Date.now();
    if (until < PATIENCE_MS) {
      await mesh.during("waited", () => sleep(until));
    } else {
      await mesh.during("restarted", () => restartAsTold(mesh, refusal), 1);
    }
    await mesh.during(
      "old anchor dropped",
      async () => {
        const { code, output } = await drop(mesh);
        assert.equal(code, 0, output);
      },
      1,
    );
  });
}

/** Runs the commands of a refusal, one after another. */
async function restartAsTold({ sandbox }: TakenMesh, refusal: string): Promise<void> {
  const commands = [...refusal.matchAll(/kubectl -n (\S+) rollout restart (\S+)/g)];
  const workloads = new Set(commands.map(([, namespace = "", workload = ""]) => `${namespace} ${workload}`));
  for (const line of workloads) {
    const [namespace = "", workload = ""] = line.split(" ");
    await sandbox.restart(namespace, workload);
  }
}
