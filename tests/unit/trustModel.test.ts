import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import type { DeployedTrust, PlannedTrust } from "../../components/pki/deployedTrust";
import { refuseBeforePods } from "../../components/pki/podTrust";
import { refuseTrustChange, type ResultingTrust } from "../../components/pki/trustChange";
import { testAnchor, testIssuer } from "../support/certificates";

/** Anchors have one letter each, and a bundle is a text of them. */
const ANCHORS = ["a", "b", "c"];
const BUNDLES = ["a", "b", "c", "ab", "ac", "bc"];

/** A meshed pod. */
interface Pod {
  /** It was created with this bundle. */
  readonly bundle: string;
  /** The anchor of its certificate. */
  readonly leaf: string;
  /** Whether it was created after the signer last changed. */
  readonly isNew: boolean;
}

/** What is configured, and on the cluster. */
interface Trust {
  readonly bundle: string;
  readonly signer: string;
}

/** A mesh at a moment. */
interface Mesh extends Trust {
  /** Whether every certificate from before the signer changed has expired. */
  readonly isSettled: boolean;
  /** One of this stack, which rolls with the bundle, and one of others, which does not. */
  readonly pods: readonly Pod[];
}

const CHANGES: readonly Trust[] = BUNDLES.flatMap((bundle) =>
  Array.from(bundle).map((signer) => ({ bundle, signer })),
);

const LIFETIME_SECONDS = 3600;
const NOW = new Date("2026-01-02T00:00:00Z");
const secondsAgo = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000);

describe("a mesh whose trust changes in all ways that are not refused", () => {
  const pems = new Map<string, string>();
  const certificates = new Map<string, X509Certificate>();
  const issuers = new Map<string, X509Certificate>();

  before(async () => {
    for (const letter of ANCHORS) {
      const anchor = await testAnchor();
      pems.set(letter, anchor.certPem);
      certificates.set(letter, new X509Certificate(anchor.certPem));
      issuers.set(letter, new X509Certificate((await testIssuer(anchor)).certPem));
    }
  });

  const anchorsOf = (bundle: string): X509Certificate[] =>
    Array.from(bundle).flatMap((letter) => certificates.get(letter) ?? []);

  /** What the program reads of it. */
  function deployedTrust({ bundle, signer, isSettled, pods }: Mesh): DeployedTrust {
    const changed = isSettled ? LIFETIME_SECONDS * 2 : LIFETIME_SECONDS / 2;
    return {
      trustDomain: "cluster.local",
      anchors: anchorsOf(bundle),
      issuer: [issuers.get(signer) ?? assert.fail()],
      readRunning: () =>
        Promise.resolve({
          lifetimeSeconds: LIFETIME_SECONDS,
          signedSince: secondsAgo(changed),
          issuerUpdated: secondsAgo(changed),
          pods: pods.map((pod, index) => ({
            owner: `Deployment shop/${index}`,
            created: secondsAgo(pod.isNew ? changed - 1 : changed + 1),
            rolledBy: "others",
            anchors: new Set(anchorsOf(pod.bundle).map(({ fingerprint256 }) => fingerprint256)),
          })),
        }),
    };
  }

  async function isRefused(mesh: Mesh, { bundle, signer }: Trust): Promise<boolean> {
    const planned: PlannedTrust = {
      trustDomain: "cluster.local",
      trustAnchors: Array.from(bundle).map((id) => ({ id })),
      signingAnchor: signer,
    };
    const resulting: ResultingTrust = {
      anchors: Array.from(bundle).map((letter) => ({ pem: pems.get(letter) ?? "" })),
    };
    const deployed = deployedTrust(mesh);
    try {
      refuseTrustChange(deployed, planned, resulting);
      await refuseBeforePods(deployed, planned, resulting, NOW);
      return false;
    } catch {
      return true;
    }
  }

  const created = ({ bundle, signer }: Trust): Pod => ({ bundle, leaf: signer, isNew: true });

  /** The pods of a mesh, and one that starts at this moment, all trust each other. */
  const isWhole = (mesh: Mesh): boolean =>
    [...mesh.pods, created(mesh)].every(({ bundle }, _, all) =>
      all.every(({ leaf }) => bundle.includes(leaf)),
    );

  const replaced = (mesh: Mesh, index: number, pod: Pod): Mesh => ({
    ...mesh,
    pods: mesh.pods.map((other, place) => (place === index ? pod : other)),
  });

  /** What happens without a change: a pod is recreated, gets its next certificate, or time passes. */
  function events(mesh: Mesh): Mesh[] {
    const settled = mesh.pods.map((pod) => ({ ...pod, leaf: mesh.signer }));
    return [
      ...mesh.pods.flatMap((pod, index) => [
        replaced(mesh, index, created(mesh)),
        replaced(mesh, index, { ...pod, leaf: mesh.signer }),
      ]),
      { ...mesh, isSettled: true, pods: settled },
    ];
  }

  /** The moments of an `up`, with the issuer's Secret written before or after the trust bundle, and then the roll-out. */
  function moments(mesh: Mesh, change: Trust): Mesh[][] {
    const signed = (from: Mesh): Mesh =>
      from.signer === change.signer
        ? from
        : {
            ...from,
            signer: change.signer,
            isSettled: false,
            pods: from.pods.map((pod) => ({ ...pod, isNew: false })),
          };
    const distributed = (from: Mesh): Mesh => ({ ...from, bundle: change.bundle });
    const rolled = (from: Mesh): Mesh =>
      mesh.bundle === change.bundle ? from : replaced(from, 0, created(from));
    const both = (first: Mesh, second: Mesh): Mesh[] => [first, second, rolled(second)];
    return [
      both(signed(mesh), distributed(signed(mesh))),
      both(distributed(mesh), signed(distributed(mesh))),
    ];
  }

  it("has in every moment only pods that trust each other, and gets from each anchor to each other one", async () => {
    const trust: Trust = { bundle: "a", signer: "a" };
    const start: Mesh = { ...trust, isSettled: true, pods: [created(trust), created(trust)] };
    const seen = new Map<string, Mesh>([[JSON.stringify(start), start]]);
    let refused = 0;
    let accepted = 0;
    // A Map is iterated with what is added meanwhile.
    for (const mesh of seen.values()) {
      const next = events(mesh);
      for (const change of CHANGES) {
        if (await isRefused(mesh, change)) {
          refused++;
          continue;
        }
        accepted++;
        next.push(...moments(mesh, change).flat());
      }
      for (const later of next) {
        assert.ok(isWhole(later), `${JSON.stringify(mesh)}\nbecame\n${JSON.stringify(later)}`);
        seen.set(JSON.stringify(later), later);
      }
    }
    const ends = new Set(
      [...seen.values()].filter(({ bundle }) => bundle.length === 1).map(({ bundle }) => bundle),
    );
    assert.deepEqual([...ends].sort(), ANCHORS);
    assert.ok(
      accepted > seen.size && refused > seen.size,
      `${seen.size} states, ${accepted} accepted, ${refused} refused`,
    );
  });
});
