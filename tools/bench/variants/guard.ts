import { LocalWorkspace, PulumiCommand } from "@pulumi/pulumi/automation";
import { mkdir } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { MeshGuard } from "../../../components";
import { UserError } from "../../shared/errors";
import type { Cluster } from "../cluster";
import type { Site } from "./variant";

/** How long the API server may take to enforce a policy that it has stored. */
const ENFORCEMENT_SECONDS = 30;

/** Deploys the guard alone, and waits until it refuses a pod. */
export async function deployGuard({ cluster, pulumi }: Site): Promise<void> {
  const { paths, signal } = cluster;
  await mkdir(paths.state, { recursive: true });
  await mkdir(paths.workspace, { recursive: true });
  const stack = await LocalWorkspace.createOrSelectStack(
    {
      stackName: "guard",
      projectName: "linkerd-mtls-bench",
      program: () => {
        new MeshGuard("mesh-guard").coverOthers("mesh-guard-others-binding");
        return Promise.resolve({});
      },
    },
    {
      workDir: paths.workspace,
      pulumiCommand: await PulumiCommand.get({ root: pulumi.home }),
      envVars: {
        ...(pulumi.home !== undefined && { PULUMI_HOME: pulumi.home }),
        PULUMI_BACKEND_URL: `file://${paths.state}`,
        // Nothing of it is secret, and it goes with the sandbox.
        PULUMI_CONFIG_PASSPHRASE: "",
        PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
        PULUMI_SKIP_UPDATE_CHECK: "true",
      },
    },
  );
  await stack.setConfig("kubernetes:kubeconfig", { value: paths.kubeconfig });
  await stack.up({ signal });
  await untilEnforced(cluster);
}

async function untilEnforced({ kubectl, signal }: Cluster): Promise<void> {
  const pod = ["run", "probe", "--image=probe", "--annotations=linkerd.io/inject=enabled"];
  for (let second = 0; second < ENFORCEMENT_SECONDS && !signal.aborted; second++) {
    const refused = await kubectl(...pod, "--dry-run=server").then(
      () => false,
      (error: unknown) => String(error).includes("must have a Linkerd proxy"),
    );
    if (refused) return;
    await sleep(1000);
  }
  throw new UserError(`the guard refuses nothing ${ENFORCEMENT_SECONDS} s after it was deployed`);
}
