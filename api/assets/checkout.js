// The checkout page: what the buyer does, and which part of the page he sees.

import { chosen, offerWallets } from './checkout/chooser.js';
import { deliver, untilDelivered } from './checkout/delivery.js';
import { Over, follow, look } from './checkout/follow.js';
import { chosenIdentity, handoff, prove, showIdentity } from './checkout/identity.js';
import { labelPay, money, order, watchAmount } from './checkout/order.js';
import { begin, payByWallet, steps } from './checkout/pay.js';
import { handIn, isPhone, leadOn, offerApp, returned, showCode, takeAlong } from './checkout/phone.js';
import { memory as memoryOf } from './checkout/store.js';
import { $, countdown, fill, progress, say, short, show, warn } from './checkout/view.js';
import { declined } from './checkout/wallets.js';
import { DECLINED, explain } from './checkout/words.js';

const config = JSON.parse($('checkout').dataset.config);
const memory = memoryOf(config.payment?.payment_id ?? config.slug);

/** Counts what the buyer began; what is older than its newest is not wanted any more. */
let attempt = 0;

class Abandoned extends Error {}

function begun() {
  const mine = ++attempt;
  return () => {
    if (mine !== attempt) throw new Abandoned();
  };
}

/* Paying */

function working(step, payment) {
  const texts = {
    prepare: 'Preparing the payment.',
    identity: 'Sign your name in your wallet. This costs nothing.',
    approve: 'Check the amount in your wallet and approve.',
    send: 'Sending to Solana.',
    final: 'On Solana. It is final in a few seconds; you may close this page, the payment is not lost.',
  };
  progress(steps(config), step);
  $('working-text').textContent = texts[step];
  say(texts[step]);
  $('working-next').hidden = true;
  $('working-cancel').hidden = step === 'send' || step === 'final';
  fill($('working-tx'), payment?.tx_signature ? short(payment.tx_signature) : null, $('working-tx').querySelector('code'));
  show('working');
}

async function pay() {
  const ordered = order(config, memory);
  if (!ordered || !chosen) return;
  const going = begun();
  const at = (step, payment) => {
    going();
    working(step, payment);
    if (payment && step !== 'send') countdown(payment.expires_at);
  };
  try {
    await payByWallet(config, memory, { ...chosen, ...ordered }, at, going);
  } catch (error) {
    // The wallet may have sent it although something went wrong after that.
    if (memory.get().payment?.tx_signature && error.passing) return finish(going);
    return stumble(error);
  }
  await finish(going);
}

/** Follows a sent payment to its end. */
async function finish(going = begun()) {
  countdown(null);
  working('final', memory.get().payment);
  try {
    const bought = await follow(config, memory, told, going);
    const { payment } = memory.get();
    deliver(config, payment, bought);
    show('done');
    warn(null);
    say('The payment is confirmed.');
    await untilDelivered(config, payment, bought, going);
  } catch (error) {
    stumble(error);
  }
}

function told({ payment, trouble }) {
  warn(trouble ? explain(trouble) : null);
  if (payment?.tx_signature) working('final', payment);
}

/** Back to where the buyer can do something about it. */
function stumble(error) {
  if (error instanceof Abandoned) return;
  countdown(null);
  const { payment } = memory.get();
  if (error.code === 'identity_verification_required' && payment?.tx_signature) return stop(error, 'Sign your name', signLater);
  if (error instanceof Over || ['payment_expired', 'payment_finished', 'payment_not_found', 'tx_conflict', 'tx_failed'].includes(error.code)) {
    return stop(error, 'Start again', startAgain);
  }
  if (payment?.tx_signature) return stop(error, 'Look again', () => finish());
  show('start');
  warn(declined(error) ? DECLINED : explain(error));
}

let again = () => {};

function stop(error, label, action) {
  const { title, text } = explain(error);
  const { payment } = memory.get();
  warn(null);
  $('stopped-title').textContent = title;
  $('stopped-text').textContent = text;
  fill($('stopped-tx'), payment?.tx_signature ?? null, $('stopped-tx').querySelector('code'));
  $('stopped-again').textContent = label;
  again = action;
  show('stopped');
  say(`${title}. ${text}`);
}

function startAgain() {
  begun();
  memory.forget('payment');
  countdown(null);
  warn(null);
  show('start');
}

/** The money is there and the name is not signed: sign it now. */
async function signLater() {
  if (!chosen) {
    show('start');
    return warn({ title: 'Choose the wallet that paid', text: 'Then press the button again to sign your name.' });
  }
  const { payment } = memory.get();
  try {
    working('identity', payment);
    const session = await prove(config, chosen.wallet, chosen.account, payment.identity ?? chosenIdentity(config, memory));
    memory.keep({ payment: { ...payment, identity_session_id: session } });
    await finish();
  } catch (error) {
    stumble(error);
  }
}

/* QR code */

async function payByCode() {
  const ordered = order(config, memory);
  if (!ordered) return;
  const going = begun();
  try {
    const payment = await begin(config, memory, ordered);
    going();
    await waitForCode(payment, going);
  } catch (error) {
    stumble(error);
  }
}

async function waitForCode(payment, going = begun()) {
  showCode(payment, money(config, payment.amount ?? config.amount));
  countdown(payment.expires_at, () => stop(new Over('payment_expired'), 'Start again', startAgain));
  show('qr');
  say('Scan the code with your wallet.');
  const bought = await follow(config, memory, ({ payment: now, trouble }) => {
    warn(trouble ? explain(trouble) : null);
    if (!now?.tx_signature) return;
    countdown(null);
    working('final', now);
  }, going);
  deliver(config, memory.get().payment, bought);
  show('done');
  warn(null);
  say('The payment is confirmed.');
  await untilDelivered(config, memory.get().payment, bought, going);
}

/* Phantom's app */

/** Begins a payment that is paid in Phantom's app, if the service can lead there and back; else the link opens this page in the app. */
async function payInPhantom(event) {
  if (!isPhone()) return;
  event.preventDefault();
  const ordered = order(config, memory);
  if (!ordered) return;
  const going = begun();
  working('prepare');
  try {
    const payment = await begin(config, memory, ordered);
    going();
    if (!payment.phantom) return location.assign($('open-phantom').href);
    working('approve', payment);
    leadOn(memory, payment.phantom, 'Continue in Phantom');
    countdown(payment.expires_at, () => stop(new Over('payment_expired'), 'Start again', startAgain));
  } catch (error) {
    stumble(error);
  }
}

/** Goes on with what Phantom's app came back with. */
async function comeBack(answer) {
  const going = begun();
  working('prepare');
  const next = await handIn(config, memory, answer);
  going();
  if (!next) return finish();
  const { payment } = memory.get();
  working(next.step, payment);
  if (payment.expires_at) countdown(payment.expires_at);
  leadOn(memory, next.url, next.step === 'identity' ? 'Sign in Phantom' : 'Pay in Phantom');
}

/* Beginning */

/** Goes on with what this tab remembers. */
async function resume() {
  const { payment } = memory.get();
  if (!payment && config.payment) return resumeGiven();
  if (!payment) return show('start', false);
  const seen = await look(payment).catch((error) => (error.passing ? {} : { status: 'GONE' }));
  if (seen.tx_signature) memory.keep({ payment: { ...payment, tx_signature: seen.tx_signature } });
  if (['CONFIRMED', 'PENDING_CONFIRMATION'].includes(seen.status) || payment.tx_signature) return finish();
  if (seen.status === 'FAILED') return stop(new Over('tx_failed', seen.failure_reason), 'Start again', startAgain);
  if (seen.status === 'EXPIRED') return stop(new Over('payment_expired'), 'Start again', startAgain);
  if (seen.status === 'GONE') memory.forget('payment');
  else if (!payment.wallet && payment.link) return waitForCode(payment);
  show('start', false);
}

/** The payment that the page was opened for may be paid already, from another device. */
async function resumeGiven() {
  const seen = await look(config.payment).catch(() => ({}));
  if (seen.status === 'CONFIRMED' || seen.tx_signature) {
    memory.keep({ payment: { ...config.payment, tx_signature: seen.tx_signature } });
    return finish();
  }
  if (seen.status === 'EXPIRED') return stop(new Over('payment_session_expired'), 'Look again', () => location.reload());
  show('start', false);
}

/** Shows who the buyer is, here and to whatever he goes on with. */
function showBuyer() {
  showIdentity(memory);
  takeAlong(config, memory);
}

function listen(id, event, action) {
  $(id)?.addEventListener(event, action);
}

/** A merchant's picture that does not load leaves no hole. */
function dropBroken(picture) {
  const drop = () => { picture.hidden = true; };
  if (picture.complete && !picture.naturalWidth) drop();
  else picture.addEventListener('error', drop);
}

async function main() {
  document.querySelectorAll('img.logo, img.picture').forEach(dropBroken);
  if (!$('panel-start')) return;
  listen('pay-button', 'click', pay);
  listen('show-qr', 'click', payByCode);
  listen('open-phantom', 'click', payInPhantom);
  listen('working-cancel', 'click', () => { begun(); countdown(null); show('start'); });
  listen('qr-back', 'click', () => { begun(); countdown(null); warn(null); memory.forget('payment'); show('start'); });
  listen('stopped-again', 'click', () => again());
  listen('delivery-copy', 'click', async () => {
    await navigator.clipboard.writeText($('delivery-text').querySelector('code').textContent);
    say('Copied.');
  });
  listen('identity-change', 'click', () => { memory.forget('identity', 'handoff'); showBuyer(); $('identity')?.focus(); });
  watchAmount(config);
  labelPay(config);
  await handoff(config, memory);
  showBuyer();
  offerWallets(config);
  const answer = returned(memory);
  await (answer ? comeBack(answer) : resume()).catch(stumble);
}

main();
