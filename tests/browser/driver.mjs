// Drives a real browser for one test: one JSON line a step on stdin, one JSON line with its result on stdout. Ends with stdin, so a
// test that dies takes its browser with it.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';
import { steps } from './steps.mjs';
import { Tabs } from './tabs.mjs';

const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const browser = await chromium.launch({ executablePath: process.env.HILT_TEST_CHROMIUM || '/usr/bin/chromium', args: ARGS });
const tabs = new Tabs(browser);

for await (const line of createInterface({ input: process.stdin })) {
  const { step, args } = JSON.parse(line);
  let result;
  try {
    result = { value: (await steps[step](tabs, args)) ?? null };
  } catch (error) {
    result = { error: `${step}: ${error.stack}\n${await tabs.journal()}` };
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
await browser.close();
