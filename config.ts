import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";

import * as pulumi from "@pulumi/pulumi";

import {
  ChartSource,
  ClusterAccess,
  DEFAULT_CHART_SOURCE,
  DEFAULT_GATE_DEADLINE_SECONDS,
  DEFAULT_LINKERD_VERSION,
  GUARD_MODES,
  GuardMode,
  isChartDirectory,
  isLinkerdVersion,
  IssuanceArgs,
  ProvidedIssuer,
} from "./components";

const NAMESPACE = "linkerd-mtls";

/** Applications that the program can deploy. */
const SAMPLE_APPLICATIONS = ["hello-world"] as const;
export type SampleApplication = (typeof SAMPLE_APPLICATIONS)[number];

/** One trust anchor. */
export interface TrustAnchorConfig extends IssuanceArgs {
  /** Goes into resource names, so that adding or removing an anchor renames no other. */
  readonly id: string;
  /** PEM of an anchor whose key is kept elsewhere. */
  readonly certificate?: string;
}

/** A stack's configuration, checked. Every key is described in docs/configuration.md. */
export interface StackConfig {
  readonly charts: ChartSource;
  readonly trustDomain: string;
  /** In the order of the trust bundle. */
  readonly trustAnchors: readonly TrustAnchorConfig[];
  /** id of the anchor that signs the issuer. */
  readonly signingAnchor: string;
  readonly issuer: IssuanceArgs;
  /** The issuer, where it is not generated. Its key is a secret. */
  readonly providedIssuer?: ProvidedIssuer;
  readonly webhookCertificates: IssuanceArgs;
  readonly guardMode: GuardMode;
  readonly gateDeadlineSeconds: number;
  readonly sampleApplications: readonly SampleApplication[];
  readonly cluster: ClusterAccess;
}

/** Reads and checks the whole configuration; throws one error that names everything wrong with it. */
export function readConfig(): StackConfig {
  const reader = new ConfigReader();
  const config = reader.read();
  reader.throwProblems();
  return config;
}

type Properties = Readonly<Record<string, unknown>>;

const KEYS = [
  "linkerdVersion",
  "chartSource",
  "trustDomain",
  "certificates",
  "trustAnchors",
  "signingAnchor",
  "issuer",
  "issuerCertificate",
  "issuerKey",
  "webhookCertificates",
  "guardMode",
  "gateDeadlineSeconds",
  "sampleApplications",
] as const;
type Key = (typeof KEYS)[number];

const LABEL = "[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?";
const DNS_LABEL = new RegExp(`^${LABEL}$`);
const DNS_NAME = new RegExp(`^${LABEL}(\\.${LABEL})*$`);

class ConfigReader {
  private readonly config = new pulumi.Config(NAMESPACE);
  private readonly problems: string[] = [];

  public read(): StackConfig {
    this.checkKeys();
    const provided = this.oneOf("certificates", ["generated", "provided"], "generated") === "provided";
    const trustAnchors = this.trustAnchors(provided);
    return {
      charts: { version: this.linkerdVersion(), source: this.chartSource() },
      trustDomain: this.trustDomain(),
      trustAnchors,
      signingAnchor: this.signingAnchor(trustAnchors, provided),
      issuer: this.issuance("issuer", provided),
      providedIssuer: this.providedIssuer(provided),
      webhookCertificates: this.issuance("webhookCertificates"),
      guardMode: this.oneOf("guardMode", GUARD_MODES, "deny"),
      gateDeadlineSeconds: this.gateDeadlineSeconds(),
      sampleApplications: this.sampleApplications(),
      cluster: this.cluster(),
    };
  }

  public throwProblems(): void {
    if (this.problems.length > 0) {
      const count = this.problems.length === 1 ? "a problem" : `${this.problems.length} problems`;
      throw new pulumi.RunError(
        `The configuration of stack ${pulumi.getStack()} has ${count}:\n\n${this.problems.join("\n\n")}\n`,
      );
    }
  }

  /** Notes a problem: the key, its rule, what was found, and the command that mends it. */
  private problem(key: string, rule: string, found: string, mend: string): void {
    this.problems.push(`${key} ${rule}, but ${found}\n    ${mend}`);
  }

  private mend(key: string, value: string): string {
    return key.includes("[") || key.includes(".")
      ? `pulumi config set --path '${NAMESPACE}:${key}' ${value}`
      : `pulumi config set ${NAMESPACE}:${key} ${value}`;
  }

  private invalid(key: string, rule: string, value: unknown, example: string): void {
    this.problem(`${NAMESPACE}:${key}`, rule, `is ${describe(value)}`, this.mend(key, example));
  }

  /** A key's text; an empty one counts as absent, for it is the default of the keys that may be absent. */
  private text(key: Key): string | undefined {
    const text = this.config.get(key);
    return text === "" ? undefined : text;
  }

  private json(key: Key): unknown {
    const text = this.text(key);
    if (text === undefined) {
      return undefined;
    }
    try {
      return JSON.parse(text);
    } catch {
      return text;
    }
  }

  private checkKeys(): void {
    for (const fullKey of Object.keys(pulumi.runtime.allConfig())) {
      const [namespace, key] = fullKey.split(":", 2);
      if (namespace === NAMESPACE && !KEYS.some((known) => known === key)) {
        this.problem(
          fullKey,
          `must be one of ${KEYS.join(", ")}`,
          "is unknown",
          `pulumi config rm ${fullKey}`,
        );
      }
    }
  }

  private oneOf<T extends string>(key: Key, allowed: readonly T[], byDefault: T): T {
    const text = this.text(key) ?? byDefault;
    const value = allowed.find((candidate) => candidate === text);
    if (value === undefined) {
      this.invalid(key, `must be one of ${allowed.join(", ")}`, text, byDefault);
    }
    return value ?? byDefault;
  }

  private linkerdVersion(): ChartSource["version"] {
    const version = this.text("linkerdVersion") ?? DEFAULT_LINKERD_VERSION;
    if (isLinkerdVersion(version)) {
      return version;
    }
    this.invalid("linkerdVersion", "must be edge-<year>.<month>.<number>", version, DEFAULT_LINKERD_VERSION);
    return undefined;
  }

  private chartSource(): string {
    const source = this.text("chartSource") ?? DEFAULT_CHART_SOURCE;
    if (isChartDirectory(source)) {
      for (const chart of ["linkerd-crds", "linkerd-control-plane"]) {
        if (!existsSync(join(source, chart, "Chart.yaml"))) {
          const rule = `must hold the chart ${chart} where it is a directory`;
          this.problem(
            `${NAMESPACE}:chartSource`,
            rule,
            `${join(source, chart, "Chart.yaml")} does not exist`,
            this.mend("chartSource", DEFAULT_CHART_SOURCE),
          );
        }
      }
    } else if (!/^(https|oci):\/\/[^/]/.test(source)) {
      this.invalid(
        "chartSource",
        "must be an https:// repository, an oci:// registry or a directory",
        source,
        DEFAULT_CHART_SOURCE,
      );
    }
    return source;
  }

  private trustDomain(): string {
    const domain = this.text("trustDomain") ?? "cluster.local";
    if (!DNS_NAME.test(domain)) {
      this.invalid("trustDomain", "must be a DNS name in lower case", domain, "cluster.local");
    }
    return domain;
  }

  private trustAnchors(provided: boolean): TrustAnchorConfig[] {
    const anchors = this.json("trustAnchors") ?? [{ id: "primary" }];
    if (!Array.isArray(anchors) || anchors.length === 0) {
      this.problem(
        `${NAMESPACE}:trustAnchors`,
        "must be a list of at least one anchor",
        `is ${describe(anchors)}`,
        this.mend("trustAnchors[0].id", "primary"),
      );
      return [];
    }
    const ids = new Set<string>();
    return anchors.map((anchor: unknown, index) => {
      const checked = this.trustAnchor(anchor, `trustAnchors[${index}]`, provided);
      if (ids.has(checked.id)) {
        this.invalid(`trustAnchors[${index}].id`, "must be unique", checked.id, `${checked.id}-${index}`);
      }
      ids.add(checked.id);
      return checked;
    });
  }

  private trustAnchor(value: unknown, key: string, provided: boolean): TrustAnchorConfig {
    const anchor = this.object(value, key, ["id", "generation", "validityHours", "certificate"]);
    if (anchor === undefined) {
      return { id: key };
    }
    const { id, certificate } = anchor;
    const validId = typeof id === "string" && DNS_LABEL.test(id);
    if (!validId) {
      this.invalid(`${key}.id`, "must be a DNS label, as a string", id, "primary");
    }
    if (certificate !== undefined) {
      this.checkCa(`${key}.certificate`, certificate, "ca.crt");
      this.refuseIssuance(anchor, key, "the certificate is given");
    } else if (provided) {
      const rule = "must be set with certificates=provided";
      this.problem(
        `${NAMESPACE}:${key}.certificate`,
        rule,
        "is missing",
        this.mend(`${key}.certificate`, "< ca.crt"),
      );
    }
    return {
      id: validId ? id : key,
      certificate: typeof certificate === "string" ? certificate : undefined,
      generation: this.count(anchor, key, "generation"),
      validityHours: this.count(anchor, key, "validityHours"),
    };
  }

  private signingAnchor(anchors: readonly TrustAnchorConfig[], provided: boolean): string {
    const chosen = this.text("signingAnchor") ?? (anchors.length === 1 ? anchors[0]?.id : undefined);
    const anchor = anchors.find(({ id }) => id === chosen);
    const ids = anchors.map(({ id }) => id).join(", ");
    if (anchor === undefined && (chosen !== undefined || !provided)) {
      if (anchors.length > 0) {
        this.invalid(
          "signingAnchor",
          `must be one of the trust anchors (${ids})`,
          chosen,
          anchors[0]?.id ?? "",
        );
      }
    } else if (anchor?.certificate !== undefined && !provided) {
      this.invalid(
        "signingAnchor",
        "must be an anchor without a certificate, whose key is here",
        chosen,
        "<id>",
      );
    }
    return chosen ?? "";
  }

  private issuance(key: "issuer" | "webhookCertificates", provided = false): IssuanceArgs {
    const object = this.object(this.json(key) ?? {}, key, ["generation", "validityHours"]) ?? {};
    if (provided) {
      this.refuseIssuance(object, key, "certificates=provided");
    }
    return {
      generation: this.count(object, key, "generation"),
      validityHours: this.count(object, key, "validityHours"),
    };
  }

  private refuseIssuance(object: Properties, key: string, reason: string): void {
    for (const property of ["generation", "validityHours"]) {
      if (object[property] !== undefined) {
        this.problem(
          `${NAMESPACE}:${key}.${property}`,
          `must not be set where ${reason}`,
          `is ${describe(object[property])}`,
          `pulumi config rm --path '${NAMESPACE}:${key}.${property}'`,
        );
      }
    }
  }

  private providedIssuer(provided: boolean): ProvidedIssuer | undefined {
    const certificate = this.text("issuerCertificate");
    const key = this.text("issuerKey");
    if (!provided) {
      for (const [name, value] of Object.entries({ issuerCertificate: certificate, issuerKey: key })) {
        if (value !== undefined) {
          const fullKey = `${NAMESPACE}:${name}`;
          this.problem(
            fullKey,
            "must be set only with certificates=provided",
            "is set",
            `pulumi config rm ${fullKey}`,
          );
        }
      }
      return undefined;
    }

    const rule = "must be set with certificates=provided";
    const setKey = `pulumi config set --secret ${NAMESPACE}:issuerKey < issuer.key`;
    if (certificate === undefined) {
      const setCertificate = this.mend("issuerCertificate", "< issuer.crt");
      this.problem(`${NAMESPACE}:issuerCertificate`, rule, "is missing", setCertificate);
    }
    if (key === undefined) {
      this.problem(`${NAMESPACE}:issuerKey`, rule, "is missing", setKey);
    } else if (!isConfigSecret(`${NAMESPACE}:issuerKey`)) {
      this.problem(`${NAMESPACE}:issuerKey`, "must be a secret", "is in plaintext", setKey);
    }
    const issuer = certificate && this.checkCa("issuerCertificate", certificate, "issuer.crt");
    if (issuer && key !== undefined) {
      const found = keyProblem(issuer, key);
      if (found !== undefined) {
        this.problem(
          `${NAMESPACE}:issuerKey`,
          "must be the PEM of the issuer certificate's private key",
          found,
          setKey,
        );
      }
    }
    const privateKey = this.config.getSecret("issuerKey");
    return certificate !== undefined && privateKey !== undefined ? { certificate, privateKey } : undefined;
  }

  private checkCa(key: string, value: unknown, file: string): X509Certificate | undefined {
    const complain = (found: string): void => {
      const rule = "must be the PEM of one CA certificate";
      this.problem(`${NAMESPACE}:${key}`, rule, found, this.mend(key, `< ${file}`));
    };
    if (typeof value !== "string" || (value.match(/-----BEGIN /g) ?? []).length !== 1) {
      complain("holds none, or several PEM blocks");
      return undefined;
    }
    try {
      const certificate = new X509Certificate(value);
      if (!certificate.ca) {
        complain("the certificate is not a CA (basic constraints)");
      }
      return certificate;
    } catch {
      complain("it cannot be parsed");
      return undefined;
    }
  }

  private gateDeadlineSeconds(): number {
    const value = this.json("gateDeadlineSeconds") ?? DEFAULT_GATE_DEADLINE_SECONDS;
    if (isCount(value)) {
      return value;
    }
    const example = String(DEFAULT_GATE_DEADLINE_SECONDS);
    this.invalid("gateDeadlineSeconds", "must be a whole number of seconds, 1 or more", value, example);
    return DEFAULT_GATE_DEADLINE_SECONDS;
  }

  private sampleApplications(): SampleApplication[] {
    const key = "sampleApplications";
    const rule = `must be a list of ${SAMPLE_APPLICATIONS.join(", ")}`;
    const names = this.json(key) ?? [];
    if (!Array.isArray(names)) {
      this.problem(
        `${NAMESPACE}:${key}`,
        rule,
        `is ${describe(names)}`,
        this.mend(`${key}[0]`, SAMPLE_APPLICATIONS[0]),
      );
      return [];
    }
    const applications = names.map((name: unknown, index) => {
      const application = SAMPLE_APPLICATIONS.find((known) => known === name);
      if (application === undefined) {
        this.invalid(
          `${key}[${index}]`,
          `must be one of ${SAMPLE_APPLICATIONS.join(", ")}`,
          name,
          "hello-world",
        );
      }
      return application;
    });
    return [...new Set(applications.filter((application) => application !== undefined))];
  }

  /** The gate has a client of its own, which must ask the same cluster as the Kubernetes provider changes. */
  private cluster(): ClusterAccess {
    const kubernetes = new pulumi.Config("kubernetes");
    if (kubernetes.get("cluster") !== undefined) {
      this.problem(
        "kubernetes:cluster",
        "must not be set (the injection gate follows kubernetes:kubeconfig and kubernetes:context)",
        "is set",
        "pulumi config rm kubernetes:cluster && pulumi config set kubernetes:context <context>",
      );
    }
    return { kubeconfig: kubernetes.get("kubeconfig"), context: kubernetes.get("context") };
  }

  private object(value: unknown, key: string, known: readonly string[]): Properties | undefined {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      this.problem(
        `${NAMESPACE}:${key}`,
        `must be an object of ${known.join(", ")}`,
        `is ${describe(value)}`,
        this.mend(`${key}.${known[0] ?? ""}`, "<value>"),
      );
      return undefined;
    }
    for (const property of Object.keys(value)) {
      if (!known.includes(property)) {
        this.problem(
          `${NAMESPACE}:${key}.${property}`,
          `must be one of ${known.join(", ")}`,
          "is unknown",
          `pulumi config rm --path '${NAMESPACE}:${key}.${property}'`,
        );
      }
    }
    return { ...value };
  }

  private count(
    object: Properties,
    key: string,
    property: "generation" | "validityHours",
  ): number | undefined {
    const value = object[property];
    if (value === undefined || isCount(value)) {
      return value;
    }
    this.invalid(`${key}.${property}`, "must be a whole number, 1 or more", value, "1");
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1;
}

/** What was found, for an error. PEM blocks are not repeated: one may be a key in the wrong place. */
function describe(value: unknown): string {
  if (value === undefined) {
    return "missing";
  }
  const text = JSON.stringify(value);
  return text.includes("-----BEGIN") ? "a PEM block" : text;
}

function keyProblem(certificate: X509Certificate, keyPem: string): string | undefined {
  try {
    return certificate.checkPrivateKey(createPrivateKey(keyPem))
      ? undefined
      : "belongs to another certificate";
  } catch {
    // The message might quote the key.
    return "it cannot be parsed";
  }
}

/** The SDK knows it, but its types hide it as internal. */
function isConfigSecret(key: string): boolean {
  const runtime = pulumi.runtime as unknown as { isConfigSecret(key: string): boolean };
  return runtime.isConfigSecret(key);
}
