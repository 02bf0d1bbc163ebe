import { log } from "@pulumi/pulumi";
import { ReadResourceResponse, RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb";

/**
 * Switches off the debug messages of Pulumi's SDK. They quote whole answers of the engine, secrets included, which
 * `pulumi --debug` shows and Pulumi's log has from `-v=3` on. And each of them, three to five for a resource, is a call to
 * the engine that the next one waits for, whether anybody reads them or not. What the engine itself logs from `-v=7` on,
 * no program can change.
 */
export function silenceDebugMessages(): void {
  Object.assign(log, { debug: () => Promise.resolve() });
  // The text is made all the same.
  for (const { prototype } of [ReadResourceResponse, RegisterResourceResponse]) {
    prototype.toString = () => "[withheld]";
  }
}
