import { DNS_LABEL, FLAG, HTTP_URL, isObject, Problem, text } from "../components/rules";
import { checked, object, value } from "./reading";

const LABEL_NAME = text(
  "must be the name of a label",
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/,
  "release",
);
const LABEL_VALUE = text(
  "must be the value of a label, as a string",
  /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/,
  "prometheus",
);

/** Alerts and dashboard. */
export const readMonitoring = object({
  enabled: value(FLAG),
  namespace: value({
    ...DNS_LABEL,
    rule: "must be the name of an existing namespace",
    example: "monitoring",
  }),
  labels: checked<Readonly<Record<string, string>>>(labelProblems),
  runbookUrl: value({ ...HTTP_URL, example: "https://example.org/alerts.html" }),
});

function labelProblems(labels: unknown): Problem[] {
  if (labels === undefined) {
    return [];
  }
  if (!isObject(labels)) {
    const fixes = [{ set: LABEL_NAME.example, to: LABEL_VALUE.example }];
    return [{ path: "", rule: "must be an object of labels", found: { value: labels }, fixes }];
  }
  return Object.entries(labels).flatMap(([name, label]): Problem[] => {
    if (!LABEL_NAME.allows(name)) {
      return [
        { path: "", rule: `${LABEL_NAME.rule} before each value`, found: `has ${JSON.stringify(name)}` },
      ];
    }
    // A dot would begin another property in a path.
    const path = /^\w+$/.test(name) ? name : `["${name}"]`;
    return LABEL_VALUE.allows(label)
      ? []
      : [
          {
            path,
            rule: LABEL_VALUE.rule,
            found: { value: label },
            fixes: [{ set: path, to: LABEL_VALUE.example }],
          },
        ];
  });
}
