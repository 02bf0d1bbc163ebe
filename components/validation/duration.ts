import { Rule } from "./rule";

const HOUR_SECONDS = 3600;
const MINUTE_SECONDS = 60;
const DAY_HOURS = 24;

/** The longest duration of Go, which counts nanoseconds in 64 bits. */
export const MAX_SECONDS = Math.floor(2 ** 63 / 1e9);

/** A duration in whole hours, minutes and seconds. */
export const DURATION: Rule<string> = {
  rule: 'must be a duration such as "48h", "90m" or "1h30m", up to 2562047h',
  example: "48h",
  allows: (value): value is string => typeof value === "string" && parseDuration(value) !== undefined,
};

/** Seconds of a duration that Go can read, in whole hours, minutes and seconds; undefined where it is none. */
export function parseDuration(text: string): number | undefined {
  const match = /^(?=\d)(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?$/.exec(text);
  if (match === null) {
    return undefined;
  }
  // A part that is absent is undefined, which the types do not say.
  const [hours = 0, minutes = 0, seconds = 0] = match
    .slice(1)
    .map((part) => Number((part as string | undefined) ?? 0));
  const sum = hours * HOUR_SECONDS + minutes * MINUTE_SECONDS + seconds;
  return sum <= MAX_SECONDS ? sum : undefined;
}

/**
 * A duration as Go prints it, `48h0m0s`. cert-manager's webhook rewrites others to it, and Pulumi would see a difference
 * for ever.
 */
export function formatDuration(seconds: number): string {
  const hours = Math.floor(seconds / HOUR_SECONDS);
  const minutes = Math.floor((seconds % HOUR_SECONDS) / MINUTE_SECONDS);
  return `${hours}h${minutes}m${seconds % MINUTE_SECONDS}s`;
}

/** A duration for people: `23h`, `1h30m`, `1440h (60 days)`. */
export function describeDuration(seconds: number): string {
  const short = formatDuration(seconds)
    .replace(/(?<=\D)0s$/, "")
    .replace(/(?<=\D)0m$/, "");
  const days = seconds / HOUR_SECONDS / DAY_HOURS;
  return days < 2 ? short : `${short} (${Number(days.toFixed(1))} days)`;
}
