import { setTimeout as sleep } from "node:timers/promises";

import { random } from "../support/random";
import { RepeatedDeployment } from "../support/repeatedDeployment";
import { useSandbox } from "../support/testSandbox";

/** How many moments of a deployment are tried. */
const MOMENTS = 10;

/** `SEED=... npm run test:endurance` tries the moments of an earlier run again. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 32);

/** A deployment that is killed at any moment, its process by SIGKILL so that it cannot clean up. */
describe(`a deployment whose process is killed, with SEED=${SEED}`, () => {
  const deployment = new RepeatedDeployment(useSandbox("test-killed-anywhere"));
  const next = random(SEED);

  before(() => deployment.measure());

  for (let moment = 1; moment <= MOMENTS; moment++) {
    // Anywhere within this moment's part of the duration.
    const part = (moment - next()) / MOMENTS;

    it(`after ${(100 * part).toFixed(1)} % of its time ends, when it is repeated, as if nothing had happened`, async () => {
      await deployment.fresh();
      const command = deployment.start();
      await sleep(deployment.duration * part);
      command.kill("SIGKILL");
      const { output } = await command.ended;
      const last = output.match(/^ .*(creat|updat)(ing|ed).*$/gm)?.at(-1) ?? "nothing was created yet";
      console.log(`      killed at: ${last.trim()}`);
      await deployment.repeat();
    });
  }
});
