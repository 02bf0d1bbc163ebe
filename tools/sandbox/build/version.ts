/** Major, minor and patch of a version such as `v3.230.0` or `3.231.0-alpha.1`. */
const VERSION = /^v?(\d+)\.(\d+)\.(\d+)/;

/**
 * Whether a program of one version can be used where another one is asked for: it is the same or newer, of the same major
 * version.
 */
export function isUsable(installed: string, wanted: string): boolean {
  const [has, wants] = [installed, wanted].map((text) => VERSION.exec(text.trim())?.slice(1).map(Number));
  if (has === undefined || wants === undefined || has[0] !== wants[0]) return false;
  const different = wants.findIndex((number, index) => number !== has[index]);
  return different === -1 || (has[different] ?? 0) > (wants[different] ?? 0);
}
