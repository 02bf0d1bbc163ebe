import { ReadResourceResponse, RegisterResourceResponse } from "@pulumi/pulumi/proto/resource_pb";

/**
 * Keeps secrets out of the SDK's debug messages, which quote whole answers of the engine and are shown with `pulumi --debug`
 * and written to Pulumi's log from `-v=3` on. What the engine itself logs from `-v=7` on, no program can change.
 */
export function withholdAnswers(): void {
  for (const { prototype } of [ReadResourceResponse, RegisterResourceResponse]) {
    prototype.toString = () => "[withheld]";
  }
}
