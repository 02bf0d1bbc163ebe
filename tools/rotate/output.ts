import { describeDuration } from "../../components/validation/duration";
import { count, type Obstacle, ownersOf, restart } from "../../components/pki/podTrust";
import type { MeshedPod } from "../../components/pki/runningTrust";
import { type Plan, rolledPods, type Situation } from "./plan";
import type { Step } from "./steps";
import { RELOAD } from "./webhookCas";

/** Owners that are listed one by one; JSON has all. */
const LISTED = 20;

/** A plan for a person. `command`: what continues. */
export function planText(situation: Situation, plan: Plan, command: string): string {
  const { stage, reasons, step, refusals, waits, notes } = plan;
  const head = [`Stage: ${STAGES[stage]}`, ...reasons.map((reason) => `  - ${reason}`)];
  const rest = notes.map((note) => `Note: ${note}`);
  if (step === undefined) {
    const begin = ["anchor", "issuer", "webhook-cas"].map((subject) => `    ${command} ${subject}`);
    return [...head, ...rest, "Next: nothing has to be rotated. To rotate all the same:", ...begin].join(
      "\n",
    );
  }
  return [
    ...head,
    ...rest,
    `Next: ${describeStep(step)}`,
    ...(refusals.length > 0
      ? ["This is refused:", ...refusals.map((refusal) => `  - ${refusal}`)]
      : [...restartsOf(situation, step), ...afterwards(situation, step), ...waits.flatMap(waitText)]),
  ].join("\n");
}

/** The same for programs. Times are ISO 8601 in UTC. */
export function planJson(situation: Situation, plan: Plan): string {
  const { stage, reasons, step, refusals, waits, notes } = plan;
  const rolled = step && rolledPods(situation, step);
  const value = {
    stage,
    reasons,
    notes,
    ...(step && {
      step: {
        name: step.name,
        anchor: step.anchor,
        cas: step.cas,
        does: describeStep(step),
        edits: step.edits,
      },
      restarts: ownerList(rolled?.own ?? []),
      rolled: ownerList(rolled?.rolled ?? []),
      restartsOfOthers: ownerList(rolled?.others ?? []),
    }),
    mustWait: waits.length > 0,
    waits: waits.map(({ text, pods, until }) => ({ reason: text, until, owners: ownerList(pods) })),
    refusals,
  };
  return JSON.stringify(value, undefined, 2);
}

const STAGES: Readonly<Record<Plan["stage"], string>> = {
  changing: "the configuration is not deployed yet",
  settled: "no rotation is under way",
  added: "the new trust anchor is trusted, and the old one signs",
  signed: "the new trust anchor signs, and the old one is trusted still",
  "added-ca": "the new CA of the webhooks is trusted, and the old one signs",
  "signed-ca": "the new CA of the webhooks signs, and the old one is trusted still",
};

/** What a step does, in one sentence. */
export function describeStep({ name, anchor = "", cas = [], make }: Step): string {
  const made = make === "issuer" ? " with an issuer that is made with its key" : "";
  return {
    apply: "deploy the configuration as it is",
    add: `add trust anchor ${anchor}, and keep the signer (1 of 3)`,
    sign: `sign by trust anchor ${anchor}${made} (2 of 3)`,
    drop: `drop trust anchor ${anchor} (3 of 3)`,
    issuer: `reissue the issuer${make === "issuer" ? `, signed with the key of trust anchor ${anchor}` : ""}`,
    webhooks: "reissue the webhooks' certificates",
    "add-ca": `have the API server trust CA ${cas.join(", ")} of the webhooks too (1 of 3)`,
    "sign-ca": `sign the webhooks' certificates by CA ${cas.join(", ")} (2 of 3)`,
    "drop-ca": `drop CA ${cas.join(", ")} of the webhooks (3 of 3)`,
  }[name];
}

function restartsOf(situation: Situation, step: Step): string[] {
  if (step.name === "apply") return ["Restarts: what the preview shows."];
  const { own, rolled, others } = rolledPods(situation, step);
  if (own.length + rolled.length + others.length === 0) return ["Restarts: nothing."];
  return [
    restartsText("Restarts", own),
    ...(rolled.length === 0 ? [] : [restartsText("Restarts of others (rolls)", rolled)]),
    ...(others.length === 0
      ? []
      : [`Afterwards, restart ${count(others.length)} that this stack did not deploy:`, ...commands(others)]),
  ];
}

function restartsText(head: string, pods: readonly MeshedPod[]): string {
  if (pods.length === 0) return `${head}: nothing of this stack.`;
  const owners = ownersOf(pods).map(([owner]) => owner);
  return `${head}: ${count(pods.length)} of ${owners.length === 1 ? "1 workload" : `${owners.length} workloads`}: ${shorten(owners).join(", ")}.`;
}

/** How long it must be waited after a step. */
function afterwards({ running }: Situation, { name }: Step): string[] {
  if (name === "sign-ca")
    return [`Afterwards, wait ${RELOAD} until the webhooks have reloaded their certificates.`];
  if (name !== "sign") return [];
  const lifetime = describeDuration(running.lifetimeSeconds);
  return [
    `Afterwards, wait ${lifetime} until the certificates of the old issuer have ended, or restart every meshed pod.`,
  ];
}

function waitText({ text, pods, until }: Obstacle): string[] {
  if (pods.length === 0) return [`Must wait until ${until?.toISOString()}: ${text}.`];
  const end = until === undefined ? "" : `, or wait until ${until.toISOString()}`;
  return [`Must wait: ${count(pods.length)} ${text}. Restart them${end}:`, ...commands(pods)];
}

function commands(pods: readonly MeshedPod[]): string[] {
  const lines = ownersOf(pods).map(([owner, number]) => `    ${restart(owner)}    # ${count(number)}`);
  return shorten(lines, "    # and the pods of ");
}

function shorten(lines: readonly string[], and = "and "): string[] {
  const more = lines.length - LISTED;
  return more > 0 ? [...lines.slice(0, LISTED), `${and}${more} more`] : [...lines];
}

function ownerList(pods: readonly MeshedPod[]): { owner: string; pods: number; command: string }[] {
  return ownersOf(pods).map(([owner, number]) => ({ owner, pods: number, command: restart(owner) }));
}
