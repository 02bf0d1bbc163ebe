import { isoTime } from "../../components/certificates/caRules";
import { EVENTS_MS, type IssuerInUse } from "../../components/controlPlane/issuerInUse";
import { type Check, check } from "./model";
import type { Snapshot } from "./snapshot";

const WHAT = "identity uses the issuer in the Secret";

/** Identity keeps its old issuer where the new one does not fit, or where it has not read it, until that one ends. */
export function checkIssuerInUse({ issuerInUse, issuerEvents, now }: Snapshot): Check {
  const refused = refusal(issuerEvents);
  if (issuerInUse === undefined) {
    return { ...check(WHAT, refused, "issuer"), note: "by its last event" };
  }
  const { replicas, unproven, others, written } = issuerInUse;
  const keeping = Object.entries(others).map(
    ([name, end]) => `Pod ${name} uses an issuer that ends on ${isoTime(end)}`,
  );
  const idle = replicas === 0 ? ["no pod of identity runs"] : [];
  const certain = [...refused, ...keeping, ...idle];
  if (certain.length > 0) return check(WHAT, certain, "issuer");
  if (unproven.length === 0) return { check: WHAT, result: "ok", note: replicasIn(issuerInUse) };
  const since = `since ${isoTime(written)}, when it was written`;
  return now.getTime() - written.getTime() > EVENTS_MS
    ? {
        check: WHAT,
        result: "skipped",
        note: `${unproven.join(", ")}: neither metrics nor events tell whether it is used ${since}`,
      }
    : check(
        WHAT,
        unproven.map((name) => `Pod ${name} has not reported it (IssuerUpdated) ${since}`),
        "issuer",
        "warning",
      );
}

function replicasIn({ replicas }: IssuerInUse): string {
  return `${replicas} ${replicas === 1 ? "replica" : "replicas"}`;
}

/** What identity said in its last event about an issuer, if it refused one. */
function refusal(events: Snapshot["issuerEvents"]): string[] {
  const time = ({ lastTimestamp, eventTime }: Snapshot["issuerEvents"][number]): number =>
    (lastTimestamp ?? eventTime)?.getTime() ?? 0;
  const last = [...events].sort((a, b) => time(b) - time(a))[0];
  return last?.reason === "IssuerUpdateSkipped" ? [`IssuerUpdateSkipped: ${last.message ?? ""}`] : [];
}
