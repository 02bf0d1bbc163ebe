import assert from "node:assert/strict";

import { type Command, configuration, start, succeed } from "./command";
import { eventually } from "./eventually";
import { isMeshed, type TestSandbox } from "./testSandbox";

const NAMESPACE = "web";
const WORKLOADS = ["one", "two", "three"].map((name) => ({
  name,
  podSpec: { containers: [{ name, image: "registry.k8s.io/pause:3.10" }] },
}));
const CONFIGURATION = configuration({
  sampleApplications: [],
  namespaces: [{ name: NAMESPACE, workloads: WORKLOADS }],
});

/** How often a state that passes quickly is tried. */
const ATTEMPTS = 4;

/** Kinds of all objects that a deployment makes, or that are made for it. Pods and leases change by themselves. */
export const DEPLOYED_KINDS = [
  "namespaces,deployments,services,configmaps,secrets,serviceaccounts,cronjobs,roles,rolebindings",
  "clusterroles,clusterrolebindings,customresourcedefinitions,apiservices",
  "mutatingwebhookconfigurations,validatingwebhookconfigurations",
  "validatingadmissionpolicies,validatingadmissionpolicybindings",
].join(",");

/** A deployment that a test kills and repeats, and what it leaves when nothing disturbs it. */
export class RepeatedDeployment {
  /** How long it takes when nothing disturbs it, in milliseconds. */
  public duration = 0;
  private wanted: readonly string[] = [];

  public constructor(private readonly sandbox: TestSandbox) {}

  /** Deploys to a new sandbox without a disturbance, to compare with. */
  public async measure(): Promise<void> {
    await this.fresh();
    const began = Date.now();
    await succeed(...this.command());
    this.duration = Date.now() - began;
    this.wanted = await this.objects();
  }

  /** A new sandbox that runs already. */
  public async fresh(): Promise<void> {
    await this.sandbox.remove();
    await succeed("sandbox", "start", "--name", this.sandbox.name);
  }

  /** The command with which it is deployed. */
  public command(values: Readonly<Record<string, unknown>> = {}): readonly string[] {
    return ["up", "--name", this.sandbox.name, ...CONFIGURATION, ...configuration(values)];
  }

  /** Starts it. */
  public start(values: Readonly<Record<string, unknown>> = {}): Command {
    return start(this.command(values));
  }

  /** Deploys to a new sandbox and kills the command when Helm's record is in this state. */
  public async killFirstAt(record: string): Promise<void> {
    await this.killAt(record, {}, () => this.fresh());
  }

  /** Deploys other values to what is deployed and kills the command when Helm's record is in this state. */
  public async killNextAt(record: string, values: Readonly<Record<string, unknown>>): Promise<void> {
    await this.killAt(record, values, async (attempt) => {
      if (attempt === 1) return;
      await this.fresh();
      await succeed(...this.command());
    });
  }

  /** The state can pass while the kill is on its way; then it tries again. */
  private async killAt(
    record: string,
    values: Readonly<Record<string, unknown>>,
    prepare: (attempt: number) => Promise<void>,
  ): Promise<void> {
    let states: readonly string[] = [];
    for (let attempt = 1; attempt <= ATTEMPTS && !states.includes(record); attempt++) {
      await prepare(attempt);
      states = await this.killOnceAt(this.start(values), record);
    }
    assert.ok(states.includes(record), states.join("\n"));
  }

  /** Kills the command as soon as Helm's record is in this state, or past it; the states that it leaves. */
  private async killOnceAt(command: Command, record: string): Promise<readonly string[]> {
    const past = `${record.split(" ", 1).join()} deployed`;
    await eventually(record, 120, async () => {
      const states = await this.sandbox.helmReleaseStates();
      return states.includes(record) || states.includes(past);
    });
    command.kill("SIGKILL");
    await command.ended;
    return this.sandbox.helmReleaseStates();
  }

  /** Repeats it to its end, and compares all with the deployment that nothing disturbed. */
  public async repeat(): Promise<void> {
    await succeed(...this.command());
    assert.deepEqual(await this.objects(), this.wanted);
    for (const release of await this.sandbox.helmReleaseStates()) assert.match(release, /\.v1 deployed$/);
    const pods = (await this.sandbox.podCreations()).filter(
      ({ admitted, namespace }) => admitted && namespace === NAMESPACE,
    );
    assert.deepEqual(
      pods.filter((pod) => !isMeshed(pod)),
      [],
    );
    assert.equal(pods.length, WORKLOADS.length);
    assert.match(await succeed(...this.command()), /Resources:\s+\d+ unchanged\s/);
  }

  /** Kind, namespace and name of each object, sorted. */
  private async objects(): Promise<readonly string[]> {
    const columns = "KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name";
    const text = await this.sandbox.kubectl([
      ...["get", DEPLOYED_KINDS, "-A"],
      ...["--no-headers", "-o", `custom-columns=${columns}`],
    ]);
    return text.trim().split(/\s*\n/).sort();
  }
}
