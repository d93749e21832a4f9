// What a test asks of the browser, step by step.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

export const steps = {
  /** Opens an address in a new tab; gives its status. */
  async open(tabs, { tab, url, ...buyer }) {
    const { page } = await tabs.make(tab, { origin: new URL(url).origin, ...buyer });
    const response = await page.goto(url, { waitUntil: 'load' });
    return { status: response.status(), headers: response.headers() };
  },

  async reload(tabs, { tab }) {
    await tabs.get(tab).page.reload({ waitUntil: 'load' });
  },

  async close(tabs, { tab }) {
    await tabs.close(tab);
  },

  /** Presses a button or a link by its words. */
  async press(tabs, { tab, name }) {
    await tabs.get(tab).page.locator('button:visible, a:visible, summary:visible').filter({ hasText: name }).first().click();
  },

  /** Types into the field with that label. */
  async type(tabs, { tab, label, text }) {
    const { page } = tabs.get(tab);
    // A section may be called the same.
    await page.getByLabel(label).and(page.locator('input')).fill(text);
  },

  /** Waits until these words can be seen. */
  async see(tabs, { tab, text }) {
    await tabs.get(tab).page.getByText(text).filter({ visible: true }).first().waitFor();
  },

  /** The words that can be seen. */
  async text(tabs, { tab }) {
    return tabs.get(tab).page.locator('body').innerText();
  },

  /** An attribute of the first element of that selector. */
  async attribute(tabs, { tab, selector, name }) {
    return tabs.get(tab).page.locator(selector).first().getAttribute(name);
  },

  /** Where the focus is: the text of that element. */
  async focused(tabs, { tab }) {
    return tabs.get(tab).page.evaluate(() => document.activeElement.innerText || document.activeElement.id);
  },

  /** Presses a key so many times. */
  async key(tabs, { tab, key, times = 1 }) {
    for (let at = 0; at < times; at += 1) await tabs.get(tab).page.keyboard.press(key);
  },

  /** Presses Tab until the focus is on an element with these words. */
  async tabTo(tabs, { tab, name }) {
    const { page } = tabs.get(tab);
    for (let at = 0; at < 40; at += 1) {
      await page.keyboard.press('Tab');
      const here = await page.evaluate(() => {
        const element = document.activeElement;
        const style = getComputedStyle(element);
        const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
        return { text: element.innerText || element.labels?.[0]?.innerText || '', outlined };
      });
      if (!here.text.includes(name)) continue;
      assert(here.outlined, `the focus on ${name} can be seen`);
      return;
    }
    assert.fail(`Tab never comes to ${name}`);
  },

  /** How the wallet behaves from now on. */
  async mood(tabs, { tab, mood }) {
    tabs.get(tab).wallet.mood = mood;
  },

  /** What the wallet was asked for. */
  async asked(tabs, { tab }) {
    return tabs.get(tab).wallet.asked;
  },

  async requests(tabs, { tab }) {
    return tabs.get(tab).requests;
  },

  /** How far the page reaches beyond the window, in CSS pixels. */
  async overflow(tabs, { tab }) {
    return tabs.get(tab).page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  },

  /** A computed style. */
  async style(tabs, { tab, selector, property }) {
    return tabs.get(tab).page.locator(selector).first().evaluate((element, name) => getComputedStyle(element).getPropertyValue(name), property);
  },

  /** What axe-core finds that is serious. It is put in by the debugger, past the page's policy. */
  async accessible(tabs, { tab }) {
    const { page } = tabs.get(tab);
    const session = await tabs.get(tab).context.newCDPSession(page);
    const { readFile } = await import('node:fs/promises');
    await session.send('Runtime.evaluate', { expression: await readFile(AXE, 'utf8') });
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
    const serious = found.violations.filter((violation) => ['serious', 'critical'].includes(violation.impact));
    return serious.map((violation) => `${violation.id}: ${violation.nodes.map((node) => node.html).join(' | ')}`);
  },

  async shot(tabs, { tab, label }) {
    await tabs.shot(tab, label);
  },
};
