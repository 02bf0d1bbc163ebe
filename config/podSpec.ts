import * as k8s from "@pulumi/kubernetes";

import { isObject, Problem, Properties, text } from "../components/rules";
import { Place, requiredText } from "./reading";

type PodSpec = k8s.types.input.core.v1.PodSpec;

const CONTAINER_NAME = text("must be the container's name", /./, "<name>");
const IMAGE = text("must be the container's image", /./, "<image>");

/** A pod's specification. Checks what the mesh relies on; the rest is the API server's to check. */
export function readPodSpec(place: Place): PodSpec {
  const { containers, initContainers }: Properties = isObject(place.value) ? place.value : {};
  if (!Array.isArray(containers) || containers.length === 0) {
    place.report(withoutContainer(place.value, containers));
    return { containers: [] };
  }
  for (const [property, list] of Object.entries({ containers, initContainers })) {
    for (const index of Array.isArray(list) ? list.keys() : []) {
      checkContainer(place.at(property).at(`[${index}]`));
    }
  }
  // Of its form only the containers are checked.
  return place.value as PodSpec;
}

function withoutContainer(podSpec: unknown, containers: unknown): Problem {
  // In words: it may be a secret.
  const found = containers === undefined ? "missing" : Array.isArray(containers) ? "[]" : "no list";
  return {
    path: "",
    ...(isObject(podSpec)
      ? { rule: "must have at least one container", found: `containers is ${found}` }
      : { rule: "must be a pod's specification with at least one container", found: { value: podSpec } }),
    fixes: [
      { set: "containers[0].name", to: CONTAINER_NAME.example },
      { set: "containers[0].image", to: IMAGE.example },
    ],
  };
}

function checkContainer(container: Place): void {
  requiredText(CONTAINER_NAME)(container.at("name"));
  requiredText(IMAGE)(container.at("image"));
}
