import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import axe, { type AxeResults } from "axe-core";
import type { Page } from "puppeteer-core";

import { page } from "../../tools/report/page";
import { type Material, reportOf } from "../../tools/report/report";
import { TestBrowser } from "../support/browser";
import { hostileMaterial, policyObjects, STATE } from "../support/hostileReport";
import { healthySnapshot, meshCertificates } from "../support/verifySnapshot";

/** What a page did when it was loaded. */
interface Loaded {
  readonly tab: Page;
  readonly requests: readonly string[];
  readonly complaints: readonly string[];
}

describe("the report in a browser", () => {
  let chromium: TestBrowser;
  let folder: string;
  const materials: Record<string, Material> = {};

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "report-"));
    const certificates = await meshCertificates();
    const snapshot = healthySnapshot(certificates);
    materials.healthy = {
      cluster: "prod",
      snapshot: { ...snapshot, policies: policyObjects("web") },
      state: STATE,
    };
    materials.bare = { cluster: "prod", snapshot: { ...snapshot, pods: [], servers: [] } };
    materials.hostile = await hostileMaterial(certificates);
    for (const [name, material] of Object.entries(materials)) {
      await writeFile(join(folder, `${name}.html`), await page(reportOf(material)));
    }
    chromium = await TestBrowser.start();
  });

  after(async () => {
    await chromium.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function load(name: string, scheme: "light" | "dark", width = 1200): Promise<Loaded> {
    const tab = await chromium.browser.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    tab.on("request", (request) => requests.push(request.url()));
    tab.on("console", (message) => complaints.push(message.text()));
    tab.on("pageerror", (error) => complaints.push(String(error)));
    tab.on("dialog", (dialog) => {
      complaints.push(`dialog ${dialog.message()}`);
      void dialog.dismiss();
    });
    await tab.setViewport({ width, height: 800 });
    await tab.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    await tab.goto(pathToFileURL(join(folder, `${name}.html`)).href);
    return { tab, requests, complaints };
  }

  async function violations(tab: Page): Promise<string[]> {
    await tab.$$eval("details", (all) => {
      all.forEach((each) => (each.open = true));
    });
    await tab.evaluate(axe.source);
    const results = (await tab.evaluate("axe.run(document)")) as AxeResults;
    assert(results.passes.length > 20, "axe looked at the page");
    return results.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`));
  }

  for (const scheme of ["light", "dark"] as const) {
    it(`has no violation for axe-core in ${scheme}, with everything unfolded`, async () => {
      for (const name of Object.keys(materials)) {
        const { tab } = await load(name, scheme);
        assert.deepEqual(await violations(tab), [], name);
        await tab.close();
      }
    });
  }

  it("follows the colours that the reader prefers, in drawings too", async () => {
    const colours = async (scheme: "light" | "dark") => {
      const { tab } = await load("healthy", scheme);
      // As text, because tsx rewrites functions in a way that the page does not know.
      const fill = (selector: string) =>
        tab.evaluate(`getComputedStyle(document.querySelector("${selector}")).fill`);
      const found = [
        await tab.evaluate("getComputedStyle(document.body).backgroundColor"),
        ...(await Promise.all([".marks text", ".mark-rect path", ".node path"].map(fill))),
      ].map(String);
      await tab.close();
      return found;
    };
    const [light, dark] = [await colours("light"), await colours("dark")];
    for (const [index, colour] of light.entries()) {
      assert.match(colour, /^rgb/);
      assert.notEqual(colour, dark[index]);
    }
  });

  it("loads nothing and runs nothing, whatever a cluster says", async () => {
    const { tab, requests, complaints } = await load("hostile", "light");
    assert.deepEqual(requests, [pathToFileURL(join(folder, "hostile.html")).href]);
    assert.deepEqual(complaints, []);
    assert.match(await tab.title(), /^Mesh of <\/title><\/style>/);
    assert.equal(await tab.$$eval("script, img, iframe, link, object, embed", (all) => all.length), 0);
    await tab.close();
  });

  it("would not load or run anything that came into it", async () => {
    const { tab, complaints } = await load("healthy", "light");
    await tab.$eval("main", (main) => {
      const image = document.createElement("img");
      image.src = "https://example.org/x.png";
      const script = document.createElement("script");
      script.textContent = "document.title = 'owned'";
      main.append(image, script);
    });
    await tab.waitForNetworkIdle({ idleTime: 100 });
    assert.equal(await tab.title(), "Mesh of prod");
    const refused = "violates the following Content Security Policy directive";
    assert(complaints.some((text) => text.includes("https://example.org/x.png") && text.includes(refused)));
    assert(complaints.some((text) => text.includes("inline script") && text.includes(refused)));
    await tab.close();
  });

  it("is not wider than a telephone, and unfolds with the keyboard", async () => {
    const { tab } = await load("hostile", "light", 400);
    assert.equal(await tab.$eval("html", (html) => html.scrollWidth <= html.clientWidth), true);
    await tab.$eval("summary", (summary) => {
      summary.focus();
    });
    await tab.keyboard.press("Enter");
    assert.equal(await tab.$eval("details", (details) => details.open), true);
    await tab.close();
  });
});
