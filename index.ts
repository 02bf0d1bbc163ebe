import * as pulumi from "@pulumi/pulumi";

import { SAMPLE_APPLICATIONS } from "./apps";
import {
  adoptionLock,
  checkCluster,
  LinkerdMesh,
  MeshCertificates,
  stackMark,
  startKubernetesProvider,
  trustProof,
} from "./components";
import { readConfig } from "./config";
import { silenceDebugMessages } from "./debugMessages";

/** Outputs of the stack. No key, and nothing that is not public. */
interface StackOutputs extends MeshCertificates {
  readonly trustDomain: string;
  /** Installed version of each chart. */
  readonly chartVersions: Readonly<Record<string, pulumi.Output<string>>>;
  /** Application namespaces whose pods are injected by default. */
  readonly meshedNamespaces: pulumi.Output<string>[];
}

/** The oldest CLI whose engine knows resource hooks (3.182) and replacement triggers (3.208); others ignore them. */
const PULUMI_CLI = ">=3.208.0";

/** The program. Pulumi calls it, once per deployment. */
async function program(): Promise<StackOutputs> {
  silenceDebugMessages();
  await pulumi.requirePulumiVersion(PULUMI_CLI);
  const { sampleApplications, rolls, ...settings } = readConfig(SAMPLE_APPLICATIONS);
  const config = { ...settings, cluster: { ...settings.cluster, mark: stackMark() } };
  startKubernetesProvider();
  const samples = sampleApplications.map((name) => ({ name, sample: SAMPLE_APPLICATIONS[name] }));
  const deployed = await checkCluster(config, {
    created: samples.flatMap(({ sample }) => sample.namespaces),
    existing: samples.flatMap(({ sample }) => sample.existing),
  });

  const mesh = new LinkerdMesh("linkerd", { ...config, deployed });
  if (pulumi.runtime.isDryRun()) {
    await mesh.trustChecked;
  }
  await mesh.certificatesChecked;
  const applications = samples.map(({ name, sample }) => new sample.component(name, { mesh }));

  const parts = [mesh, ...applications];
  const proof = trustProof("linkerd-trust-proof", { mesh, deployed, rolls }, { dependsOn: parts });
  adoptionLock("linkerd-adoption-lock", mesh.cluster, [...parts, proof]);

  const { certificates, trustDomain, chartVersions, meshedNamespaces } = mesh;
  return {
    ...certificates,
    trustDomain,
    chartVersions,
    meshedNamespaces: [...applications.flatMap(({ namespaces }) => namespaces), ...meshedNamespaces],
  };
}

export = program;
