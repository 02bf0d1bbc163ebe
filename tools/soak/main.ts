import { Command, InvalidArgumentError } from "commander";
import { setTimeout as sleep } from "node:timers/promises";
import { up } from "../sandbox/deploy";
import { messageOf, UserError } from "../shared/errors";
import { interruption } from "../shared/interruption";
import { linkerdCheck } from "../sandbox/linkerdCheck";
import { sandboxTarget } from "../sandbox/target";
import { ALL_TOOLS, sandboxTools } from "../sandbox/build/tools";
import { runToEnd } from "../shared/runToEnd";
import { type Lifetime, type Renewed, SoakCluster } from "./cluster";

/** Lives of three minutes, renewed in their middle. */
const LIFETIME: Lifetime = { duration: "3m0s", renewBefore: "1m30s" };

/** The webhooks' CA: the program's own rule is that what it signs lives no longer than it does after its renewal. */
const CA_LIFETIME: Lifetime = { duration: "6m0s", renewBefore: "3m0s" };
const CA = "webhook-issuer";

/** Between two dry runs, and between two looks at the Secrets and at `linkerd check`, in milliseconds. */
const ADMISSION_INTERVAL = 100;
const RENEWAL_INTERVAL = 1000;
const CHECK_INTERVAL = 60_000;

const CONFIGURATION = [
  'linkerd-mtls:rotatingWebhooks={"caInjection":true}',
  'linkerd-mtls:viz={"enabled":true}',
];

/** What was seen. */
interface Findings {
  readonly renewals: Map<string, number>;
  admissions: number;
  injected: number;
  readonly refusals: Set<string>;
  checks: number;
  readonly failedChecks: Set<string>;
  updated: number;
  skipped: number;
}

const { signal } = interruption;

/** Does something again and again until the soak is over. */
async function repeat(until: number, interval: number, action: () => Promise<void>): Promise<void> {
  for (let next = Date.now(); next < until && !signal.aborted; next = Math.max(next + interval, Date.now())) {
    await sleep(next - Date.now());
    await action();
  }
}

async function countRenewals(cluster: SoakCluster, all: readonly Renewed[], found: Findings, until: number) {
  const seen = new Map<string, string>();
  await repeat(until, RENEWAL_INTERVAL, async () => {
    for (const one of all) {
      const key = `${one.namespace}/${one.name}`;
      const certificate = await cluster.certificate(one);
      const before = seen.get(key);
      seen.set(key, certificate);
      if (before === certificate) continue;
      found.renewals.set(key, before === undefined ? 0 : (found.renewals.get(key) ?? 0) + 1);
    }
  });
}

async function soak(minutes: number, name: string): Promise<Findings> {
  const target = await sandboxTarget(name, signal, { tools: ALL_TOOLS });
  const { tools } = await sandboxTools();
  const found: Findings = {
    renewals: new Map(),
    admissions: 0,
    injected: 0,
    refusals: new Set(),
    checks: 0,
    failedChecks: new Set(),
    updated: 0,
    skipped: 0,
  };
  try {
    await up(target, "rotating", CONFIGURATION);
    const cluster = new SoakCluster(target.paths.kubeconfig);
    const all = await cluster.shorten((certificate) => (certificate === CA ? CA_LIFETIME : LIFETIME));
    // The first issue of each is no renewal.
    await sleep(10_000);
    const earlier = await cluster.identityEvents("IssuerUpdated");
    const until = Date.now() + minutes * 60_000;
    console.log(`Soaking for ${minutes} minutes.`);
    await Promise.all([
      countRenewals(cluster, all, found, until),
      repeat(until, ADMISSION_INTERVAL, async () => {
        found.admissions++;
        try {
          if (await cluster.admits()) found.injected++;
          else found.refusals.add("admitted without its proxy");
        } catch (error) {
          found.refusals.add(messageOf(error));
        }
      }),
      repeat(until, CHECK_INTERVAL, async () => {
        found.checks++;
        try {
          for (const { description, result } of await linkerdCheck(tools, target.paths.kubeconfig)) {
            if (result === "error") found.failedChecks.add(description);
          }
        } catch (error) {
          found.failedChecks.add(messageOf(error));
        }
      }),
    ]);
    found.updated = (await cluster.identityEvents("IssuerUpdated")) - earlier;
    found.skipped = await cluster.identityEvents("IssuerUpdateSkipped");
    return found;
  } finally {
    await target.abandon();
  }
}

/** Prints the table and says what is not as it must be. */
function report(found: Findings): string[] {
  const rows: [string, string | number][] = [
    ...[...found.renewals].map(([key, count]): [string, number] => [`renewals of ${key}`, count]),
    ["dry runs of a pod", found.admissions],
    ["of these injected", found.injected],
    ["IssuerUpdated", found.updated],
    ["IssuerUpdateSkipped", found.skipped],
    ["runs of linkerd check", found.checks],
    ["checks that failed", found.failedChecks.size],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  for (const [what, count] of rows) console.log(`${what.padEnd(width)}  ${String(count).padStart(6)}`);
  const issuer = found.renewals.get("linkerd/linkerd-identity-issuer") ?? 0;
  return [
    ...[...found.renewals].filter(([, count]) => count === 0).map(([key]) => `${key} was never renewed`),
    ...(found.injected === found.admissions ? [] : [`not injected: ${[...found.refusals].join("; ")}`]),
    ...(found.updated >= issuer ? [] : [`identity has seen ${found.updated} of ${issuer} renewals`]),
    ...(found.skipped === 0 ? [] : ["identity has refused an issuer"]),
    ...found.failedChecks,
  ];
}

const program = new Command("soak")
  .description("renews all certificates every few minutes in a sandbox, and watches injection and identity")
  .option(
    "--minutes <minutes>",
    "how long",
    (text) => {
      const value = Number(text);
      if (!Number.isInteger(value) || value < 4) throw new InvalidArgumentError("expected 4 or more");
      return value;
    },
    20,
  )
  .option("--name <name>", "which sandbox; it must not run yet", "soak")
  .action(async ({ minutes, name }: { minutes: number; name: string }) => {
    const problems = report(await soak(minutes, name));
    if (problems.length > 0) throw new UserError(problems.join("\n"));
  });

runToEnd(program);
