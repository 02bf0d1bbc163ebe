/** How urgent an alert is: look at it in the next days, or now. */
export type Severity = "warning" | "critical";

/** A rule that raises an alert. https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ */
export interface AlertRule {
  readonly alert: string;
  /** PromQL; each series of its result is one alert. */
  readonly expr: string;
  /** How long the result must last, as Prometheus writes durations. Default: it need not. */
  readonly for?: string;
  readonly labels: { readonly severity: Severity };
  readonly annotations: {
    readonly summary: string;
    readonly description: string;
    /** Section of the runbook. */
    readonly runbook_url: string;
  };
}

/** A rule that writes a series, which alerts and the dashboard read. */
export interface RecordingRule {
  readonly record: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Rules that are evaluated together, in their order. */
export interface RuleGroup {
  readonly name: string;
  readonly rules: readonly (AlertRule | RecordingRule)[];
}

/** What an alert says, without where its runbook is. */
export interface AlertText {
  /** Name of the alert, and heading of its section in the runbook. */
  readonly alert: string;
  readonly summary: string;
  /** May have Prometheus' templates, e.g. `{{ $labels.pod }}`. */
  readonly description: string;
}

/** Makes rules whose alerts link to one runbook. */
export class Alerts {
  /** `runbookUrl`: of the page that has a section for each alert. */
  public constructor(private readonly runbookUrl: string) {}

  /** One rule. `lasts`: how long the result must last, empty for at once; default two minutes, a few scrapes. */
  public rule(
    { alert, summary, description }: AlertText,
    severity: Severity,
    expr: string,
    lasts = "2m",
  ): AlertRule {
    const runbook = `${this.runbookUrl}#${alert.toLowerCase()}`;
    return {
      alert,
      expr,
      ...(lasts !== "" && { for: lasts }),
      labels: { severity },
      annotations: { summary, description, runbook_url: runbook },
    };
  }

  /** Two rules for what is left, in seconds: a warning, and later a critical alert too. */
  public left(text: AlertText, left: string, { warning, critical }: Thresholds): AlertRule[] {
    // Alertmanager's usual configuration mutes the warning while there is a critical alert of the same name.
    return [
      this.rule(text, "warning", `${left} < ${warning}`),
      this.rule(text, "critical", `${left} < ${critical}`),
    ];
  }
}

/** When to alert of what is left, in seconds or as PromQL. */
export interface Thresholds {
  readonly warning: number | string;
  readonly critical: number | string;
}

/**
 * Series of a counter that have grown within a window. A counter of events exists from its first event on, with the value 1,
 * which `increase` does not see.
 */
export function grown(counter: string, window: string): string {
  return `(increase(${counter}[${window}]) > 0 or (${counter} unless ${counter} offset ${window}) > 0)`;
}
