import assert from "node:assert/strict";

import { joinPems, normalizePem } from "../../components/certificates/pem";
import { checkIssuer, checkIssuerKey, checkTrustAnchor, describeFound } from "../../components/rules";
import { singleTool } from "../../tools/sandbox/build/artifact";
import { OPTIONAL_TOOLS } from "../../tools/sandbox/build/manifest";
import { prepare } from "../../tools/sandbox/build/prepare";
import { run } from "../../tools/shared/run";
import { CHAINS, type ChainText } from "../support/chains";

const trustDomain = "cluster.local";

/** What Linkerd says: the error of each judge, empty where it accepts the chain. */
interface Verdict {
  readonly name: string;
  readonly identity: string;
  readonly check: string;
  readonly proxy: string;
}

/** What the program says. */
function problemsOf({ anchors, issuerCertificate, issuerKey }: ChainText): string[] {
  const found = anchors.map((pem) => checkTrustAnchor(pem));
  const read = found.flatMap(({ anchor }) => anchor ?? []);
  const { issuer, problems } = checkIssuer(issuerCertificate, {
    anchors: read.length === anchors.length ? read : undefined,
    trustDomain,
  });
  return [
    ...found.flatMap((findings) => findings.problems),
    ...problems,
    ...checkIssuerKey(issuerKey, issuer),
  ].map((problem) => `${problem.rule}, but ${describeFound(problem.found)}`);
}

describe("certificate chains, judged here and by Linkerd's own code", () => {
  const chains = new Map<string, ChainText>();
  const verdicts = new Map<string, Verdict>();

  before(async () => {
    const linkerd = await singleTool(OPTIONAL_TOOLS["linkerd-chains"]);
    await prepare([linkerd], new AbortController().signal);
    for (const { title, make } of CHAINS) chains.set(title, await make());
    // As they are deployed.
    const texts = [...chains].map(([name, { anchors, issuerCertificate, issuerKey }]) => ({
      name,
      anchors: joinPems(anchors),
      issuerCertificate: normalizePem(issuerCertificate),
      issuerKey: normalizePem(issuerKey),
      trustDomain,
    }));
    const answer = await run(linkerd.tools, [], { input: JSON.stringify(texts) });
    for (const verdict of JSON.parse(answer) as Verdict[]) verdicts.set(verdict.name, verdict);
  });

  it("are many, each with a title of its own", () => {
    assert.ok(CHAINS.length >= 40);
    assert.equal(chains.size, CHAINS.length);
    assert.equal(verdicts.size, CHAINS.length);
  });

  for (const { title, verdict } of CHAINS) {
    const why = typeof verdict === "object" ? `refused here only: ${verdict.stricter}` : verdict;
    it(`${title} (${why})`, () => {
      const made = chains.get(title);
      const theirs = verdicts.get(title);
      assert.ok(made && theirs);
      const { identity, check, proxy } = theirs;
      const seen = { problems: problemsOf(made), linkerd: [identity, check, proxy].filter(Boolean) };
      const words = JSON.stringify(seen, undefined, 2);
      assert.equal(seen.problems.length > 0, verdict !== "accepted", words);
      assert.equal(seen.linkerd.length > 0, verdict === "refused", words);
    });
  }
});
