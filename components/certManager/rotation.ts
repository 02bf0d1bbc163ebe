import { describeDuration, DURATION, formatDuration, parseDuration } from "../validation/duration";
import { Problem } from "../validation/problem";

/** When cert-manager reissues a certificate. Durations are in hours, minutes and seconds, e.g. `48h`. */
export interface Rotation {
  /** Validity of each certificate. */
  readonly duration: string;
  /** How long before its end the next one is issued. */
  readonly renewBefore: string;
}

/** What a rotation must leave room for. */
export interface RotationLimits {
  /** The certificate must outlive what it signs: the longest validity of that, in seconds, and what it is. */
  readonly signs?: { readonly seconds: number; readonly what: string };
  /** Its signer's validity, in seconds, and what that is. */
  readonly signedBy?: { readonly seconds: number; readonly what: string };
}

/** cert-manager's own minima, in seconds. */
const MIN_DURATION = 3600;
const MIN_RENEW_BEFORE = 300;

/** A renewal before a quarter of the validity is a mistake: 8760h and 7320h renew after 60 days, not 60 days before. */
const EARLIEST = 0.25;
/** A fiftieth of the validity is a week in a year: less leaves no time to notice that renewals fail. */
const LATEST = 0.02;
/** What an issuer is valid for beyond what it signs, in seconds. */
const MARGIN = 3600;

/** Every rule that a rotation breaks; of several that depend on each other, the first. `paths`: of its two properties. */
export function rotationProblems(
  rotation: Rotation,
  limits: RotationLimits = {},
  paths: Rotation = { duration: "duration", renewBefore: "renewBefore" },
): Problem[] {
  const duration = parseDuration(rotation.duration);
  const renewBefore = parseDuration(rotation.renewBefore);
  const problem = (property: keyof Rotation, rule: string, example: number, found = ""): Problem => ({
    path: paths[property],
    rule,
    found: `is ${JSON.stringify(rotation[property])}${found}`,
    fixes: [{ set: paths[property], to: describeDuration(example).replace(/ .*/, "") }],
  });
  if (duration === undefined || duration < MIN_DURATION) {
    const rule =
      duration === undefined ? DURATION.rule : "must be 1h or more, which is cert-manager's minimum";
    return [problem("duration", rule, 48 * MIN_DURATION)];
  }
  const problems: Problem[] = [];
  const { signs, signedBy } = limits;
  if (signs !== undefined && duration < signs.seconds + MARGIN) {
    const least = signs.seconds + MARGIN;
    const rule = `must be ${describeDuration(least)} or more, an hour beyond ${signs.what}`;
    problems.push(problem("duration", rule, 2 * least));
  }
  if (signedBy !== undefined && duration > signedBy.seconds) {
    const rule = `must be at most ${describeDuration(signedBy.seconds)}, ${signedBy.what}`;
    problems.push(problem("duration", rule, signedBy.seconds));
  }
  const half = Math.floor(duration / 2);
  if (renewBefore === undefined) {
    problems.push(problem("renewBefore", DURATION.rule, half));
  } else if (renewBefore < MIN_RENEW_BEFORE) {
    problems.push(problem("renewBefore", "must be 5m or more, which is cert-manager's minimum", half));
  } else if (renewBefore >= duration) {
    const rule = `must be less than duration (${describeDuration(duration)})`;
    problems.push(problem("renewBefore", rule, half));
  } else {
    const window =
      `: each certificate would be renewed ${describeDuration(duration - renewBefore)} after its issue, ` +
      `${describeDuration(renewBefore)} before its end`;
    if (duration - renewBefore < EARLIEST * duration) {
      const rule = `must be at most three quarters of duration (${describeDuration(duration)})`;
      problems.push(problem("renewBefore", rule, half, window));
    } else if (renewBefore < LATEST * duration) {
      const rule = `must be at least a fiftieth of duration (${describeDuration(duration)})`;
      problems.push(problem("renewBefore", rule, half, window));
    }
  }
  return problems;
}

/** The two fields of a Certificate that say when it is renewed; the rotation has been checked. */
export function renewal({ duration, renewBefore }: Rotation): Rotation {
  const canonical = (text: string): string => formatDuration(parseDuration(text) ?? 0);
  return { duration: canonical(duration), renewBefore: canonical(renewBefore) };
}
