// What the buyer gets.

import { wait } from './api.js';
import { confirm } from './follow.js';
import { format } from './money.js';
import { $, fill, say, short } from './view.js';

const STATES = {
  PENDING: 'Your access is being prepared. This page shows it as soon as it is there.',
  RETRY_SCHEDULED: 'Your access could not be handed over yet. It is tried again by itself; you need not stay here.',
  FAILED: 'Your access could not be handed over yet. It is tried again by itself; you need not stay here.',
  MANUAL_REVIEW: 'Your access could not be handed over by itself. The seller was told and takes care of it.',
};

/** An address that a button may lead to: never a script. */
function link(value) {
  try {
    const url = new URL(value);
    return ['https:', 'http:'].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** Shows what was bought. */
export function deliver(config, payment, bought) {
  const target = bought.delivery_value ? link(bought.delivery_value) : null;
  $('delivery-link').hidden = !target;
  if (target) $('delivery-link').href = target;
  const text = target ? null : bought.delivery_value || null;
  fill($('delivery-text'), text, $('delivery-text').querySelector('code'));
  fill($('delivery-note'), bought.delivery_value ? null : (STATES[bought.delivery_status] ?? null));
  $('done-text').textContent = 'The payment is final. Nothing more is to be done.';
  const until = bought.membership_period_end_at && new Date(bought.membership_period_end_at);
  const day = until && until.toLocaleDateString(undefined, { dateStyle: 'long' });
  fill($('done-until'), day || null, $('done-until').querySelector('dd'));
  const amount = bought.amount_minor_units ?? payment.amount ?? config.amount;
  const paid = amount ? `${format(amount, config.decimals)} ${config.symbol}` : null;
  fill($('done-amount'), paid, $('done-amount').querySelector('dd'));
  const tx = bought.tx_signature ?? payment.tx_signature;
  fill($('done-tx'), tx ? short(tx) : null, $('done-tx').querySelector('code'));
  $('receipt-link').hidden = !bought.receipt_id;
  if (bought.receipt_id) $('receipt-link').href = `/r/${encodeURIComponent(bought.receipt_id)}`;
}

/** Looks again while access is being handed over, less and less often. */
export async function untilDelivered(config, payment, bought, going) {
  for (let pause = 2_000; !bought.delivery_value && bought.delivery_status === 'PENDING' && pause < 60_000; pause *= 1.4) {
    await wait(pause);
    going();
    bought = await confirm(config, payment).catch(() => bought);
    if (bought.delivery_status === 'PENDING') continue;
    deliver(config, payment, bought);
    say($('delivery-note').hidden ? 'Your access is ready.' : $('delivery-note').textContent);
  }
}
