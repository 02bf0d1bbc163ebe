import * as pulumi from "@pulumi/pulumi";
import * as random from "@pulumi/random";

/** Annotation with the mark of the stack that made an object. */
export const STACK_ANNOTATION = "linkerd-mtls/stack";

/**
 * The mark that this stack leaves on what it makes: its name, and a number that only its state knows. It tells apart the
 * objects of other stacks, of a stack of the same name in another backend, and of a stack whose state was lost. Call
 * it once in a deployment, and give it to every {@link ClusterAccess}.
 */
export function stackMark(): pulumi.Output<string> {
  const { hex } = new random.RandomId("stack-mark", { byteLength: 4 });
  return pulumi.interpolate`${stackName()} ${hex}`;
}

/** Annotation with the mark of the stack that installed a Helm release, of the namespace of others that it is in. */
export function releaseAnnotation(release: string): string {
  return `${STACK_ANNOTATION}.${release}`;
}

/** Whether two marks, or texts that end with one, are of one stack. It may have been renamed between them. */
export function isSameStack(one: string, other: string): boolean {
  const [id, otherId] = [one, other].map((mark) => mark.split(" ").at(-1));
  return id === otherId;
}

/** The stack, as `pulumi stack ls --all` names it: organization, project and stack. */
export function stackName(): string {
  return [pulumi.getOrganization(), pulumi.getProject(), pulumi.getStack()].join("/");
}
