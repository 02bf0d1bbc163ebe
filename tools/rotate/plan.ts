import { isNearEnd } from "../../components/pki/expiry";
import type { DeployedTrust } from "../../components/pki/deployedTrust";
import { count, type Obstacle, podObstacles } from "../../components/pki/podTrust";
import type { MeshedPod, RunningTrust } from "../../components/pki/runningTrust";
import { trustProblems } from "../../components/pki/trustChange";
import type { DeployedWebhook } from "../../components/pki/webhookChange";
import { isRolled } from "../../components/rolls/rollOthers";
import type { Anchor, Configuration } from "./configuration";
import { isOwn, type Made } from "./made";
import { add, addCa, drop, dropCas, newId, reissue, sign, signCa, type Step } from "./steps";
import { anchorStates, changeTo, signerInUse, undeployed, validityIn } from "./trust";
import {
  CA_RESTARTS,
  caObstacles,
  caRotation,
  isCaNearEnd,
  undeployedCas,
  withoutFormer,
} from "./webhookCas";

/** What is rotated on purpose. */
export type Subject = "anchor" | "issuer" | "webhooks" | "webhook-cas";

/** Everything that the next step follows from. */
export interface Situation {
  readonly configuration: Configuration;
  readonly made: Made;
  readonly deployed: DeployedTrust;
  readonly running: RunningTrust;
  readonly webhooks: readonly DeployedWebhook[];
  readonly now: Date;
  /** Default: what was begun is continued, and what is near its end is begun. */
  readonly subject?: Subject;
  /** id of a new anchor. Default: the year. */
  readonly id?: string;
  /** ids of provided anchors that may be dropped: they may be trusted for a reason that nobody here knows. */
  readonly drop: readonly string[];
  /** Whether a deployment of this configuration has just succeeded. */
  readonly isApplied: boolean;
}

/**
 * Where a stack is. `changing`: not all of the configuration is deployed. `settled`: no rotation is under way. `added`: a
 * new anchor is trusted, and the old one signs. `signed`: the new one signs, and the old one is trusted still. `added-ca` and
 * `signed-ca`: the same of a CA of the webhooks, while no anchor is rotated.
 */
export type Stage = "changing" | "settled" | "added" | "signed" | "added-ca" | "signed-ca";

/** What to do next, and what must be awaited before. */
export interface Plan {
  readonly stage: Stage;
  /** Why that is the stage. */
  readonly reasons: readonly string[];
  /** Undefined where there is nothing to do. */
  readonly step?: Step;
  /** Why the program would refuse the step, whatever the pods are; empty where it would not. */
  readonly refusals: readonly string[];
  /** What is in the step's way now. */
  readonly waits: readonly Obstacle[];
  /** What else there is to know. */
  readonly notes: readonly string[];
}

/** The stage of a stack, and the next step of its rotation. It proposes nothing that the program's own checks refuse. */
export function planOf(found: Situation): Plan {
  const { configuration, made, deployed, subject } = found;
  const situation = { ...found, webhooks: withoutFormer(found.webhooks, configuration.formerCas) };
  const pending = unfinished(situation);
  if (pending.length > 0) {
    return propose(situation, "changing", pending, { name: "apply", edits: {}, configuration });
  }
  const { anchors, signer: configured, source } = configuration;
  const signer = signerInUse(configuration, made, deployed) ?? configured;
  const index = anchors.findIndex(({ id }) => id === signer);
  const next = anchors.slice(index + 1).findLast((anchor) => source === "provided" || canSign(anchor));
  const before = anchors.slice(0, Math.max(index, 0));
  const old = before.filter(
    ({ id, certificate }) => certificate === undefined || situation.drop.includes(id),
  );
  const unnamed = before.filter((anchor) => !old.includes(anchor));
  const stale = stalePods(situation).filter(({ owner }) => !isOwn(made, owner));
  const notes = [
    ...unnamed.map(
      ({ id }) => `trust anchor ${id} does not sign and is trusted too; to drop it: --drop ${id}`,
    ),
    ...(stale.length === 0
      ? []
      : [
          `${count(stale.length)} of others have another trust bundle; npm run verify -- chain --pods lists them`,
        ]),
  ];
  const cas = caRotation(configuration.webhookCas);
  const stage =
    next !== undefined
      ? "added"
      : old.length > 0
        ? "signed"
        : cas.next !== undefined
          ? "added-ca"
          : cas.old.length > 0
            ? "signed-ca"
            : "settled";
  const reasons = [
    `trust anchor ${signer} signs the issuer`,
    ...(next === undefined ? [] : [`trust anchor ${next.id} is trusted and does not sign yet`]),
    ...old.map(({ id }) => `trust anchor ${id} does not sign any more and is trusted still`),
    ...(cas.next === undefined ? [] : [`CA ${cas.next} of the webhooks is trusted and does not sign yet`]),
    ...cas.old.map((ca) => `CA ${ca} of the webhooks does not sign any more and is trusted still`),
  ];
  if (subject === "issuer" || subject === "webhooks") {
    return propose(situation, stage, reasons, reissue(configuration, subject, signer), notes);
  }
  const caStep =
    cas.next !== undefined
      ? signCa(configuration, cas.next)
      : cas.old.length > 0
        ? dropCas(configuration, cas.old)
        : undefined;
  if (subject === "webhook-cas") {
    return propose(situation, stage, reasons, caStep ?? addCa(configuration), notes);
  }
  if (next !== undefined) {
    return propose(situation, stage, reasons, sign(configuration, next), notes);
  }
  if (old.length > 0) {
    return propose(situation, stage, reasons, drop(configuration, signer, old), notes);
  }
  if (caStep !== undefined && subject === undefined) {
    return propose(situation, stage, reasons, caStep, notes);
  }
  const due = dueSubjects(situation);
  const first = subject ?? due[0];
  const step =
    first === undefined
      ? undefined
      : first === "anchor"
        ? add(configuration, situation.id ?? newId(anchors, situation.now))
        : first === "webhook-cas"
          ? addCa(configuration)
          : reissue(configuration, first, signer);
  return propose(situation, stage, [...reasons, ...due.map((each) => NEAR_END[each])], step, notes);
}

/** What of the configuration is not deployed, or not in the pods of this stack. */
function unfinished(situation: Situation): string[] {
  const { configuration, made, deployed, webhooks, isApplied } = situation;
  const missing = [
    ...undeployed(configuration, made, deployed),
    ...(configuration.certManager.webhookCa ? [] : undeployedCas(configuration.webhookCas, webhooks)),
  ];
  if (isApplied) return missing;
  const stale = stalePods(situation);
  const own = stale.filter(({ owner }) => isOwn(made, owner));
  const rolled = stale.filter(({ owner }) => !isOwn(made, owner) && isRolled(owner, configuration.rolled));
  return [
    ...missing,
    ...(own.length > 0 ? [`${count(own.length)} of this stack with another trust bundle`] : []),
    ...(rolled.length > 0
      ? [`${count(rolled.length)} of others with another trust bundle, which a deployment rolls (rolls)`]
      : []),
    ...(made.wasKilled ? ["an operation on this stack was killed"] : []),
  ];
}

/** Pods that were created with another bundle than the deployed one. */
function stalePods({ deployed, running }: Situation): MeshedPod[] {
  const bundle = deployed.anchors.map(({ fingerprint256 }) => fingerprint256);
  return running.pods.filter(
    ({ anchors }) =>
      anchors !== undefined && (anchors.size !== bundle.length || bundle.some((each) => !anchors.has(each))),
  );
}

/** A plan with what the program's own checks say of the step. */
function propose(
  { made, deployed, running, webhooks, now }: Situation,
  stage: Stage,
  reasons: readonly string[],
  step: Step | undefined,
  notes: readonly string[] = [],
): Plan {
  const plan = { stage, reasons, step, notes };
  if (step === undefined) return { ...plan, refusals: [], waits: [] };
  const { planned, resulting } = changeTo(step.configuration, made);
  // The issuer that the step makes is signed by an anchor of the bundle.
  const change = step.make === "issuer" ? { anchors: resulting.anchors } : resulting;
  const signer = step.make === "issuer" ? { ...planned, signingAnchor: step.configuration.signer } : planned;
  const { certManager, webhookCas } = step.configuration;
  const cas = certManager.webhookCa ? { problems: [] } : caObstacles(webhookCas, webhooks, now);
  const { until } = cas;
  return {
    ...plan,
    refusals: [
      ...unsupported(step.configuration, step),
      ...trustProblems(deployed, signer, change),
      ...cas.problems,
    ],
    waits: [
      ...podObstacles(deployed, signer, change, running, now),
      ...(until === undefined ? [] : [{ text: RELOADING, pods: [], until }]),
    ],
  };
}

const RELOADING = "webhooks may still serve certificates of the CA that is dropped";

function canSign({ certificate }: Anchor): boolean {
  return certificate === undefined;
}

const NEAR_END: Readonly<Record<Subject, string>> = {
  anchor: "the trust anchor is near its end, or has expired",
  issuer: "the issuer is near its end, or has expired",
  webhooks: "certificates of webhooks are near their end, or have expired",
  "webhook-cas": "the CA of the webhooks is near its end",
};

/** What is near its end and not renewed by cert-manager. */
function dueSubjects({ configuration, made, webhooks, now }: Situation): Subject[] {
  const { source, anchors, signer, issuerCertificate, certManager, webhookCas } = configuration;
  const isDue = (pem: string | undefined): boolean => {
    const validity = pem === undefined ? undefined : validityIn(pem);
    return validity !== undefined && isNearEnd(validity, now);
  };
  const signing = anchorStates(configuration, made)[anchors.findIndex(({ id }) => id === signer)];
  return [
    ...(typeof signing === "object" && isDue(signing.pem) ? (["anchor"] as const) : []),
    ...(isDue(source === "provided" ? issuerCertificate : made.issuer?.pem) ? (["issuer"] as const) : []),
    ...(made.webhooks.some(({ pem }) => isDue(pem)) ? (["webhooks"] as const) : []),
    ...(!certManager.webhookCa && isCaNearEnd(webhookCas, webhooks, now) ? (["webhook-cas"] as const) : []),
  ];
}

/** Why a step is not for this stack. */
function unsupported({ source, certManager }: Configuration, { name }: Step): string[] {
  if (name === "issuer" && source === "cert-manager") {
    return ["cert-manager issues the issuer and renews it: docs/operations.md, Renewal by cert-manager"];
  }
  if (name === "webhooks" && certManager.webhooks) {
    return ["cert-manager issues the webhooks' certificates and renews them (rotatingWebhooks)"];
  }
  if (name.endsWith("-ca") && certManager.webhookCa) {
    return ["cert-manager renews the CA of the webhooks (rotatingWebhooks.caInjection)"];
  }
  return name === "add" && certManager.issuerRef
    ? ["the issuer is signed by an issuer of others (rotatingIdentity.issuerRef): add its new anchor by hand"]
    : [];
}

/** Pods that a step recreates, or that must be recreated after it. */
export interface RolledPods {
  /** Of this stack: its deployment rolls them. */
  readonly own: readonly MeshedPod[];
  /** Of others, which the deployment rolls too (key `rolls`). */
  readonly rolled: readonly MeshedPod[];
  /** Of others, which somebody has to restart. */
  readonly others: readonly MeshedPod[];
}

/** The pods that a step rolls. */
export function rolledPods({ running, made }: Situation, { name, configuration }: Step): RolledPods {
  const { pods } = running;
  if (name === "add-ca" || name === "drop-ca") {
    return { own: pods.filter(({ owner }) => CA_RESTARTS.includes(owner)), rolled: [], others: [] };
  }
  if (name !== "add" && name !== "drop") {
    return { own: [], rolled: [], others: [] };
  }
  const others = pods.filter(({ owner }) => !isOwn(made, owner));
  return {
    own: pods.filter(({ owner }) => isOwn(made, owner)),
    rolled: others.filter(({ owner }) => isRolled(owner, configuration.rolled)),
    others: others.filter(({ owner }) => !isRolled(owner, configuration.rolled)),
  };
}
