import { setTimeout as sleep } from "node:timers/promises";

import { random } from "../support/random";
import { RepeatedDestroy } from "../support/repeatedDestroy";
import { useSandbox } from "../support/testSandbox";

/** How many moments of a destroy are tried. */
const MOMENTS = 10;

/** `SEED=... npm run test:endurance` tries the moments of an earlier run again. */
const SEED = Number(process.env.SEED ?? Date.now() % 2 ** 32);

describe(`a destroy whose process is killed, with SEED=${SEED}`, () => {
  const destroy = new RepeatedDestroy(useSandbox("test-killed-destroy-anywhere"));
  const next = random(SEED);
  let duration = 0;

  before(async () => {
    await destroy.begin();
    const command = await destroy.start();
    const began = Date.now();
    await command.ended;
    duration = Date.now() - began;
  });

  for (let moment = 1; moment <= MOMENTS; moment++) {
    // Anywhere within this moment's part of the duration.
    const part = (moment - next()) / MOMENTS;

    it(`after ${(100 * part).toFixed(1)} % of its time ends, when it is repeated, with nothing left`, async () => {
      const command = await destroy.start();
      await sleep(duration * part);
      await destroy.kill(command);
      const last =
        command
          .output()
          .match(/^ .*delet(ing|ed).*$/gm)
          ?.at(-1) ?? "nothing was deleted yet";
      console.log(`      killed at: ${last.trim()}`);
      await destroy.repeat();
    });
  }
});
