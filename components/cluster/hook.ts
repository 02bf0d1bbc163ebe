import { AsyncResource } from "node:async_hooks";

import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

import { unlessInterrupted } from "./waiting";

/** Inputs of the resource that a hook runs for. The engine gives plain values, secrets included. */
export interface HookInputs<I> {
  readonly newInputs: I;
  /** Undefined before a creation. */
  readonly oldInputs?: I;
}

/**
 * A hook that asks the cluster, or changes something in it, before a resource is created or updated. When it throws, the
 * operation fails with its message and nothing is changed. It does not run in a preview, and ends with Ctrl-C.
 *
 * @param name Unique in the deployment: begin it with the name of the component.
 */
export function clusterHook<I = unknown>(
  name: string,
  run: (inputs: HookInputs<I>) => Promise<void>,
): pulumi.ResourceHook {
  // The engine calls the hook outside the asynchronous context in which Pulumi finds this deployment's log.
  const context = new AsyncResource("linkerd-mtls:hook");
  return new pulumi.ResourceHook(name, ({ newInputs, oldInputs }) =>
    context.runInAsyncScope(() =>
      unlessInterrupted(name, () =>
        run({ newInputs: newInputs as I, ...(oldInputs !== undefined && { oldInputs: oldInputs as I }) }),
      ),
    ),
  );
}

/** The hook before creation and before update. */
export function beforeChange(...hooks: readonly pulumi.ResourceHook[]): pulumi.ResourceHookBinding {
  return { beforeCreate: [...hooks], beforeUpdate: [...hooks] };
}

/**
 * A resource that exists once its hook has succeeded: let others depend on it. An unchanged deployment runs no hook; new
 * keepers replace the resource, which runs it again; and a gate that failed is not in the state, so the next deployment
 * runs it again.
 *
 * @param keepers Stored in the state: nothing secret.
 */
export function gate(
  name: string,
  hook: pulumi.ResourceHook,
  keepers: pulumi.Input<Record<string, pulumi.Input<string>>>,
  opts: pulumi.CustomResourceOptions,
): random.RandomId {
  return new random.RandomId(name, { byteLength: 4, keepers }, { ...opts, hooks: { beforeCreate: [hook] } });
}
