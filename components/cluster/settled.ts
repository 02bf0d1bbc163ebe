import * as pulumi from "@pulumi/pulumi";

/** The value of an input, once it is there; undefined where a preview does not know it. */
export function settled<T>(input: pulumi.Input<T>): Promise<T | undefined> {
  // An output can be awaited; the SDK's types hide it as internal.
  return (pulumi.output(input) as unknown as { promise(): Promise<T | undefined> }).promise();
}
