import * as pulumi from "@pulumi/pulumi";

import { Emojivoto } from "./emojivoto";
import { HelloWorld } from "./helloWorld";
import { Kuard } from "./kuard";
import { SampleApplicationArgs } from "./sampleApplication";
import { Shop } from "./shop";

/** A sample application of the registry. */
export interface SampleApplication {
  readonly component: new (
    name: string,
    args: SampleApplicationArgs,
  ) => { readonly namespaces: pulumi.Output<string>[] };
  /** Namespaces that it creates. */
  readonly namespaces: readonly string[];
  /** Existing namespaces in which it deploys injected pods. */
  readonly existing: readonly string[];
}

/** The sample applications, by the name that the configuration gives them. */
export const SAMPLE_APPLICATIONS = {
  "hello-world": { component: HelloWorld, namespaces: ["hello-world"], existing: [] },
  emojivoto: { component: Emojivoto, namespaces: ["emojivoto"], existing: [] },
  // It goes to the namespace that every cluster has.
  kuard: { component: Kuard, namespaces: [], existing: ["default"] },
  shop: {
    component: Shop,
    namespaces: ["shop-users", "shop-identity", "shop-web", "shop-ingress"],
    existing: [],
  },
} as const satisfies Record<string, SampleApplication>;
