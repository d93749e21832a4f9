// Browser tabs, each a buyer of his own, with a record of everything that must not happen on a page.
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { installWallet } from './wallet.mjs';

const SHOTS = process.env.HILT_TEST_SHOTS;
// The one kind of console message that is no fault of the page: it asks for something that may be refused, and is.
const REFUSED_CALL = /^Failed to load resource: the server responded with a status of 4\d\d/;

export class Tabs {
  constructor(browser) {
    this.browser = browser;
    this.open = new Map();
  }

  /** A new tab. `viewport`, `dark`, `touch`, `script` (false switches it off) and `wallet` say what kind of buyer it is. */
  async make(name, { origin, viewport, dark = false, touch = false, script = true, wallet, agent }) {
    const context = await this.browser.newContext({
      viewport: viewport ?? { width: 1280, height: 900 },
      colorScheme: dark ? 'dark' : 'light',
      hasTouch: touch,
      javaScriptEnabled: script,
      userAgent: agent ?? undefined,
      locale: 'en-GB',
      timezoneId: 'UTC',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    const tab = { page, context, origin, faults: [], requests: [] };
    page.on('console', (message) => {
      const refused = REFUSED_CALL.test(message.text());
      if (['error', 'warning'].includes(message.type()) && !refused) tab.faults.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => tab.faults.push(`uncaught: ${error.stack}`));
    page.on('response', (response) => {
      if (response.status() >= 400) tab.requests.push(`${response.status()} ${new URL(response.url()).pathname}`);
    });
    page.on('requestfailed', (request) => tab.requests.push(`${request.failure()?.errorText} ${new URL(request.url()).pathname}`));
    page.on('request', (request) => {
      const url = new URL(request.url());
      tab.requests.push(`${request.method()} ${url.pathname}`);
      if (!['data:', 'blob:'].includes(url.protocol) && url.origin !== origin) tab.faults.push(`another origin: ${request.url()}`);
    });
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => console.error(`CSP: ${event.violatedDirective} ${event.blockedURI}`));
    });
    if (wallet) tab.wallet = await installWallet(page, wallet);
    this.open.set(name, tab);
    return tab;
  }

  get(name) {
    const tab = this.open.get(name);
    assert(tab, `there is no tab ${name}`);
    return tab;
  }

  /** Ends a tab; whatever must not happen must not have happened in it. */
  async close(name) {
    const tab = this.get(name);
    this.open.delete(name);
    await tab.context.close();
    assert.deepEqual(tab.faults, [], 'what must not happen on a page');
  }

  /** A picture for whoever looks, if somebody does. */
  async shot(name, label) {
    if (!SHOTS) return;
    await mkdir(SHOTS, { recursive: true });
    await this.get(name).page.screenshot({ path: `${SHOTS}/${label}.png`, fullPage: true });
  }

  /** What the open tabs show, asked for, and did wrong: for the message of a test that failed. */
  async journal() {
    const tabs = [...this.open].map(async ([name, { page, faults, requests }]) => {
      const text = await page.locator('body').innerText({ timeout: 1_000 }).catch(() => '(no page)');
      return `${name}: ${JSON.stringify({ faults, requests: requests.slice(-12), text })}`;
    });
    return (await Promise.all(tabs)).join('\n');
  }
}
