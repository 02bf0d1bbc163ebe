import { at, leaves, UNKNOWN } from "../known";
import { nameOf, type Resource, type Rule } from "../rule";

const CHART = /^kubernetes:helm\.sh\/v[34]:(Release|Chart)$/;

/** One version, and no range of them. */
const EXACT = /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

/** Charts and images have one version each, so that a deployment of the same commit is the same deployment. */
export const pinnedVersions: Rule = {
  name: "pinned-versions",
  description: "Charts and images must have one exact version.",
  enforcementLevel: "mandatory",
  properties: {},
  violations: (resource) =>
    (CHART.test(resource.type) ? chart(resource) : images(resource)).map(
      (found) => `${nameOf(resource)} ${found}`,
    ),
};

function chart({ props }: Resource): string[] {
  const { chart: name, version } = props;
  const isRemote = at(props, "repositoryOpts", "repo") !== undefined || String(name).startsWith("oci://");
  const floats = leaves(props.values).filter(
    ({ path, value }) => typeof value === "string" && floatsInValues(path.at(-1) ?? "", value),
  );
  return [
    ...(isRemote && version !== UNKNOWN && !isExact(version)
      ? [
          `installs chart ${String(name)} with version ${JSON.stringify(version ?? "")}; it must be one version such as ` +
            "2026.8.3. Set linkerd-mtls:linkerdVersion, certManagerVersion or trustManagerVersion.",
        ]
      : []),
    ...floats.map(
      ({ path, value }) =>
        `has ${String(value)} in its Helm values at ${path.join(".")}; an image must have a version. Set it in ` +
        "linkerd-mtls:values.",
    ),
  ];
}

function isExact(version: unknown): boolean {
  return typeof version === "string" && EXACT.test(version);
}

/** In values a repository often stands apart from its tag, so an image without one may be whole. */
function floatsInValues(key: string, value: string): boolean {
  return /^(tag|version|.*Version)$/.test(key) ? value === "latest" : value.endsWith(":latest");
}

function images({ type, props }: Resource): string[] {
  if (!type.startsWith("kubernetes:")) return [];
  return leaves(props)
    .filter(({ path, value }) => path.at(-1) === "image" && typeof value === "string" && isFloating(value))
    .map(
      ({ path, value }) =>
        `runs the image ${String(value)} (${path.join(".")}); it must have a tag other than latest, or a digest. Set it in ` +
        "the workload's podSpec.",
    );
}

/** Whether the image may be another one tomorrow: it has neither a digest nor a tag, or the tag latest. */
function isFloating(image: string): boolean {
  if (image.includes("@sha256:")) return false;
  // A colon before a slash is that of a port.
  const [, tag = "latest"] = /:([^/]+)$/.exec(image) ?? [];
  return tag === "latest";
}
