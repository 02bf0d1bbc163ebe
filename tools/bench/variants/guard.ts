import { LocalWorkspace, PulumiCommand } from "@pulumi/pulumi/automation";
import { mkdir } from "node:fs/promises";
import { MeshGuard } from "../../../components";
import type { Site } from "./variant";

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
        const cluster = { kubeconfig: paths.kubeconfig };
        new MeshGuard("mesh-guard", { cluster }).coverOthers("mesh-guard-others");
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
}
