import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

import * as grpc from "@grpc/grpc-js";
import { KubeConfig, KubernetesObjectApi } from "@kubernetes/client-node";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { CreateRequest } from "@pulumi/pulumi/proto/provider_pb";

import { type Environment, refusal } from "./refusal";

/**
 * The Kubernetes provider, which it starts and passes every call to, except that it refuses to create an object that
 * exists, as the provider does from 4.29 on. See `index.ts`.
 */
const { REFUSING_PROVIDER, REFUSING_KUBECONFIG } = process.env as unknown as Environment;

/** Messages of the engine, some of which are larger than gRPC's limit. */
const UNLIMITED = { "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 };

const child = spawn(REFUSING_PROVIDER, process.argv.slice(2), { stdio: ["inherit", "pipe", "inherit"] });
child.on("exit", (code) => process.exit(code ?? 1));

const config = new KubeConfig();
config.loadFromFile(REFUSING_KUBECONFIG);
const objects = KubernetesObjectApi.makeApiClient(config);

/** Bytes as they are: neither side's messages are changed. */
const same = (bytes: Buffer): Buffer => bytes;

function serve(providerPort: string): void {
  const provider = new grpc.Client(`127.0.0.1:${providerPort}`, grpc.credentials.createInsecure(), UNLIMITED);
  const server = new grpc.Server(UNLIMITED);
  for (const { path } of Object.values<{ path: string }>(ResourceProviderService)) {
    const pass: grpc.handleUnaryCall<Buffer, Buffer> = (call, answer) => {
      provider.makeUnaryRequest(path, same, same, call.request, call.metadata, answer);
    };
    const create: grpc.handleUnaryCall<Buffer, Buffer> = (call, answer) => {
      refusal(objects, CreateRequest.deserializeBinary(call.request)).then(
        (message) => {
          if (message === undefined) pass(call, answer);
          else answer({ code: grpc.status.UNKNOWN, details: message });
        },
        (error: unknown) => {
          answer({ code: grpc.status.UNKNOWN, details: String(error) });
        },
      );
    };
    server.register(path, path.endsWith("/Create") ? create : pass, same, same, "unary");
  }
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    console.log(port);
  });
}

// A plugin's first line is its port.
createInterface(child.stdout).once("line", serve);
