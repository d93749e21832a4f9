// One payment, from its beginning to a sent transaction.

import { fromBase64, toBase58, toBase64 } from '../bytes.js';
import { ask, now, post } from './api.js';
import { prove, reference, source } from './identity.js';
import { signTransaction } from './wallets.js';

/** With less time than this left, a payment is not worth going on with. */
const TOO_LATE_MS = 45_000;

/** The steps of a payment by wallet. */
export function steps(config) {
  return ['prepare', ...(config.identity?.required ? ['identity'] : []), 'approve', 'send', 'final'];
}

/**
 * The payment that this order pays: the one that the page was opened for, an unpaid one of the same order, or a new one. A product may
 * have few places, so a second try takes no second place.
 */
export async function begin(config, memory, order) {
  const { wallet = null, amount, identity } = order;
  const kept = memory.get().payment;
  const same = kept && !kept.tx_signature && kept.wallet === wallet && kept.order === orderOf(amount, identity);
  if (same && Date.parse(kept.expires_at) - now() > TOO_LATE_MS) return kept;
  const started = config.payment ?? (await create(config, order));
  const payment = { ...started, wallet, order: orderOf(amount, identity), identity };
  memory.keep({ payment });
  return payment;
}

async function create(config, { wallet, amount, identity }) {
  const way = wallet ? 'connect' : 'solana-pay';
  const asked = { ...reference(identity) };
  if (wallet) asked.payer_wallet = wallet;
  if (config.amount === null) asked.amount_minor_units = amount;
  const answer = await post(`/v1/products/p/${encodeURIComponent(config.slug)}/${way}`, asked);
  return {
    payment_id: answer.payment_id,
    expires_at: answer.expires_at,
    link: answer.url ?? null,
    phantom: answer.phantom_mobile?.connect_url ?? null,
    amount: answer.amount_minor_units ?? amount,
    merchant: answer.merchant_amount_minor_units ?? null,
    fee: answer.fee_minor_units ?? null,
  };
}

function orderOf(amount, identity) {
  return JSON.stringify([amount, identity?.type, identity?.value]);
}

/**
 * Pays by a wallet of this browser; `at` is told each step, and `going` says whether the buyer still wants it. Returns once the
 * transaction is sent and remembered.
 */
export async function payByWallet(config, memory, { wallet, account, amount, identity }, at, going) {
  at('prepare');
  const payment = await begin(config, memory, { wallet: account.address, amount, identity });
  at('prepare', payment);
  let identitySession = payment.identity_session_id;
  if (config.identity?.required && !identitySession) {
    at('identity', payment);
    identitySession = await prove(config, wallet, account, identity);
    keep(memory, { identity_session_id: identitySession });
    going();
  }
  at('approve', payment);
  const { transaction } = await ask('/v1/pay/transaction', { payment_id: payment.payment_id, payer_wallet: account.address });
  const signed = await signTransaction(wallet, account, config.chain, fromBase64(transaction));
  going();
  at('send', payment);
  const shared = { payment_id: payment.payment_id, payer_wallet: account.address, wallet_source: source(wallet) };
  if (signed.transaction) {
    const sent = await post('/v1/pay/submit', { ...shared, transaction: toBase64(signed.transaction) });
    keep(memory, { tx_signature: sent.tx_signature });
  } else {
    // It is on its way already: remember it before anything else can go wrong.
    const signature = toBase58(signed.signature);
    keep(memory, { tx_signature: signature });
    await post('/v1/pay/broadcast', { ...shared, tx_signature: signature });
  }
}

function keep(memory, values) {
  memory.keep({ payment: { ...memory.get().payment, ...values } });
}
