import * as pulumi from "@pulumi/pulumi";
import * as state from "@pulumi/pulumi/runtime/state";
import { RegisterResourceRequest } from "@pulumi/pulumi/proto/resource_pb";

import { testCertificate } from "./certificates";

/** A resource as the engine would have been asked for it. */
export interface Recorded {
  readonly type: string;
  readonly name: string;
  readonly custom: boolean;
  /** Plain inputs, secrets unwrapped. */
  readonly inputs: Record<string, unknown>;
  /** Paths of the inputs that were secret, e.g. `stringData`. */
  readonly secretInputs: readonly string[];
  readonly secretOutputs: readonly string[];
  readonly parent: string;
  /** URNs of what must exist before, as given to the engine: explicit and through inputs. */
  readonly dependencies: readonly string[];
  readonly urn: string;
  readonly replacementTrigger: unknown;
  readonly ignoreChanges: readonly string[];
  readonly deleteBeforeReplace: boolean;
  readonly replaceOnChanges: readonly string[];
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  /** URNs that the resource had before. */
  readonly aliases: readonly string[];
  /** Types that it had before, under the same parent; under the same name where that is empty. */
  readonly formerTypes: readonly string[];
  /** Names that it had before, by the same index. */
  readonly formerNames: readonly string[];
  readonly hooks: { readonly beforeCreate: readonly string[]; readonly beforeUpdate: readonly string[] };
}

/** Everything that a program asked for. */
export class Recording {
  public readonly resources: Recorded[] = [];
  public readonly hooks = new Map<string, pulumi.ResourceHook>();
  /** Ids of the objects in the cluster that the program read. */
  public readonly reads: string[] = [];
  /** Functions of providers that the program called. */
  public readonly calls: string[] = [];
  /** What the program returned, resolved; secrets are wrapped as Pulumi writes them into the state. */
  public outputs: unknown;
  /** PEMs that the mocked tls provider made, by the name of the resource. */
  public readonly pems = new Map<string, string>();

  /** The resource of this type (its last part suffices) and name. */
  public get(type: string, name: string): Recorded {
    const found = this.resources.filter(
      (resource) => resource.name === name && (resource.type === type || resource.type.endsWith(`:${type}`)),
    );
    if (found.length !== 1 || found[0] === undefined) {
      throw new Error(`${found.length} resources ${type} ${name} among:\n${this.names().join("\n")}`);
    }
    return found[0];
  }

  public names(): string[] {
    return this.resources.map(({ type, name }) => `${type} ${name}`);
  }

  /** Whether `later` is created after `earlier` and deleted before it, whatever stands between them. */
  public isAfter(later: Recorded, earlier: Recorded): boolean {
    const seen = new Set<string>();
    const visit = (resource: Recorded): boolean =>
      [...resource.dependencies, resource.parent].some((urn) => {
        if (urn === earlier.urn) {
          return true;
        }
        const next = this.resources.find((candidate) => candidate.urn === urn);
        if (next === undefined || seen.has(urn)) {
          return false;
        }
        seen.add(urn);
        return visit(next);
      });
    return visit(later);
  }
}

/** Marks of a secret in Pulumi's wire format. */
const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

const PASSED_THROUGH = ["kubernetes:", "linkerd-mtls:", "pulumi:pulumi:Stack"];

export interface RecordOptions {
  readonly stack?: string;
  readonly config?: Record<string, string>;
  readonly secretKeys?: readonly string[];
  /** What is in the cluster already, by id; anything else that is read does not exist. */
  readonly live?: Readonly<Record<string, Record<string, unknown>>>;
  /** Days from now at which the validity of certificates begins and ends. Default: 0 and 1000. */
  readonly days?: readonly [from: number, to: number];
}

/**
 * Runs a program under Pulumi's mocks and keeps what `setMocks` drops: dependencies, parents, secretness, options and
 * hooks. A provider that is not mocked here throws.
 */
export async function record(program: () => unknown, options: RecordOptions = {}): Promise<Recording> {
  const recording = new Recording();
  await pulumi.runtime.setMocks(
    {
      newResource: (args) =>
        args.id ? readLive(args, recording, options.live ?? {}) : mockResource(args, recording, options),
      call: ({ token }) => {
        recording.calls.push(token);
        if (token !== "kubernetes:yaml:decode") {
          throw new Error(`the call ${token} is not mocked`);
        }
        return { result: [] };
      },
    },
    "linkerd-mtls",
    options.stack ?? "test",
    false,
    "organization",
  );
  // Nobody's cluster is asked.
  process.env.KUBECONFIG = "/dev/null";
  pulumi.runtime.setAllConfig(options.config ?? {}, [...(options.secretKeys ?? [])]);

  // Pulumi would start a server that the engine calls back; its types hide the store.
  const { getStore } = state as unknown as { getStore: () => { callbacks: unknown } };
  const store = getStore();
  store.callbacks = {
    registerResourceHook: (hook: pulumi.ResourceHook) => {
      recording.hooks.set(hook.name, hook);
      return Promise.resolve();
    },
    awaitStackRegistrations: () => Promise.resolve(),
    shutdown: () => undefined,
  };

  const monitor = pulumi.runtime.getMonitor() as unknown as {
    registerResource(request: RegisterResourceRequest, callback: Callback): Promise<void>;
  };
  const register = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) =>
    register(request, (error, response) => {
      if (response !== undefined) {
        recording.resources.push(read(request, response.getUrn()));
      }
      callback(error, response);
    });

  try {
    recording.outputs = await pulumi.runtime.runInPulumiStack(() => Promise.resolve(program()));
    await (pulumi.runtime as unknown as { waitForRPCs(): Promise<void> }).waitForRPCs();
  } finally {
    store.callbacks = undefined;
  }
  return recording;
}

type Callback = (error: unknown, response?: { getUrn(): string }) => void;

function read(request: RegisterResourceRequest, urn: string): Recorded {
  const secretInputs: string[] = [];
  const inputs = unwrap(request.getObject()?.toJavaScript() ?? {}, "", secretInputs);
  return {
    type: request.getType(),
    name: request.getName(),
    custom: request.getCustom(),
    inputs: inputs as Record<string, unknown>,
    secretInputs,
    secretOutputs: request.getAdditionalsecretoutputsList(),
    parent: request.getParent(),
    dependencies: request.getDependenciesList(),
    urn,
    replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
    ignoreChanges: request.getIgnorechangesList(),
    deleteBeforeReplace: request.getDeletebeforereplace(),
    replaceOnChanges: request.getReplaceonchangesList(),
    protect: request.getProtect() ?? false,
    retainOnDelete: request.getRetainondelete() ?? false,
    aliases: [...request.getAliasurnsList(), ...request.getAliasesList().map((alias) => alias.getUrn())],
    formerNames: request.getAliasesList().map((alias) => alias.getSpec()?.getName() ?? ""),
    formerTypes: request.getAliasesList().flatMap((alias) => alias.getSpec()?.getType() ?? []),
    hooks: {
      beforeCreate: request.getHooks()?.getBeforeCreateList() ?? [],
      beforeUpdate: request.getHooks()?.getBeforeUpdateList() ?? [],
    },
  };
}

/** Removes the wrapping of secrets and notes where they were. */
function unwrap(value: unknown, path: string, secrets: string[]): unknown {
  if (Array.isArray(value)) {
    return value.map((item, index) => unwrap(item, `${path}[${index}]`, secrets));
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  const object = value as Record<string, unknown>;
  if (object[SIGNATURE] === SECRET) {
    secrets.push(path);
    return unwrap(object.value, path, secrets);
  }
  return Object.fromEntries(
    Object.entries(object).map(([key, item]) => [
      key,
      unwrap(item, path === "" ? key : `${path}.${key}`, secrets),
    ]),
  );
}

function readLive(
  { id = "", type }: pulumi.runtime.MockResourceArgs,
  recording: Recording,
  live: NonNullable<RecordOptions["live"]>,
): pulumi.runtime.MockResourceResult {
  const state = live[id];
  if (state === undefined) {
    throw new Error(`${type} ${id} does not exist`);
  }
  recording.reads.push(id);
  return { id, state };
}

async function mockResource(
  args: pulumi.runtime.MockResourceArgs,
  recording: Recording,
  { days }: RecordOptions,
): Promise<pulumi.runtime.MockResourceResult> {
  const id = `${args.name}-id`;
  // The mock's argument is typed `any` by the SDK.
  const inputs = args.inputs as Record<string, unknown>;
  const state = (outputs: Record<string, unknown>): pulumi.runtime.MockResourceResult => ({
    id,
    state: { ...inputs, ...outputs },
  });
  switch (args.type) {
    case "random:index/randomId:RandomId":
      return state({ hex: `${args.name}-hex` });
    case "tls:index/privateKey:PrivateKey":
      return state({
        privateKeyPem: pulumi.secret(`key of ${args.name}`),
        privateKeyPemPkcs8: pulumi.secret(`PKCS#8 key of ${args.name}`),
      });
    case "tls:index/certRequest:CertRequest":
      return state({ certRequestPem: `request of ${args.name}` });
    case "tls:index/selfSignedCert:SelfSignedCert":
    case "tls:index/locallySignedCert:LocallySignedCert": {
      const { certPem } = await testCertificate(args.name, { days });
      recording.pems.set(args.name, certPem);
      return state({ certPem });
    }
    case "kubernetes:helm.sh/v3:Release":
      return state({ status: { version: inputs.version ?? "from the directory", status: "deployed" } });
  }
  if (PASSED_THROUGH.some((prefix) => args.type.startsWith(prefix))) {
    return state({});
  }
  throw new Error(`the resource ${args.type} is not mocked`);
}
