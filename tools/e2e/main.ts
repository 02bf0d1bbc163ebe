import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import { Command } from "commander";

import { DEFAULT_LINKERD_VERSION } from "../../components/controlPlane/version";
import { UserError } from "../shared/errors";
import { run } from "../shared/run";
import { runToEnd } from "../shared/runToEnd";
import { prove } from "./proof";

/** The sample application whose traffic is captured: `hello` asks `world`. */
const NAMESPACE = "hello-world";
const CLIENT = "hello";
const SERVER = "world";
const PORT = 7778;
/** Its pods have no ServiceAccount of their own. */
const IDENTITY = `default.${NAMESPACE}.serviceaccount.identity.linkerd.`;

/** Linkerd's own image for looking into pods; it has tcpdump and curl. */
const IMAGE = `cr.l5d.io/linkerd/debug:${DEFAULT_LINKERD_VERSION}`;
const CONTAINER = "look";

/** How long tcpdump takes to start, and then to see the last packet. */
const SETTLE_MS = 3000;

/** Asks Linkerd's CLI, captures a request in the pod that answers it, and has a Job end. */
async function verify(context: string): Promise<void> {
  const kubectl = (...args: string[]): Promise<string> => run("kubectl", ["--context", context, ...args]);
  for (const args of [["check"], ["check", "--proxy"]]) {
    console.log(await run("linkerd", ["--context", context, ...args, "--wait=2m"]));
  }

  const podOf = async (workload: string): Promise<string> =>
    (
      await kubectl(
        "-n",
        NAMESPACE,
        "get",
        "pod",
        "-l",
        `app.kubernetes.io/name=${workload}`,
        "-o",
        "jsonpath={.items[0].metadata.name}",
      )
    ).trim();
  const [client, server] = [await podOf(CLIENT), await podOf(SERVER)];
  for (const pod of [client, server]) {
    await kubectl(
      "-n",
      NAMESPACE,
      "debug",
      pod,
      `--image=${IMAGE}`,
      "--profile=netadmin",
      "-c",
      CONTAINER,
      "--",
      "sleep",
      "600",
    );
    await started(kubectl, pod);
  }

  const marker = `marker-${randomBytes(8).toString("hex")}`;
  const captures = { network: capture(context, server, "eth0"), loopback: capture(context, server, "lo") };
  await sleep(SETTLE_MS);
  await kubectl(
    "-n",
    NAMESPACE,
    "exec",
    client,
    "-c",
    CONTAINER,
    "--",
    "curl",
    "-fsS",
    "-H",
    `x-marker: ${marker}`,
    `http://${SERVER}:${PORT}/`,
  );
  await sleep(SETTLE_MS);
  const [network, loopback] = [await captures.network, await captures.loopback];
  const { identity, connections, encryptedRecords } = prove({ network, loopback }, marker, IDENTITY);
  console.log(
    `TLS to ${identity}: ${connections} connections, ${encryptedRecords} encrypted records, no plaintext.`,
  );
  await endJob(kubectl);
}

/** Waits until a Job has ended, although a proxy runs beside its container. */
async function endJob(kubectl: (...args: string[]) => Promise<string>): Promise<void> {
  const name = "ends";
  const inNamespace = (...args: string[]): Promise<string> => kubectl("-n", NAMESPACE, ...args);
  await inNamespace("create", "job", name, `--image=${IMAGE}`, "--", "true");
  await inNamespace("wait", `job/${name}`, "--for=condition=complete", "--timeout=120s");
  const names = "jsonpath={.items[0].spec.initContainers[*].name} {.items[0].spec.containers[*].name}";
  const containers = await inNamespace(
    "get",
    "pod",
    "-l",
    `batch.kubernetes.io/job-name=${name}`,
    "-o",
    names,
  );
  await inNamespace("delete", "job", name);
  if (!containers.split(" ").includes("linkerd-proxy")) {
    throw new UserError(`the Job ${name} ended without a proxy; it had ${containers}`);
  }
  console.log("A Job ended beside its proxy.");
}

/** Waits until the container that looks is running. */
async function started(kubectl: (...args: string[]) => Promise<string>, pod: string): Promise<void> {
  const path = `{.status.ephemeralContainerStatuses[?(@.name=="${CONTAINER}")].state.running.startedAt}`;
  await kubectl("-n", NAMESPACE, "wait", `pod/${pod}`, `--for=jsonpath=${path}`, "--timeout=120s");
}

/** Captures the server's port on an interface of a pod, for as long as the request takes. */
function capture(context: string, pod: string, device: string): Promise<Buffer> {
  const seconds = String((3 * SETTLE_MS) / 1000);
  const tcpdump = [
    "timeout",
    "-s",
    "INT",
    seconds,
    "tcpdump",
    "-i",
    device,
    "-U",
    "-w",
    "-",
    `tcp port ${PORT}`,
  ];
  const child = spawn(
    "kubectl",
    ["--context", context, "-n", NAMESPACE, "exec", pod, "-c", CONTAINER, "--", ...tcpdump],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    // `timeout` ends with a code of its own; what counts is what was captured.
    child.on("close", () => {
      resolve(Buffer.concat(chunks));
    });
  });
}

const program = new Command("linkerd-mtls-e2e").description("Proves mutual TLS on a cluster with nodes.");

program
  .command("release")
  .description("print the release of Linkerd that the program installs by default")
  .action(() => {
    console.log(DEFAULT_LINKERD_VERSION);
  });

program
  .command("verify")
  .description(
    "run linkerd check, capture a request of the sample application hello-world, and have a Job end",
  )
  .requiredOption("--context <context>", "a context of your kubeconfig")
  .action(({ context }: { context: string }) => verify(context));

runToEnd(program);
