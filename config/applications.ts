import { ConfigReader, oneOf } from "./reader";

/** Applications that the program can deploy, and the namespaces that each makes. */
const APPLICATIONS = {
  "hello-world": ["hello-world"],
  emojivoto: ["emojivoto"],
  kuard: [],
  shop: ["shop-users", "shop-identity", "shop-web", "shop-ingress"],
} as const satisfies Record<string, readonly string[]>;

/** An application that the program can deploy. */
export type SampleApplication = keyof typeof APPLICATIONS;

const NAMES = Object.keys(APPLICATIONS) as SampleApplication[];

/** The namespaces that applications make. */
export function namespacesOf(applications: readonly SampleApplication[]): ReadonlySet<string> {
  return new Set(applications.flatMap((application): readonly string[] => APPLICATIONS[application]));
}

/** Key `sampleApplications`. A name that is repeated counts once. */
export function readSampleApplications(reader: ConfigReader): SampleApplication[] {
  const key = "sampleApplications";
  const application = oneOf(NAMES, "hello-world");
  const rule = `must be a list of ${NAMES.join(", ")}`;
  const names = reader.list(reader.json(key), key, rule, "", "hello-world");
  const known = names.filter((name, index): name is SampleApplication => {
    const allowed = application.allows(name);
    if (!allowed) {
      reader.invalid(`${key}[${index}]`, application.rule, name, application.example);
    }
    return allowed;
  });
  return [...new Set(known)];
}
