import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type Browser, launch } from "puppeteer-core";

import { run } from "../../tools/shared/run";
import { PROJECT } from "../../tools/shared/paths";

/** The package unpacks the libraries of its Chromium only where it takes the machine for one without any. */
const BARE_MACHINE = { AWS_LAMBDA_JS_RUNTIME: "nodejs22.x" };

/** A headless Chromium of its own: from an npm package, with the libraries and the fonts that come with it. */
export class TestBrowser {
  private constructor(
    public readonly browser: Browser,
    private readonly folder: string,
  ) {}

  public static async start(): Promise<TestBrowser> {
    const folder = await mkdtemp(join(tmpdir(), "browser-"));
    const unpack = "require('@sparticuz/chromium').executablePath()";
    await run(process.execPath, ["--eval", unpack], {
      cwd: PROJECT,
      env: { ...process.env, ...BARE_MACHINE, TMPDIR: folder },
    });
    const browser = await launch({
      executablePath: join(folder, "chromium"),
      headless: "shell",
      // Chromium's own sandbox does not start for root, as whom containers run; it sees only pages of the tests.
      args: ["--no-sandbox", "--disable-gpu"],
      env: {
        HOME: folder,
        TMPDIR: folder,
        FONTCONFIG_PATH: join(folder, "fonts"),
        LD_LIBRARY_PATH: join(folder, "al2023", "lib"),
      },
    });
    return new TestBrowser(browser, folder);
  }

  public async stop(): Promise<void> {
    await this.browser.close();
    await rm(this.folder, { recursive: true, force: true });
  }
}
