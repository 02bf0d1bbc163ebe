import { RollSettings } from "../components";
import { COUNT, ROLL_PERCENT, rolledWorkloadProblems, unexpected } from "../components/rules";
import { checked, object, Place, value } from "./reading";

const readProperties = object({
  workloads: checked<RollSettings["workloads"]>(rolledWorkloadProblems),
  percent: value(ROLL_PERCENT),
  deadlineSeconds: value(COUNT),
});

/** Which workloads of others are rolled; no property where none are. */
export function readRolls(place: Place): Partial<RollSettings> | undefined {
  const rolls = readProperties(place);
  if (rolls !== undefined && rolls.workloads === undefined) {
    for (const [property, set] of Object.entries(rolls)) {
      if (set !== undefined) {
        place.report(unexpected(property, "must be set only with workloads", "is set"));
      }
    }
  }
  return rolls;
}
