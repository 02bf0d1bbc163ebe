import * as pulumi from "@pulumi/pulumi";

import { sha256 } from "../certificates/pem";
import { WebhookTrust } from "../pki/webhookCertificates";
import { ClusterAccess } from "../cluster/client";
import { helmRelease, RELEASE_TIMEOUT_SECONDS } from "../cluster/helmRelease";
import { rolloutGate } from "../cluster/rolloutGate";
import { checkHelmValues, HelmValues, mergeValues } from "../cluster/helmValues";
import { MAX_SECONDS } from "../validation/duration";
import { throwInputProblems } from "../validation/inputProblems";
import { check } from "../validation/problem";
import { Rule, wholeNumber } from "../validation/rule";
import { CONTROL_PLANE_RULES } from "./chartRules";
import { ControlPlaneSettings } from "./settings";
import { handBackHook } from "../trustManager/trustRoots";
import { ControlPlaneWebhook, controlPlaneValues } from "./values";
import { chartReference, ChartSource, DEFAULT_CHART_SOURCE } from "./version";

/** Default of {@link LinkerdControlPlaneArgs.issuanceLifetime}: a day. */
export const DEFAULT_ISSUANCE_LIFETIME = 86_400;

/** Arguments of {@link LinkerdControlPlane}. */
export interface LinkerdControlPlaneArgs {
  /** Linkerd's namespace. */
  readonly namespace: pulumi.Input<string>;
  /** Where the chart comes from. Default: the default release from Linkerd's repository. */
  readonly charts?: ChartSource;
  /** PEMs of all trust anchors. */
  readonly trustBundlePem: pulumi.Input<string>;
  /** Trust domain. */
  readonly trustDomain: string;
  /** Validity of the proxies' certificates, in seconds. Default a day. */
  readonly issuanceLifetime?: number;
  /** How the API server comes to trust the three webhooks, by Service. */
  readonly webhookTrust: Readonly<Record<ControlPlaneWebhook, pulumi.Input<WebhookTrust>>>;
  /** Whether the cluster has Linkerd's CNI plugin. Default false: an init container redirects each pod's traffic. */
  readonly cniEnabled?: boolean;
  /**
   * Whether the ConfigMap `linkerd-identity-trust-roots` is made by others, e.g. `TrustManagerBundle`, which then must be
   * in `dependsOn`. Default false: the chart makes it.
   */
  readonly externalTrustRoots?: boolean;
  /** What is chosen for the cluster. Default: everything as the chart has it. */
  readonly settings?: ControlPlaneSettings;
  /**
   * Further values of the chart, e.g. `{ proxy: { logLevel: "warn" } }`. They win over those of `highAvailability` and
   * `imageRegistry` in `settings`; values that another argument sets, and certificates, are refused.
   */
  readonly values?: HelmValues;
  /** The cluster, the same as the Kubernetes provider's. */
  readonly cluster: ClusterAccess;
}

/** Shortest life of a proxy's certificate, in seconds; the proxy asks for the next one at 70% of it. */
const MIN_ISSUANCE_LIFETIME = 60;

/** Rule of {@link LinkerdControlPlaneArgs.issuanceLifetime}. Go reads no longer one. */
export const ISSUANCE_LIFETIME_SECONDS: Rule<number> = {
  rule: `must be a whole number of seconds, ${MIN_ISSUANCE_LIFETIME} to ${MAX_SECONDS}`,
  example: String(DEFAULT_ISSUANCE_LIFETIME),
  allows: (value): value is number =>
    wholeNumber(MIN_ISSUANCE_LIFETIME).allows(value) && value <= MAX_SECONDS,
};

/**
 * Linkerd's control plane, the Helm release `linkerd-control-plane`. It mounts four Secrets of its namespace, all of type
 * kubernetes.io/tls: `linkerd-identity-issuer`, as `IdentityIssuer` writes it, and
 * `linkerd-{proxy-injector,sp-validator,policy-validator}-k8s-tls`, as `WebhookCertificates` does. Their names are fixed
 * in the chart and do not flow in as outputs: name what writes them in `dependsOn`.
 */
export class LinkerdControlPlane extends pulumi.ComponentResource {
  /** Version of the chart that is installed. */
  public readonly chartVersion: pulumi.Output<string>;
  /** SHA-256 over the chart, its installed version and its values: it changes when the control plane does. */
  public readonly digest: pulumi.Output<string>;

  public constructor(name: string, args: LinkerdControlPlaneArgs, opts?: pulumi.ComponentResourceOptions) {
    super("linkerd-mtls:index:LinkerdControlPlane", name, {}, opts);

    const { charts = {} } = args;
    const source = charts.source ?? DEFAULT_CHART_SOURCE;
    throwInputProblems(
      `LinkerdControlPlane ${name}`,
      check("issuanceLifetime", args.issuanceLifetime, ISSUANCE_LIFETIME_SECONDS),
    );
    checkHelmValues(`LinkerdControlPlane ${name}`, CONTROL_PLANE_RULES, source, args.values);
    const chart = chartReference(charts, "linkerd-control-plane");
    const values = pulumi
      .all([args.trustBundlePem, args.webhookTrust])
      .apply(([trustBundlePem, webhookTrust]) =>
        mergeValues(
          controlPlaneValues({
            trustBundlePem,
            webhookTrust,
            trustDomain: args.trustDomain,
            issuanceLifetime: args.issuanceLifetime ?? DEFAULT_ISSUANCE_LIFETIME,
            cniEnabled: args.cniEnabled ?? false,
            externalTrustRoots: args.externalTrustRoots,
            settings: args.settings,
          }),
          args.values,
        ),
      );
    const { cluster, externalTrustRoots = false } = args;
    const handBack = externalTrustRoots ? undefined : handBackHook(`${name}-trust-roots`, cluster);
    const release = helmRelease(
      `${name}-release`,
      // The gate below waits for its Deployments.
      { ...chart, name: "linkerd-control-plane", namespace: args.namespace, values, skipAwait: true },
      cluster,
      { parent: this, hooks: handBack && [handBack] },
    );

    this.chartVersion = release.status.version;
    // A chart in a directory says nothing of its version before it is installed.
    this.digest = pulumi.jsonStringify({ chart, values, version: this.chartVersion }).apply(sha256);
    rolloutGate(
      `${name}-rolled-out`,
      {
        namespace: args.namespace,
        selector: "linkerd.io/control-plane-component",
        digest: this.digest,
        deadlineSeconds: RELEASE_TIMEOUT_SECONDS,
        cluster,
      },
      { parent: this, dependsOn: release },
    );
    this.registerOutputs({ chartVersion: this.chartVersion, digest: this.digest });
  }
}
