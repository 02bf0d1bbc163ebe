import assert from "node:assert/strict";

import { InjectionAnswer, InjectionProbe } from "../../components/injection/injectionProbe";

const YES: InjectionAnswer = { injected: true, proxyImage: "proxy:1" };
const NO: InjectionAnswer = { injected: false, reason: "no proxy" };
const FINAL: InjectionAnswer = { injected: false, reason: "not allowed", final: true };

/** A probe whose cluster gives these answers, the last one for ever, and whose time passes only in sleep. */
function probe(answers: InjectionAnswer[], deadlineSeconds = 60, answerMs = 0) {
  let now = 1_000_000;
  const log: string[] = [];
  const sleeps: number[] = [];
  const timeouts: number[] = [];
  const interruption = new AbortController();
  let listening = 0;
  const instance = new InjectionProbe({
    api: {
      dryRun: (timeoutMs) => {
        timeouts.push(timeoutMs);
        now += Math.min(answerMs, timeoutMs);
        const answer = (answers.length > 1 ? answers.shift() : answers[0]) ?? NO;
        return Promise.resolve(answer);
      },
      diagnose: () => Promise.resolve(["webhook: present", "look at: kubectl"]),
    },
    clock: {
      now: () => now,
      sleep: (ms) => {
        sleeps.push(ms);
        now += ms;
        return Promise.resolve();
      },
    },
    log: (line) => log.push(line),
    deadlineSeconds,
    interruption: () => {
      listening++;
      return { signal: interruption.signal, dispose: () => listening-- };
    },
  });
  const pass = (ms: number): number => (now += ms);
  return { instance, log, sleeps, timeouts, pass, interruption, listening: () => listening };
}

describe("InjectionProbe", () => {
  it("opens after three answers in a row, and logs what was asked and answered", async () => {
    const { instance, log, timeouts } = probe([YES]);
    await instance.untilInjected();
    assert.equal(timeouts.length, 3);
    assert.deepEqual(log, [
      "asking the API server whether pods are injected (deadline 60 s)",
      "pods are injected: 3 tries, 0.5 s, proxy proxy:1",
    ]);
  });

  it("ends early when it is interrupted, and listens only as long as it asks", async () => {
    const { instance, interruption, timeouts, listening } = probe([NO]);
    const asked = instance.untilInjected();
    assert.equal(listening(), 1);
    interruption.abort();
    await assert.rejects(asked, /^Error: interrupted after 1 tries in 0\.0 s; last answer: none yet$/);
    assert.equal(timeouts.length, 1);
    assert.equal(listening(), 0);
  });

  it("starts counting again when an answer in between is no", async () => {
    const { instance, timeouts } = probe([YES, YES, NO, YES, NO, YES, YES, YES]);
    await instance.untilInjected();
    assert.equal(timeouts.length, 8);
  });

  it("asks less and less often, but at least every two seconds", async () => {
    const { instance, sleeps } = probe([NO, NO, NO, NO, NO, NO, YES]);
    await instance.untilInjected();
    assert.deepEqual(sleeps, [250, 500, 1000, 2000, 2000, 2000, 250, 250]);
  });

  it("says every ten seconds what the last answer was", async () => {
    const { instance, log } = probe([...Array<InjectionAnswer>(14).fill(NO), YES]);
    await instance.untilInjected();
    assert.deepEqual(log.slice(1, -1), [
      "still waiting after 11.8 s, last answer: no proxy",
      "still waiting after 21.8 s, last answer: no proxy",
    ]);
  });

  it("fails at its deadline, with the last answer and the diagnosis", async () => {
    const { instance } = probe([NO], 5);
    await assert.rejects(instance.untilInjected(), {
      message: [
        "pods are not injected after 6 tries in 5.0 s (deadline 5 s)",
        "  last answer: no proxy",
        "  webhook: present",
        "  look at: kubectl",
      ].join("\n"),
    });
  });

  it("does not let a request outlast the deadline", async () => {
    const { instance, timeouts } = probe([NO], 20, 14_000);
    await assert.rejects(instance.untilInjected());
    assert.deepEqual(timeouts, [15_000, 5_750]);
  });

  it("fails at once where waiting cannot help", async () => {
    const { instance, timeouts } = probe([FINAL]);
    await assert.rejects(instance.untilInjected(), /after 1 try in 0\.0 s[^]*last answer: not allowed/);
    assert.equal(timeouts.length, 1);
  });

  it("asks once for all who ask at the same time, and reuses a yes for a second", async () => {
    const { instance, timeouts, pass } = probe([YES]);
    await Promise.all([instance.untilInjected(), instance.untilInjected(), instance.untilInjected()]);
    assert.equal(timeouts.length, 3);
    pass(999);
    await instance.untilInjected();
    assert.equal(timeouts.length, 3);
  });

  it("then confirms it with one answer, and says nothing of it", async () => {
    const { instance, timeouts, pass, log } = probe([YES]);
    await instance.untilInjected();
    const said = [...log];
    pass(1000);
    await instance.untilInjected();
    assert.equal(timeouts.length, 4);
    assert.deepEqual(log, said);
  });

  it("asks for three answers again when one does not confirm it", async () => {
    const { instance, timeouts, pass, log } = probe([YES, YES, YES, NO, YES]);
    await instance.untilInjected();
    pass(1000);
    await instance.untilInjected();
    assert.equal(timeouts.length, 7);
    assert.deepEqual(log.slice(2), [
      "pods are no longer injected, asking on (deadline 60 s): no proxy",
      "pods are injected: 4 tries, 0.8 s, proxy proxy:1",
    ]);
  });

  it("asks again after a failure", async () => {
    const { instance } = probe([FINAL, YES]);
    await assert.rejects(instance.untilInjected());
    await instance.untilInjected();
  });
});
