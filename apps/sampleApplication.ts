import { Mesh } from "../components";

/** Arguments of every sample application. */
export interface SampleApplicationArgs {
  readonly mesh: Mesh;
}
