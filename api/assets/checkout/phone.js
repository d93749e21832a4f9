// Paying without a wallet in this browser: a QR code; Phantom's app by links that lead there and back; or this page in the browser
// of Phantom's app.

import { post } from './api.js';
import { reference } from './identity.js';
import { $, fill } from './view.js';

const AWAY = 'hilt:away';

/** Whether this is a phone or a tablet. */
export function isPhone() {
  return /Android|iPhone|iPad|iPod/i.test(navigator.userAgent);
}

/** On a phone without a wallet in its browser: the way to Phantom. */
export function offerApp(wallets) {
  $('open-phantom').hidden = !isPhone() || wallets.length > 0;
}

/** Where this page can be taken, to Phantom's browser or by its code to a phone: the buyer goes on there as who he is here. */
export function takeAlong(config, memory) {
  const { handoff } = memory.get();
  const address = new URL(location.href);
  if (handoff) address.searchParams.set('handoff', handoff);
  $('open-phantom').href = `https://phantom.app/ul/browse/${encodeURIComponent(address.href)}?ref=${encodeURIComponent(location.origin)}`;
  if (!$('page-code')) return;
  const carried = handoff ? `?handoff=${encodeURIComponent(handoff)}` : '';
  $('page-code').src = `/pages/qr/checkout/${encodeURIComponent(config.slug)}.svg${carried}`;
}

/** The code and the link of a payment. */
export function showCode(payment, amount) {
  $('qr-code').src = `/pages/qr/payment/${encodeURIComponent(payment.payment_id)}.svg`;
  $('qr-amount').textContent = amount;
  $('qr-link').hidden = !payment.link?.startsWith('solana:');
  if (!$('qr-link').hidden) $('qr-link').href = payment.link;
}

/** Shows the next link into Phantom. A phone opens an app only from a link that a person has pressed. */
export function leadOn(memory, url, text) {
  fill($('working-next'), text);
  $('working-next').href = url;
  // Phantom comes back in whatever tab the phone likes, so what this tab knows has to be where every tab can find it.
  try {
    localStorage.setItem(AWAY, JSON.stringify(memory.get()));
  } catch {
    // Then only this tab can go on.
  }
}

/** What Phantom came back with, taken out of the address; null if this is no way back. */
export function returned(memory) {
  const answer = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  if (!answer.phantom) return null;
  history.replaceState(null, '', location.pathname + location.search);
  try {
    const away = JSON.parse(localStorage.getItem(AWAY));
    localStorage.removeItem(AWAY);
    if (away?.payment?.payment_id === answer.payment_id) memory.keep(away);
  } catch {
    // Nothing was kept; the payment is still named in the address.
  }
  if (memory.get().payment?.payment_id !== answer.payment_id) memory.keep({ payment: { payment_id: answer.payment_id } });
  return answer;
}

/** Hands Phantom's answer in; gives `{url, step}` to lead on to, or nothing once the transaction is sent. */
export async function handIn(config, memory, answer) {
  const { payment } = memory.get();
  const { phantom: step, payment_id, identity_session_id, phantom_encryption_public_key, nonce, data, errorCode } = answer;
  if (errorCode) throw Object.assign(new Error('rejected in Phantom'), { code: Number(errorCode) });
  if (step === 'connect') {
    const connected = await post('/v1/pay/phantom/connect/callback', { payment_id, phantom_encryption_public_key, nonce, data });
    memory.keep({ payment: { ...payment, wallet: connected.wallet_address } });
    if (config.identity?.required) return signName(config, memory);
  } else if (step === 'message') {
    await post('/v1/pay/phantom/message/callback', { payment_id, identity_session_id, nonce, data });
    memory.keep({ payment: { ...payment, identity_session_id } });
  } else {
    const sent = await post('/v1/pay/phantom/transaction/callback', { payment_id, nonce, data });
    memory.keep({ payment: { ...payment, tx_signature: sent.tx_signature } });
    return null;
  }
  const { url } = await post('/v1/pay/phantom/transaction-url', { payment_id });
  return { url, step: 'approve' };
}

async function signName(config, memory) {
  const { payment } = memory.get();
  const started = await post('/v1/pay/identity/start', {
    slug: config.slug,
    wallet_address: payment.wallet,
    wallet_source: 'PHANTOM_MOBILE',
    ...reference(payment.identity),
  });
  const asked = { payment_id: payment.payment_id, identity_session_id: started.session_id };
  const { url } = await post('/v1/pay/phantom/message-url', asked);
  return { url, step: 'identity' };
}
