/** What a stack of a test leaves on the objects that it makes, where nothing else is said. */
export const STACK = "organization/linkerd-mtls/test";

/** The annotation with it. */
export const MARK = { "linkerd-mtls/stack": STACK };

/** The annotations of a namespace that a resource of this name makes. */
export const namespaceMark = (resource: string) => ({ ...MARK, "linkerd-mtls/resource": resource });
