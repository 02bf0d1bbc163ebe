import { isoTime } from "../../components/certificates/caRules";
import { isNearEnd, type Validity } from "../../components/pki/expiry";
import type { Result } from "./model";

const DAY_MS = 24 * 60 * 60 * 1000;

/** How long after cert-manager should have renewed it a certificate is overdue. */
const GRACE_MS = 10 * 60 * 1000;

/** How long a certificate is valid. */
export interface Life {
  readonly result: Exclude<Result, "skipped">;
  /** E.g. `until 2027-01-01T00:00:00Z, 81% of 365 days left`. */
  readonly description: string;
}

/** @param renewal When cert-manager renews it; then only an overdue renewal is a warning. */
export function lifeOf({ notBefore, notAfter }: Validity, now: Date, renewal?: Date): Life {
  const lifetime = notAfter.getTime() - notBefore.getTime();
  const left = notAfter.getTime() - now.getTime();
  if (left <= 0) {
    return { result: "error", description: `expired on ${isoTime(notAfter)}` };
  }
  if (notBefore > now) {
    return { result: "error", description: `not valid before ${isoTime(notBefore)}` };
  }
  const share = `until ${isoTime(notAfter)}, ${Math.floor((100 * left) / lifetime)}% of ${describeSpan(lifetime)} left`;
  if (renewal !== undefined) {
    return now.getTime() - renewal.getTime() > GRACE_MS
      ? {
          result: "warning",
          description: `${share}, and cert-manager has not renewed it on ${isoTime(renewal)}`,
        }
      : { result: "ok", description: `${share}, to be renewed on ${isoTime(renewal)}` };
  }
  return { result: isNearEnd({ notBefore, notAfter }, now) ? "warning" : "ok", description: share };
}

/** A span of time in words. */
export function describeSpan(ms: number): string {
  return ms < 2 * DAY_MS ? `${Math.round((24 * ms) / DAY_MS)} hours` : `${Math.round(ms / DAY_MS)} days`;
}
