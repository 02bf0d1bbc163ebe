import assert from "node:assert/strict";

import { LinkerdMesh, type LinkerdMeshArgs } from "../../components";
import { isNearEnd, replaceAnchor, watchExpiry } from "../../components/pki/expiry";
import { testAnchor } from "../support/certificates";
import { record } from "../support/recorder";
import { warningsOf } from "../support/warnings";

describe("a certificate that nothing renews", () => {
  const DAY_MS = 24 * 60 * 60 * 1000;
  const now = new Date("2026-01-01T00:00:00Z");
  const near = (days: number, left: number): boolean =>
    isNearEnd(
      {
        notBefore: new Date(now.getTime() - (days - left) * DAY_MS),
        notAfter: new Date(now.getTime() + left * DAY_MS),
      },
      now,
    );

  it("is near its end with less than a third of its lifetime left, or with half a year", () => {
    assert.deepEqual(
      [near(3, 1.1), near(3, 0.9), near(3650, 181), near(3650, 179)],
      [false, true, false, true],
    );
  });

  const warnings = async (days: readonly [number, number]): Promise<string[]> => {
    const { certPem } = await testAnchor({ days });
    return warningsOf(async () => {
      await watchExpiry([{ what: "the issuer", certPem, remedy: "do it" }]);
    });
  };

  it("is warned of, with what replaces it", async () => {
    assert.deepEqual(await warnings([-1, 1]), []);
    const [soon = "", ...more] = await warnings([-80, 20]);
    assert.match(soon, /^the issuer expires on \S+Z: (19|20)% of its lifetime is left\n {4}do it$/);
    assert.deepEqual(more, []);
  });

  it("is an error once it has expired, all of them together, unless it is being replaced", async () => {
    const { certPem, notAfter } = await testAnchor({ days: [-80, -1] });
    const unknown = Promise.resolve(undefined) as unknown as Promise<string>;
    const refusal = watchExpiry([
      { what: "the issuer", certPem, remedy: "do it" },
      { what: "an anchor", certPem, remedy: "plan it", recovery: "do that" },
      { what: "what a preview replaces", certPem: unknown, remedy: "nothing" },
    ]);
    await assert.rejects(refusal, {
      message: [
        'Certificates have expired, and this change does not replace them (docs/operations.md, "Recovery"):',
        `  an anchor has expired on ${notAfter.toISOString()}\n    do that`,
        `  the issuer has expired on ${notAfter.toISOString()}\n    do it`,
      ].join("\n"),
    });
  });

  it("of an anchor has commands by its place and its task", () => {
    const commands = (signingAnchor: string, ...ids: readonly string[]): string =>
      replaceAnchor({ trustAnchors: ids.map((id) => ({ id })), signingAnchor }, 0);
    const rename = (id: string): string =>
      `pulumi config set --path 'linkerd-mtls:trustAnchors[0].id' ${id}\n    pulumi config set linkerd-mtls:signingAnchor ${id}`;
    assert.equal(commands("2026", "2026"), rename("2026-2"));
    assert.equal(commands("a-9", "a-9"), rename("a-10"));
    const remove = "pulumi config rm --path 'linkerd-mtls:trustAnchors[0]'";
    assert.equal(commands("b", "a", "b"), remove);
    assert.equal(commands("a", "a", "b"), `${remove}\n    pulumi config set linkerd-mtls:signingAnchor b`);
  });

  it("is each that a mesh makes here", async () => {
    const watched = async (
      days: readonly [number, number],
      args: Partial<LinkerdMeshArgs>,
    ): Promise<string[]> =>
      warningsOf(() =>
        record(
          () => {
            new LinkerdMesh("mesh", { cluster: {}, ...args });
          },
          { days },
        ),
      );
    const own = await testAnchor();
    const args: Partial<LinkerdMeshArgs> = {
      trustAnchors: [{ id: "2026" }, { id: "own", certificate: own.certPem }],
      issuer: { generation: 2 },
    };
    const soon = await watched([-80, 20], args);
    assert.deepEqual(soon.map((text) => text.replace(/ expires .* left/, "")).sort(), [
      'CA 1 of the webhooks in linkerd\n    rotate it: docs/operations.md, "Rotating the CAs of the webhooks"',
      ...["policy-validator", "proxy-injector", "sp-validator"].map(
        (service) =>
          `the certificate of linkerd-${service}\n    pulumi config set --path linkerd-mtls:webhookCertificates.generation 2`,
      ),
      "the issuer\n    pulumi config set --path linkerd-mtls:issuer.generation 3",
      'trust anchor 2026\n    rotate it: docs/operations.md, "Rotating the trust anchor"',
    ]);
    assert.deepEqual(await watched([-20, 80], args), []);

    let checked: Promise<void> | undefined;
    const deploy = () => {
      checked = new LinkerdMesh("mesh", { cluster: {}, ...args }).certificatesChecked;
    };
    await record(deploy, { days: [-80, -1] });
    await assert.rejects(checked ?? Promise.resolve(), (error: Error) => {
      const expired = [...error.message.matchAll(/^ {2}(\S.*) has expired on/gm)].map(([, what]) => what);
      assert.deepEqual(expired, [
        "CA 1 of the webhooks in linkerd",
        ...["policy-validator", "proxy-injector", "sp-validator"].map(
          (service) => `the certificate of linkerd-${service}`,
        ),
        "the issuer",
        "trust anchor 2026",
      ]);
      return true;
    });
  });
});
