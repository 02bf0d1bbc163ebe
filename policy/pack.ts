import { PolicyPack, type ResourceValidationPolicy } from "@pulumi/policy";

import { known } from "./known";
import type { Rule } from "./rule";
import { RULES } from "./rules";

/** A rule as Pulumi's engine asks it, of each resource before it is created or updated, in a preview too. */
function asPolicy(rule: Rule): ResourceValidationPolicy {
  const { name, description, enforcementLevel, properties } = rule;
  return {
    name,
    description,
    enforcementLevel,
    configSchema: { properties },
    validateResource: (args, report) => {
      const { type, urn, props, opts } = args;
      const resource = { type, urn, props: known(props), isProtected: opts.protect };
      for (const violation of rule.violations(resource, args.getConfig())) {
        report(violation);
      }
    },
  };
}

new PolicyPack("linkerd-mtls", { policies: RULES.map(asPolicy) });
