import assert from "node:assert/strict";

import * as pulumi from "@pulumi/pulumi";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity, RequirePulumiVersionResponse } from "@pulumi/pulumi/proto/engine_pb";
import * as state from "@pulumi/pulumi/runtime/state";

import program from "../../index";
import { record } from "../support/recorder";
import { stackConfig } from "../support/stackConfig";

type Answer = (error: null, response: unknown) => void;

/** Where Pulumi's SDK finds its engine; its types hide the store. */
const { settings } = (
  state as unknown as { getStore: () => { settings: { options: { engineAddr?: string } } } }
).getStore();

describe("debug messages of Pulumi's SDK", () => {
  const logged: LogRequest.AsObject[] = [];
  const engine = EngineClient.prototype as unknown as Record<string, unknown>;
  const { log, requirePulumiVersion, setRootResource } = engine;

  before(() => {
    settings.options.engineAddr = "127.0.0.1:1";
    engine.log = (request: LogRequest, answer: Answer) => {
      logged.push(request.toObject());
      answer(null, {});
    };
    engine.setRootResource = (_: unknown, answer: Answer) => {
      answer(null, {});
    };
    engine.requirePulumiVersion = (_: unknown, answer: Answer) => {
      answer(null, new RequirePulumiVersionResponse());
    };
  });
  after(() => {
    delete settings.options.engineAddr;
    Object.assign(engine, { log, requirePulumiVersion, setRootResource });
  });

  it("do not reach the engine while the program runs", async () => {
    const marked = async () => {
      const outputs = await program();
      await pulumi.log.info("the engine listens");
      return outputs;
    };
    await record(marked, { stack: "dev", config: stackConfig("dev") });
    // The SDK registers the stack before it runs the program, which has no cluster to ask here.
    const messages = logged.filter(
      ({ severity, message }) => severity !== LogSeverity.WARNING && !message.includes("pulumi:pulumi:Stack"),
    );
    assert.deepEqual(
      messages.map(({ severity, message }) => [severity, message]),
      [[LogSeverity.INFO, "the engine listens"]],
    );
  });
});
