import type { CoreV1Api, V1Secret } from "@kubernetes/client-node";
import * as pulumi from "@pulumi/pulumi";

import { claimForHelm } from "./cliObjects";
import { connect } from "./client";
import { decodeRecord, encodeRecord, ReleaseLocation } from "./helmRecords";
import { withoutKeys } from "./withoutKeys";

/** How long the API server may take for each answer about Helm's records. */
const TIMEOUT_MS = 30_000;

/** Label of the record that this program has continued; Helm keeps it. */
const TAKEN_OVER = "linkerd-mtls/taken-over";

/** What Helm says of a release that `helm uninstall --keep-history` has removed, and that `helm install --replace` goes on from. */
const UNINSTALLED = "uninstalled";

/** A record that the release can be continued from as it is. */
const CONTINUABLE: readonly string[] = [UNINSTALLED, "failed"];

/** Says why a release is left as it is, as opposed to a question that was not answered. */
export class ReleaseRefusal extends Error {}

/** A record of Helm with all that is in it. */
interface WholeRecord {
  readonly secret: V1Secret;
  readonly revision: number;
  readonly status: string;
}

/**
 * Lets Helm install a release over one of others, so that its record goes on with the next revision: marks the last
 * record of others as that of a release that was uninstalled and keeps its history. The objects stay as they are, and
 * Helm takes them over. Where Helm has no record, the objects are those of Linkerd's command-line tool, and become the
 * release's. Can be repeated after an interruption at any moment.
 *
 * @throws ReleaseRefusal where Helm is in the middle of something that this program did not begin.
 */
export async function continueHistory(where: ReleaseLocation): Promise<void> {
  const { cluster, namespace, release } = where;
  const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS);
  const records = await readRecords(core, where);
  if (records.length === 0) {
    await claimForHelm(where);
    return;
  }
  let last = records.at(-1);
  const before = records.at(-2);
  if (last?.status.startsWith("pending") === true) {
    // Without one before it, this program began it over objects of Linkerd's command-line tool.
    if (before !== undefined && !isTakenOver(before)) {
      throw new ReleaseRefusal(
        `Helm is in the middle of a change of release ${namespace}/${release} (${last.status}); it is left as it is\n` +
          `  wait for who changes it, or end it: helm -n ${namespace} rollback ${release}`,
      );
    }
    await core.deleteNamespacedSecret({ namespace, name: last.secret.metadata?.name ?? "" });
    last = before;
  }
  if (last === undefined || CONTINUABLE.includes(last.status)) {
    return;
  }
  const content = decodeRecord(last.secret.data?.release ?? "") as { readonly info?: object };
  // Helm reads the status from the content, and finds a record by the label.
  const labels = { status: UNINSTALLED, [TAKEN_OVER]: "true" };
  await write(core, last.secret, { ...content, info: { ...content.info, status: UNINSTALLED } }, labels);
  await pulumi.log.info(
    `Helm release ${namespace}/${release} is taken over from its revision ${last.revision} on`,
  );
}

/**
 * Removes private keys from the records of a release: of what was installed before, Helm has kept the values and
 * manifests with them. Certificates and all else stay.
 */
export async function removeKeys(where: ReleaseLocation): Promise<void> {
  const { cluster, namespace, release } = where;
  const core = await connect(cluster, ({ CoreV1Api }) => CoreV1Api, TIMEOUT_MS);
  for (const { secret, revision } of await readRecords(core, where)) {
    const content = decodeRecord(secret.data?.release ?? "");
    const { value, removed } = withoutKeys(content);
    if (removed > 0) {
      await write(core, secret, value);
      await pulumi.log.info(
        `removed private keys from revision ${revision} of Helm release ${namespace}/${release}`,
      );
    }
  }
}

/** The records of a release, the oldest first. */
async function readRecords(core: CoreV1Api, { namespace, release }: ReleaseLocation): Promise<WholeRecord[]> {
  const labelSelector = `owner=helm,name=${release}`;
  const { items } = await core.listNamespacedSecret({ namespace, labelSelector });
  return items
    .map((secret) => {
      const { version = "", status = "" } = secret.metadata?.labels ?? {};
      return { secret, revision: Number(version), status };
    })
    .sort((one, other) => one.revision - other.revision);
}

function isTakenOver({ secret }: WholeRecord): boolean {
  return secret.metadata?.labels?.[TAKEN_OVER] !== undefined;
}

/** Writes another content, unless somebody has changed the record meanwhile. */
async function write(
  core: CoreV1Api,
  { metadata = {}, data, type }: V1Secret,
  content: unknown,
  labels: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { name = "", namespace = "" } = metadata;
  Object.assign(metadata, { labels: { ...metadata.labels, ...labels } });
  const body = { metadata, type, data: { ...data, release: encodeRecord(content) } };
  await core.replaceNamespacedSecret({ namespace, name, body });
}
