// Who the buyer is: from a signed link (`?handoff=`), or from what he types; signed by his wallet where the seller asks for it.

import { toBase64 } from '../bytes.js';
import { post } from './api.js';
import { $, warn } from './view.js';
import { signMessage, signsMessages } from './wallets.js';
import { explain } from './words.js';

/** Takes the handoff token out of the address, so that it is not copied along, and asks whom it names. */
export async function handoff(config, memory) {
  const address = new URL(location.href);
  const token = address.searchParams.get('handoff');
  if (token === null) return;
  address.searchParams.delete('handoff');
  history.replaceState(null, '', address);
  try {
    const known = await post(`/v1/products/p/${encodeURIComponent(config.slug)}/resolve-handoff`, { handoff_token: token });
    const { identity_type: type, identity_value: value, identity_display: display } = known;
    memory.keep({ handoff: token, identity: { type, value, display: display || value } });
  } catch (error) {
    memory.forget('handoff', 'identity');
    warn(explain(error));
  }
}

/** Shows who the buyer is, if that is known. */
export function showIdentity(memory) {
  const { identity } = memory.get();
  if ($('identity-ask')) $('identity-ask').hidden = Boolean(identity);
  $('identity-known').hidden = !identity;
  $('identity-display').textContent = identity?.display ?? '';
}

/** The identity to pay with: a known one, the typed one, none; `undefined` if one is needed and nothing was typed. */
export function chosenIdentity(config, memory) {
  const { identity } = memory.get();
  if (identity) return identity;
  const field = $('identity');
  if (!field) return null;
  const value = field.value.trim();
  const missing = value === '' && config.identity.required;
  field.setAttribute('aria-invalid', String(missing));
  if (missing) {
    field.focus();
    return undefined;
  }
  return value === '' ? null : { type: config.identity.type, value, display: value };
}

/** An identity as the service's calls name it. */
export function reference(identity) {
  if (!identity) return {};
  const { type, value, display } = identity;
  return { customer_reference_type: type, customer_reference_value: value, customer_reference_display: display };
}

/** Has the wallet sign that it pays for this identity; gives the session that the service verified. */
export async function prove(config, wallet, account, identity) {
  if (!signsMessages(wallet)) throw new Error('the wallet cannot sign messages');
  const started = await post('/v1/pay/identity/start', {
    slug: config.slug,
    wallet_address: account.address,
    wallet_source: source(wallet),
    ...reference(identity),
  });
  const signature = await signMessage(wallet, account, started.challenge_message);
  const verified = await post('/v1/pay/identity/complete', {
    session_id: started.session_id,
    wallet_address: account.address,
    signed_message_b64: toBase64(signature),
  });
  return verified.session_id;
}

/** The wallet's software, as the service's records name it. */
export function source(wallet) {
  return `EXTERNAL_${wallet.name.toUpperCase().replace(/[^A-Z0-9]+/g, '_')}`.slice(0, 64);
}
