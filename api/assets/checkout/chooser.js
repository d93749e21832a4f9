// The list of wallets, and the one that the buyer chose.

import { labelPay } from './order.js';
import { offerApp } from './phone.js';
import { $, say, short, warn } from './view.js';
import * as wallets from './wallets.js';
import { DECLINED, explain } from './words.js';

/** The chosen wallet and its account; null while there is none. */
export let chosen = null;

/** Lists the wallets of this browser and lets the buyer choose one. */
export function offerWallets(config) {
  wallets.discover((found) => list(config, found));
  $('wallet-disconnect').addEventListener('click', async () => {
    const { wallet } = chosen;
    drop();
    $('wallets').querySelector('button')?.focus();
    await wallets.disconnect(wallet).catch(() => {});
  });
}

function list(config, found) {
  $('wallets').replaceChildren(...found.map((wallet) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'button quiet';
    const picture = wallets.icon(wallet);
    if (picture) button.append(Object.assign(new Image(24, 24), { src: picture, alt: '' }));
    button.append(wallet.name);
    button.addEventListener('click', () => choose(config, wallet));
    const item = document.createElement('li');
    item.append(button);
    return item;
  }));
  $('wallets-empty').hidden = found.length > 0;
  offerApp(found);
  if (chosen && !found.includes(chosen.wallet)) drop();
}

async function choose(config, wallet) {
  warn(null);
  if (config.identity?.required && !wallets.signsMessages(wallet)) {
    return warn({ title: `${wallet.name} cannot sign your name`, text: 'Choose another wallet.' });
  }
  try {
    const account = await wallets.connect(wallet);
    drop();
    const off = wallets.watch(wallet, (next) => (next ? use(config, wallet, next, off) : drop()));
    use(config, wallet, account, off);
    $('pay-button').focus();
    say(`${wallet.name} is connected.`);
  } catch (error) {
    warn(wallets.declined(error) ? DECLINED : explain(error));
  }
}

function use(config, wallet, account, off) {
  chosen = { wallet, account, off };
  const picture = wallets.icon(wallet);
  $('wallet-icon').hidden = !picture;
  if (picture) $('wallet-icon').src = picture;
  $('wallet-name').textContent = wallet.name;
  $('wallet-address').textContent = short(account.address);
  $('wallet-none').hidden = true;
  $('wallet-connected').hidden = false;
  labelPay(config);
}

function drop() {
  chosen?.off();
  chosen = null;
  $('wallet-none').hidden = false;
  $('wallet-connected').hidden = true;
}
