import type { Measurement } from "./benchmark";

/** Tells the time since its creation, as minutes and seconds. */
export function clock(): () => string {
  const began = performance.now();
  return () => {
    const seconds = Math.floor((performance.now() - began) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };
}

/** One measurement in a line. */
export function describe({ case: { namespaces, readyDelaySeconds }, run, variant }: Measurement): string {
  const plural = namespaces === 1 ? "" : "s";
  return `${namespaces} namespace${plural}, pods ready after ${readyDelaySeconds} s, run ${run}, (${variant})`;
}
