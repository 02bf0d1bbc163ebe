import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import type { DeployedWebhook } from "../../components/pki/webhookChange";
import type { MeshedPod, RunningTrust } from "../../components/pki/runningTrust";
import { readConfiguration } from "../../tools/rotate/configuration";
import type { Made } from "../../tools/rotate/made";
import { planJson, planText } from "../../tools/rotate/output";
import { type Plan, planOf, type Situation } from "../../tools/rotate/plan";
import { testAnchor, testCertificate, type TestCertificate, testIssuer } from "../support/certificates";

const at = (time: string): Date => new Date(`2026-01-02T${time}:00Z`);
const fingerprint = ({ certPem }: TestCertificate): string => new X509Certificate(certPem).fingerprint256;

const KINDS = ["generated", "provided", "cert-manager"] as const;
type Kind = (typeof KINDS)[number];
type Id = "old" | "new";

/** The configuration, what is deployed, and the pods. */
interface Case {
  readonly anchors: readonly Id[];
  readonly signer: Id;
  /** Default: the configuration is deployed. */
  readonly bundle?: readonly Id[];
  readonly issuer?: Id;
  readonly pods?: readonly MeshedPod[];
  readonly running?: Partial<RunningTrust>;
  readonly values?: Readonly<Record<string, unknown>>;
  readonly made?: Partial<Made>;
  readonly situation?: Partial<Situation>;
}

describe("the plan of a rotation", () => {
  let anchors: Record<Id, TestCertificate>;
  let issuers: Record<Id, TestCertificate>;

  before(async () => {
    anchors = { old: await testAnchor(), new: await testAnchor() };
    issuers = { old: await testIssuer(anchors.old), new: await testIssuer(anchors.new) };
  });

  const pod = (owner: string, created: Date, ...ids: readonly Id[]): MeshedPod => ({
    owner,
    created,
    rolledBy: "others",
    anchors: new Set(ids.map((id) => fingerprint(anchors[id]))),
  });

  function situationOf(kind: Kind, args: Case): Situation {
    const { anchors: ids, signer, bundle = ids, issuer = signer, pods = [], running, values, made } = args;
    const certificate = (id: Id) => (kind === "provided" ? { certificate: anchors[id].certPem } : {});
    const generated = ids
      .filter((id) => kind !== "provided" && bundle.includes(id))
      .map((id) => [id, { pem: anchors[id].certPem, generation: 1, validityHours: 87_600 }] as const);
    return {
      configuration: readConfiguration({
        "linkerd-mtls:certificates": kind,
        "linkerd-mtls:trustAnchors": ids.map((id) => ({ id, ...certificate(id) })),
        "linkerd-mtls:signingAnchor": signer,
        ...(kind === "provided" && { "linkerd-mtls:issuerCertificate": issuers[signer].certPem }),
        ...values,
      }),
      made: {
        anchors: new Map(generated),
        ...(kind === "generated" && { issuer: { pem: issuers[issuer].certPem, generation: 1 } }),
        webhooks: [],
        owners: new Set(["Deployment shop/web"]),
        namespaces: new Set(["linkerd"]),
        wasKilled: false,
        ...made,
      },
      deployed: {
        trustDomain: "cluster.local",
        anchors: bundle.map((id) => new X509Certificate(anchors[id].certPem)),
        issuer: [new X509Certificate(issuers[issuer].certPem)],
      },
      running: { pods, lifetimeSeconds: 86_400, ...running },
      webhooks: [],
      now: at("12:00"),
      drop: ["old"],
      isApplied: false,
      ...args.situation,
    };
  }

  const plan = (kind: Kind, args: Case): Plan => planOf(situationOf(kind, args));
  const step = ({ stage, step: next, waits, refusals }: Plan) => [
    stage,
    next?.name,
    waits.length,
    refusals.length,
  ];

  for (const kind of KINDS) {
    describe(`with certificates=${kind}`, () => {
      const owns = () => [pod("Deployment shop/web", at("10:00"), "old", "new")];

      it("has nothing to do where nothing was begun, unless it is told what to rotate", () => {
        const settled: Case = { anchors: ["old"], signer: "old" };
        assert.deepEqual(step(plan(kind, settled)), ["settled", undefined, 0, 0]);
        const told = plan(kind, { ...settled, situation: { subject: "anchor" } });
        assert.deepEqual(step(told), ["settled", "add", 0, 0]);
        assert.equal(told.step?.anchor, "2026");
        assert.equal(told.step.make, kind === "provided" ? "anchor" : undefined);
        assert.deepEqual(told.step.configuration.anchors.at(-1), { id: "2026" });
        assert.equal(told.step.configuration.signer, "old");
      });

      it("deploys a configuration that is not deployed, as an interruption leaves it", () => {
        const begun: Case = { anchors: ["old", "new"], signer: "old", bundle: ["old"] };
        assert.deepEqual(step(plan(kind, begun)), ["changing", "apply", 0, 0]);
        const switched: Case = { anchors: ["old", "new"], signer: "new", issuer: "old", pods: owns() };
        assert.deepEqual(step(plan(kind, switched)), ["changing", "apply", 0, 0]);
        const dropped: Case = { anchors: ["new"], signer: "new", bundle: ["old", "new"] };
        assert.deepEqual(step(plan(kind, dropped)), ["changing", "apply", 0, 0]);
        const killed: Case = { anchors: ["old"], signer: "old", made: { wasKilled: true } };
        assert.deepEqual(step(plan(kind, killed)), ["changing", "apply", 0, 0]);
      });

      it("rolls pods of the stack first, once", () => {
        const stale: Case = {
          anchors: ["old", "new"],
          signer: "old",
          pods: [pod("Deployment shop/web", at("10:00"), "old")],
        };
        assert.deepEqual(step(plan(kind, stale)), ["changing", "apply", 0, 0]);
        const applied = plan(kind, { ...stale, situation: { isApplied: true } });
        assert.deepEqual(step(applied), ["added", "sign", 1, 0]);
      });

      it("refuses a configuration that cuts traffic", () => {
        const both: Case = { anchors: ["new"], signer: "new", bundle: ["old"], issuer: "old" };
        const { step: next, refusals } = plan(kind, both);
        assert.equal(next?.name, "apply");
        assert.ok(refusals[0]?.startsWith("none of the trust anchors on the cluster stays"), refusals[0]);
      });

      it("signs by the new anchor once every pod has it", () => {
        const added: Case = { anchors: ["old", "new"], signer: "old", pods: owns() };
        const ready = plan(kind, added);
        assert.deepEqual(step(ready), ["added", "sign", 0, 0]);
        assert.equal(ready.step?.anchor, "new");
        assert.equal(ready.step.make, kind === "provided" ? "issuer" : undefined);
        const others = [...owns(), pod("StatefulSet db/mysql", at("10:00"), "old")];
        const situation = situationOf(kind, { ...added, pods: others });
        const waiting = planOf(situation);
        assert.deepEqual(step(waiting), ["added", "sign", 1, 0]);
        const text = planText(situation, waiting, "npm run rotate --");
        assert.ok(
          text.includes(
            "Must wait: 1 pod created without the new trust anchor would refuse each new certificate. Restart them:\n" +
              "    kubectl -n db rollout restart statefulset/mysql    # 1 pod",
          ),
          text,
        );
      });

      it("drops the old anchor once no certificate of it lives", () => {
        const signed: Case = {
          anchors: ["old", "new"],
          signer: "new",
          pods: owns(),
          running: { signedSince: at("11:00"), issuerUpdated: at("11:01") },
        };
        const waiting = plan(kind, signed);
        assert.deepEqual(step(waiting), ["signed", "drop", 1, 0]);
        assert.equal(waiting.waits[0]?.until?.toISOString(), "2026-01-03T11:02:00.000Z");
        const later = plan(kind, { ...signed, situation: { now: new Date("2026-01-03T11:02:00Z") } });
        assert.deepEqual(step(later), ["signed", "drop", 0, 0]);
        assert.deepEqual(
          later.step?.configuration.anchors.map(({ id }) => id),
          ["new"],
        );
        assert.equal(later.step.configuration.signer, "new");
      });

      it("never drops a provided anchor that was not named", () => {
        const { step: next, notes } = plan(kind, {
          anchors: ["old", "new"],
          signer: "new",
          situation: { drop: [] },
        });
        assert.equal(next?.name, kind === "provided" ? undefined : "drop");
        if (kind === "provided") assert.match(notes[0] ?? "", /to drop it: --drop old$/);
      });
    });
  }

  it("reissues what it is told, or what is near its end", () => {
    const told = (subject: "issuer" | "webhooks", kind: Kind = "generated") =>
      plan(kind, { anchors: ["old"], signer: "old", situation: { subject } });
    assert.deepEqual(told("issuer").step?.edits.set, [
      { path: ["linkerd-mtls:issuer", "generation"], value: 2 },
    ]);
    assert.deepEqual(told("webhooks").step?.edits.set, [
      { path: ["linkerd-mtls:webhookCertificates", "generation"], value: 2 },
    ]);
    assert.equal(told("issuer", "provided").step?.make, "issuer");
    assert.equal(told("issuer", "cert-manager").refusals.length, 1);
    assert.equal(told("webhooks", "cert-manager").refusals.length, 1);
    const late = { now: new Date(anchors.old.notAfter.getTime() - 1000) };
    const due = plan("generated", { anchors: ["old"], signer: "old", situation: late });
    assert.equal(due.step?.name, "add");
    const begun = { "linkerd-mtls:issuer": { generation: 2 } };
    const reissued = plan("generated", { anchors: ["old"], signer: "old", values: begun });
    assert.deepEqual(step(reissued), ["changing", "apply", 0, 0]);
  });

  it("removes the key of a provided anchor when a generated one signs, and leaves an issuer of others alone", () => {
    const key = { "linkerd-mtls:trustAnchorKey": { secure: "v1:..." } };
    const { step: next } = plan("generated", { anchors: ["old", "new"], signer: "old", values: key });
    assert.deepEqual(next?.edits.removed, ["linkerd-mtls:trustAnchorKey"]);
    const others = { "linkerd-mtls:rotatingIdentity": { issuerRef: { name: "vault" } } };
    const { refusals } = plan("cert-manager", {
      anchors: ["old"],
      signer: "old",
      values: others,
      situation: { subject: "anchor" },
    });
    assert.equal(refusals.length, 1);
  });

  describe("of the webhooks' CAs", () => {
    const KEY = "linkerd-mtls:webhookCertificates";
    let cas: Record<number, TestCertificate>;

    before(async () => {
      cas = {
        1: await testCertificate("webhook-issuer.linkerd"),
        2: await testCertificate("webhook-issuer.linkerd,2.5.4.5=2"),
      };
    });

    const certificate = (ca: number): TestCertificate => {
      const found = cas[ca];
      assert.ok(found);
      return found;
    };

    /** The plan where those CAs are configured, and those are trusted and that one signs on the cluster. */
    async function caPlan(
      configured: readonly [cas: readonly number[], signingCa: number],
      trusted: readonly number[],
      signer: number,
      args: {
        readonly values?: Case["values"];
        readonly situation?: Partial<Situation>;
        readonly kind?: Kind;
      } = {},
    ): Promise<readonly [Situation, Plan]> {
      const leaf = await testCertificate("linkerd-proxy-injector.linkerd.svc", {
        signer: certificate(signer),
        isCa: false,
      });
      const webhook: DeployedWebhook = {
        namespace: "linkerd",
        service: "linkerd-proxy-injector",
        cas: trusted.map((ca) => new X509Certificate(certificate(ca).certPem)),
        serving: new X509Certificate(leaf.certPem),
        written: at("11:59"),
      };
      const [generations, signingCa] = configured;
      const situation = situationOf(args.kind ?? "generated", {
        anchors: ["old"],
        signer: "old",
        values: { [KEY]: { cas: generations, signingCa }, ...args.values },
        situation: { webhooks: [webhook], ...args.situation },
      });
      return [situation, planOf(situation)];
    }
    const edits = ({ step: next }: Plan) => next?.edits.set?.map(({ value }) => value);

    it("leaves those of others in place where the mesh was taken over", async () => {
      const adopt = { objects: ["Namespace linkerd"], webhookCas: certificate(2).certPem };
      const values = { "linkerd-mtls:adopt": adopt };
      const args = { values, situation: { subject: "anchor" } } as const;
      const [, taken] = await caPlan([[1], 1], [1, 2], 1, args);
      assert.deepEqual(step(taken), ["settled", "add", 0, 0]);
      const [, unknown] = await caPlan([[1], 1], [1, 2], 1, { ...args, values: {} });
      assert.equal(unknown.stage, "changing");
      // It was written while the stack's own was there already.
      const own = { "linkerd-mtls:adopt": { ...adopt, webhookCas: certificate(1).certPem } };
      assert.deepEqual(step((await caPlan([[1], 1], [1], 1, { ...args, values: own }))[1]), step(taken));
    });

    it("adds one, signs by it, and drops the old one once webhooks have reloaded", async () => {
      const subject = { situation: { subject: "webhook-cas" } } as const;
      const [, begin] = await caPlan([[1], 1], [1], 1, subject);
      assert.deepEqual(
        [step(begin), edits(begin)],
        [
          ["settled", "add-ca", 0, 0],
          [[1, 2], 1],
        ],
      );
      for (const args of [{}, subject]) {
        const [, added] = await caPlan([[1, 2], 1], [1, 2], 1, args);
        assert.deepEqual(
          [step(added), edits(added)],
          [
            ["added-ca", "sign-ca", 0, 0],
            [[1, 2], 2],
          ],
        );
        const [situation, signed] = await caPlan([[1, 2], 2], [1, 2], 2, args);
        assert.deepEqual(
          [step(signed), edits(signed)],
          [
            ["signed-ca", "drop-ca", 1, 0],
            [[2], 2],
          ],
        );
        assert.match(
          planText(situation, signed, "npm run rotate --"),
          /^Must wait until 2026-01-02T12:01:00\.000Z: webhooks may still serve certificates of the CA that is dropped\.$/m,
        );
      }
      const later = { situation: { now: at("12:01") } };
      assert.deepEqual(step((await caPlan([[1, 2], 2], [1, 2], 2, later))[1]), [
        "signed-ca",
        "drop-ca",
        0,
        0,
      ]);
      assert.deepEqual(step((await caPlan([[2], 2], [2], 2))[1]), ["settled", undefined, 0, 0]);
    });

    it("deploys what is not deployed, and refuses what the program would", async () => {
      const [, missing] = await caPlan([[1, 2], 1], [1], 1);
      assert.deepEqual(step(missing), ["changing", "apply", 0, 0]);
      assert.deepEqual(missing.reasons, ["the API server does not trust CA 2 of the webhooks yet"]);
      const [, unsigned] = await caPlan([[1, 2], 2], [1, 2], 1);
      assert.deepEqual(unsigned.reasons, ["CA 2 has not signed the certificates of linkerd-proxy-injector"]);
      assert.deepEqual(step(unsigned), ["changing", "apply", 0, 0]);
      const [, dropped] = await caPlan([[2], 2], [1, 2], 2, { situation: { now: at("12:01") } });
      assert.deepEqual(dropped.reasons, [
        "the API server still trusts CA 1 of the webhooks, which is not configured",
      ]);
      const [, fatal] = await caPlan([[2], 2], [1], 1);
      assert.deepEqual(step(fatal), ["changing", "apply", 1, 2]);
    });

    it("begins one that is near its end, and leaves it to cert-manager where that renews it", async () => {
      const near = { situation: { now: new Date(certificate(1).notAfter.getTime() - 1000) } };
      const [, due] = await caPlan([[1], 1], [1], 1, near);
      assert.ok(due.reasons.includes("the CA of the webhooks is near its end"));
      const injected = { "linkerd-mtls:rotatingWebhooks": { caInjection: true } };
      const args = { kind: "cert-manager", values: injected } as const;
      const [, told] = await caPlan([[1], 1], [1], 1, { ...args, situation: { subject: "webhook-cas" } });
      assert.deepEqual(told.refusals, [
        "cert-manager renews the CA of the webhooks (rotatingWebhooks.caInjection)",
      ]);
    });
  });

  it("leaves pods of others to the deployment where that rolls them", () => {
    const pods = [
      pod("Deployment others/api", at("10:00"), "old"),
      pod("Deployment others/batch", at("10:00"), "old"),
    ];
    const values = { "linkerd-mtls:rolls": { workloads: ["Deployment others/api"] } };
    const begin: Case = { anchors: ["old"], signer: "old", pods, values, situation: { subject: "anchor" } };
    const situation = situationOf("generated", begin);
    const text = planText(situation, planOf(situation), "npm run rotate --");
    assert.match(text, /^Restarts of others \(rolls\): 1 pod of 1 workload: Deployment others\/api\.$/m);
    assert.match(text, /^Afterwards, restart 1 pod that this stack did not deploy:\n.*deployment\/batch/m);
    assert.doesNotMatch(text, /rollout restart deployment\/api/);
    const stale = plan("generated", { ...begin, anchors: ["old", "new"], situation: {} });
    assert.deepEqual(step(stale), ["changing", "apply", 0, 0]);
    assert.deepEqual(stale.reasons, [
      "1 pod of others with another trust bundle, which a deployment rolls (rolls)",
    ]);
  });

  it("says what restarts, for people and for programs", () => {
    const pods: MeshedPod[] = [
      pod("Deployment shop/web", at("10:00"), "old"),
      pod("Deployment others/api", at("10:00"), "old"),
      { owner: "Deployment linkerd/linkerd-identity", created: at("10:00"), rolledBy: "others" },
    ];
    const situation = situationOf("generated", {
      anchors: ["old"],
      signer: "old",
      pods,
      situation: { subject: "anchor", id: "next" },
    });
    const text = planText(situation, planOf(situation), "npm run rotate --");
    assert.equal(
      text,
      [
        "Stage: no rotation is under way",
        "  - trust anchor old signs the issuer",
        "Next: add trust anchor next, and keep the signer (1 of 3)",
        "Restarts: 2 pods of 2 workloads: Deployment linkerd/linkerd-identity, Deployment shop/web.",
        "Afterwards, restart 1 pod that this stack did not deploy:",
        "    kubectl -n others rollout restart deployment/api    # 1 pod",
      ].join("\n"),
    );
    const json = JSON.parse(planJson(situation, planOf(situation))) as Record<string, unknown>;
    assert.equal(json.stage, "settled");
    assert.equal(json.mustWait, false);
    assert.deepEqual(json.restartsOfOthers, [
      {
        owner: "Deployment others/api",
        pods: 1,
        command: "kubectl -n others rollout restart deployment/api",
      },
    ]);
  });
});
