import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";

import { caName, type DeployedWebhook, webhookObstacles } from "../../components/pki/webhookChange";
import { testCertificate } from "../support/certificates";

const NAMESPACE = "linkerd";

/** CAs are digits, and a list of them is a text. */
const LISTS = ["1", "2", "3", "12", "13", "23", "123"];

/** What is configured: the CAs that are trusted, and the one that signs. */
interface Configured {
  readonly cas: string;
  readonly signer: string;
}

const CHANGES: readonly Configured[] = LISTS.flatMap((cas) =>
  Array.from(cas).map((signer) => ({ cas, signer })),
);

/** A webhook at a moment. */
interface Moment extends Configured {
  /** CAs whose certificates pods may still serve, because the Secret has not arrived; empty once it has. */
  readonly stale: string;
}

const NOW = new Date("2026-01-02T00:00:00Z");
const secondsAgo = (seconds: number): Date => new Date(NOW.getTime() - seconds * 1000);

describe("webhooks whose CAs change in all ways that are not refused", () => {
  const certificates = new Map<string, { readonly ca: X509Certificate; readonly leaf: X509Certificate }>();

  before(async () => {
    for (const digit of "123") {
      const serial = digit === "1" ? "" : `,2.5.4.5=${digit}`;
      const ca = await testCertificate(`${caName(NAMESPACE)}${serial}`);
      const leaf = await testCertificate("injector", { signer: ca, isCa: false });
      certificates.set(digit, {
        ca: new X509Certificate(ca.certPem),
        leaf: new X509Certificate(leaf.certPem),
      });
    }
  });

  const casOf = (list: string): X509Certificate[] =>
    Array.from(list).flatMap((digit) => certificates.get(digit)?.ca ?? []);

  /** Whether the program refuses the change at that moment. */
  function isRefused({ cas, signer, stale }: Moment, to: Configured): boolean {
    const deployed: DeployedWebhook = {
      namespace: NAMESPACE,
      service: "injector",
      cas: casOf(cas),
      serving: certificates.get(signer)?.leaf,
      // A kubelet takes two minutes at most.
      written: secondsAgo(stale === "" ? 120 : 119),
    };
    const resulting = Array.from(to.cas).map((digit) => ({
      generation: Number(digit),
      pem: certificates.get(digit)?.ca.toString(),
    }));
    const change = { deployed: [deployed], cas: resulting, signingCa: Number(to.signer) };
    const { problems, until } = webhookObstacles(change, NOW);
    return problems.length > 0 || until !== undefined;
  }

  /** The moments of a change, whether CAs or certificates arrive first. */
  function momentsOf(from: Moment, to: Configured): Moment[] {
    const stale =
      to.signer === from.signer ? from.stale : [...new Set(from.stale + from.signer)].sort().join("");
    return [
      { ...from, cas: to.cas },
      { cas: from.cas, signer: to.signer, stale },
      { ...to, stale },
    ];
  }

  it("serve no certificate that the API server does not trust, at any moment", () => {
    const key = ({ cas, signer, stale }: Moment): string => `${cas} ${signer} ${stale}`;
    const first: Moment = { cas: "1", signer: "1", stale: "" };
    const seen = new Map([[key(first), first]]);
    const [counts, queue] = [{ made: 0, refused: 0 }, [first]];
    for (let from = queue.pop(); from !== undefined; from = queue.pop()) {
      const reached: Moment[] = [{ ...from, stale: "" }];
      for (const to of CHANGES) {
        if (isRefused(from, to)) {
          counts.refused++;
          continue;
        }
        counts.made++;
        const moments = momentsOf(from, to);
        for (const { cas, signer, stale } of moments) {
          for (const served of signer + stale) {
            assert.ok(cas.includes(served), `${key(from)} -> ${to.cas} ${to.signer}: ${served} is served`);
          }
        }
        // Any of them may be where an `up` was killed.
        reached.push(...moments);
      }
      for (const moment of reached) {
        if (!seen.has(key(moment))) {
          seen.set(key(moment), moment);
          queue.push(moment);
        }
      }
    }
    // Every configuration can be reached.
    for (const { cas, signer } of CHANGES)
      assert.ok(seen.has(key({ cas, signer, stale: "" })), `${cas} ${signer}`);
    // The numbers are written down, so that no rule is softened or hardened unseen.
    assert.deepEqual([seen.size, counts], [42, { made: 174, refused: 330 }]);
  });
});
