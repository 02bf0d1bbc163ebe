import { isObject } from "../validation/problem";

const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----/g;

/** Base64, as a manifest has a Secret's data. */
const BASE64 = /[A-Za-z0-9+/]{64,}={0,2}/g;

/** What is there instead of a key. */
const REMOVED = "removed when the release was taken over";

/** A JSON value without the private keys in its texts, be they PEM or base64 of it, and how many there were. */
export function withoutKeys(json: unknown): { readonly value: unknown; readonly removed: number } {
  let removed = 0;
  const clean = (text: string): string =>
    text.replace(KEY, () => {
      removed++;
      return REMOVED;
    });
  const walk = (value: unknown): unknown => {
    if (typeof value === "string") {
      return clean(value).replace(BASE64, (encoded) => {
        const plain = Buffer.from(encoded, "base64").toString();
        const cleaned = clean(plain);
        return cleaned === plain ? encoded : Buffer.from(cleaned).toString("base64");
      });
    }
    if (Array.isArray(value)) {
      return value.map(walk);
    }
    return isObject(value)
      ? Object.fromEntries(Object.entries(value).map(([name, item]) => [name, walk(item)]))
      : value;
  };
  return { value: walk(json), removed };
}
