import type { V1LabelSelector, V1LabelSelectorRequirement } from "@kubernetes/client-node";

type Labels = Readonly<Record<string, string>>;

/** Whether a label selector selects an object; an absent selector selects every object, as a webhook's does. */
export function selects(selector: V1LabelSelector | undefined, labels: Labels = {}): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector ?? {};
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every((requirement) => meets(requirement, labels))
  );
}

function meets({ key, operator, values = [] }: V1LabelSelectorRequirement, labels: Labels): boolean {
  const value = labels[key];
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      throw new Error(`a label selector has the unknown operator ${operator}`);
  }
}
