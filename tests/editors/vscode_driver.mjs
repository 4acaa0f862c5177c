// Drives a headless Chromium for tests/editors/vscode.py: a JSON array a line in, [function, ...arguments], and a
// JSON value a line out. Run as: node vscode_driver.mjs FOLDER_OF_NODE_MODULES CHROMIUM PROFILE
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const [modules, executablePath, profile] = process.argv.slice(2);
const { chromium } = createRequire(`${modules}/`)("playwright-core");

const browser = await chromium.launchPersistentContext(profile, {
  executablePath,
  headless: true,
  viewport: { width: 1000, height: 560 },
  args: ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"],
});
const page = browser.pages()[0] ?? (await browser.newPage());

const functions = {
  open: (url) => page.goto(url, { waitUntil: "domcontentloaded" }).then(() => null),
  press: (key) => page.keyboard.press(key),
  type: (text, delay) => page.keyboard.type(text, { delay }),
  click: (selector) => page.click(selector, { timeout: 10_000 }),
  doubleClick: (selector) => page.dblclick(selector, { timeout: 10_000 }),
  // What an editor draws has hard spaces, since others would collapse.
  read: (selector) => page.$$eval(selector, (found) => found.map((each) => each.textContent.replace(/\u00a0/g, " "))),
  attribute: (selector, name) =>
    page.$$eval(selector, (found, name) => found.map((each) => each.getAttribute(name)), name),
  /** Give the text that is drawn after each element and is in none: a decoration's. */
  after: (selector) =>
    page.$$eval(selector, (found) =>
      found
        .map((each) => getComputedStyle(each, "::after").content)
        .filter((content) => content !== "none" && content !== "normal")
        .map((content) => content.replace(/^"|"$/g, "").replace(/\u00a0/g, " ")),
    ),
  /** Give the text of each frame: a rendered page is in frames of its own. */
  readFrames: () =>
    Promise.all(page.frames().map((frame) => frame.evaluate(() => document.body?.innerText ?? "").catch(() => ""))),
  picture: (path) => page.screenshot({ path, animations: "disabled" }).then(() => null),
  /** Press a key; give the milliseconds from its event to the frame that shows a match, null after 4 s. */
  paint: async (key, selector) => {
    // Awaited, so that it looks before the key is pressed.
    await page.evaluate((selector) => {
      let pressed = 0;
      window.painted = new Promise((resolve) => {
        const watch = new MutationObserver(() => {
          if (!pressed || document.querySelector(selector) === null) return;
          watch.disconnect();
          // The frame in which it was drawn is on the screen when the next one begins.
          requestAnimationFrame(() => resolve(performance.now() - pressed));
        });
        watch.observe(document.body, { childList: true, subtree: true, attributes: true });
        const press = () => {
          pressed = performance.now();
          setTimeout(() => (watch.disconnect(), resolve(null)), 4_000);
        };
        addEventListener("keydown", press, { capture: true, once: true });
      });
    }, selector);
    await page.keyboard.press(key);
    return page.evaluate(() => window.painted);
  },
};

process.stdout.write("null\n");
for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...args] = JSON.parse(line);
  try {
    process.stdout.write(`${JSON.stringify((await functions[name](...args)) ?? null)}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`);
  }
}
await browser.close();
