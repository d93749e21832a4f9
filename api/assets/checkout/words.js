// What is said when something does not go as it should: what happened, whether money moved, and what to do.

const WORDS = {
  payment_expired: ['This payment ran out of time', 'Nothing was charged. Start again to get a fresh one.'],
  payment_session_expired: ['This payment ran out of time', 'Nothing was charged. Go back to the seller and start again.'],
  payment_not_found: ['This payment is not known here', 'Start again to get a fresh one.'],
  payment_finished: ['This payment is finished', 'Start again to pay once more.'],
  product_not_found: ['This checkout does not exist any more', 'Ask the seller for a fresh link. Nothing was charged.'],
  product_archived: ['This is no longer for sale', 'The seller closed this checkout. Nothing was charged.'],
  max_payments_reached: ['Sold out', 'All places were taken before you could pay. Nothing was charged.'],
  invalid_wallet: ['This wallet cannot pay here', 'Choose another Solana account in your wallet.'],
  payer_wallet_mismatch: ['Another wallet paid', 'This payment was begun with a different wallet. Switch back to that one, or start again with this one.'],
  wallet_mismatch: ['Another wallet signed', 'Switch back to the wallet that you chose here, or start again with this one.'],
  invalid_signature: ['The signature does not fit', 'The wallet signed something else. Try again; nothing was charged.'],
  identity_verification_required: [
    'Your name is not signed yet',
    'If you have paid already, your payment is safe: sign your name with the same wallet and you get access.',
  ],
  identity_session_expired: ['Signing took too long', 'Try again. Nothing was charged for it.'],
  identity_session_consumed: ['This signature was used before', 'Try again to sign a new one.'],
  handoff_expired: ['Your personal link is too old', 'Get a fresh link from where you came, or enter your name here.'],
  invalid_handoff_token: ['Your personal link does not work here', 'Get a fresh link from where you came, or enter your name here.'],
  tx_conflict: ['Another transaction belongs to this payment', 'This one was not counted. If two were sent, show both to the seller.'],
  tx_failed: ['The transaction does not pay this', 'The seller can see what arrived. Show him the transaction below before you pay again.'],
  insufficient_funds: ['Not enough in this wallet', 'It needs the price and a little SOL for the network fee. Nothing was charged.'],
  pricing_unavailable: ['No fresh price is available', 'The price of SOL cannot be read right now. Nothing was charged. Try again in a minute.'],
  chain_unavailable: ['Solana cannot be reached right now', 'Nothing is lost. Try again in a minute.'],
  feature_disabled: ['This cannot be paid here', 'Ask the seller for another way to pay. Nothing was charged.'],
  amount_out_of_range: ['This amount is not possible', 'Choose another one.'],
  underpaid: ['Too little arrived', 'The transaction moved less than the price. Show it to the seller before you pay again.'],
  overpaid: ['Too much arrived', 'The transaction moved more than the price. Show it to the seller.'],
};

/** What to say of an error: `{title, text}`. */
export function explain(error) {
  const reason = [error?.code, ...(error?.blockers ?? [])].findLast((code) => WORDS[code]);
  if (reason) return { title: WORDS[reason][0], text: WORDS[reason][1] };
  if (error?.name === 'Unreachable' || error?.constructor?.name === 'Unreachable') {
    return { title: 'No connection', text: 'The service did not answer. A payment that was sent is not lost: reload this page to go on.' };
  }
  if (error?.status === 429) return { title: 'Too many tries', text: 'Wait a minute and try again.' };
  if (error?.status >= 500) {
    return { title: 'Not available right now', text: 'The fault is on our side. A payment that was sent is not lost: reload this page to go on.' };
  }
  if (error?.status) return { title: 'That was not possible', text: `${error.message}. Nothing was charged.` };
  return { title: 'The wallet could not do it', text: 'Nothing was charged. Try again, or use another wallet.' };
}

/** What to say when the buyer said no in his wallet. */
export const DECLINED = { title: 'You said no in the wallet', text: 'Nothing was charged. Pay when you are ready.' };
