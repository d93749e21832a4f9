// A sent payment, until it is final. What is known is in the tab's memory, so a reload goes on here.

import { get, now, post, wait } from './api.js';
import { reference } from './identity.js';

const FASTEST_MS = 1_000;
const SLOWEST_MS = 8_000;
/** How long the service may take to see a transaction by itself before it is asked to look. */
const ASK_AFTER_MS = 6_000;

/** A payment that came to its end without being paid. */
export class Over extends Error {
  constructor(code, reason) {
    super(code);
    this.code = code;
    this.status = 410;
    this.blockers = reason ? [reason] : [];
  }
}

/** What the service knows of a payment. */
export function look(payment) {
  return get(`/v1/payments/${payment.payment_id}`);
}

/**
 * Waits until the payment is confirmed and returns what was bought. `told` hears of every look, and of trouble; `going` says whether
 * to go on, by throwing when not.
 */
export async function follow(config, memory, told, going) {
  let pause = FASTEST_MS;
  let ask = now() + ASK_AFTER_MS;
  for (;;) {
    going();
    try {
      const seen = await look(memory.get().payment);
      going();
      remember(memory, seen.tx_signature);
      const { payment } = memory.get();
      told({ payment, status: seen.status });
      if (seen.status === 'CONFIRMED') return await confirm(config, payment);
      if (seen.status === 'FAILED') throw new Over('tx_failed', seen.failure_reason);
      if (seen.status === 'EXPIRED') throw new Over('payment_expired');
      if (payment.tx_signature && now() >= ask) {
        ask = now() + ASK_AFTER_MS;
        return await confirm(config, payment);
      }
      // Nothing sent yet: a person is scanning a code, and should not wait for us.
      pause = payment.tx_signature ? Math.min(pause * 1.5, SLOWEST_MS) : 2_000;
    } catch (error) {
      if (!error.passing) throw error;
      if (error.code !== 'tx_not_confirmed') told({ trouble: error });
      pause = Math.max((error.retryAfter ?? 0) * 1_000, Math.min(pause * 1.5, SLOWEST_MS));
    }
    await wait(pause);
  }
}

function remember(memory, signature) {
  const { payment } = memory.get();
  if (signature && payment.tx_signature !== signature) memory.keep({ payment: { ...payment, tx_signature: signature } });
}

/** Has the service look at the chain now; gives what was bought. */
export function confirm(config, payment) {
  const asked = { payment_id: payment.payment_id, slug: config.slug, tx_signature: payment.tx_signature, ...reference(payment.identity) };
  if (payment.wallet) asked.payer_wallet = payment.wallet;
  if (payment.identity_session_id) asked.identity_session_id = payment.identity_session_id;
  return post('/v1/pay/confirm', asked);
}
