// Checks the receipt in this browser: with the bytes that are on the page, and the keys that the service publishes.

import { fromBase64, toHex } from './bytes.js';

const page = document.getElementById('receipt');
const button = document.getElementById('check');
const list = document.getElementById('check-results');
const status = document.getElementById('check-status');

function result(kind, text) {
  const item = document.createElement('li');
  item.className = `is-${kind}`;
  item.textContent = text;
  list.append(item);
}

async function publishedKey(kid) {
  const response = await fetch('/.well-known/jwks.json', { credentials: 'omit' });
  if (!response.ok) throw new Error('the keys could not be read');
  return (await response.json()).keys.find((key) => key.kid === kid);
}

/** Whether the key signed the bytes; null if this browser does not know Ed25519. */
async function signedBy(key, signature, bytes) {
  const jwk = { kty: key.kty, crv: key.crv, x: key.x };
  const imported = await crypto.subtle.importKey('jwk', jwk, { name: 'Ed25519' }, false, ['verify']).catch(() => null);
  return imported && crypto.subtle.verify({ name: 'Ed25519' }, imported, signature, bytes);
}

async function check() {
  list.replaceChildren();
  list.hidden = false;
  status.textContent = 'Checking…';
  const { kid, hash, signature } = page.dataset;
  const bytes = new TextEncoder().encode(document.getElementById('signed').textContent);
  try {
    const digest = toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)));
    const same = digest === hash;
    result(same ? 'good' : 'bad', same ? 'The content has the fingerprint that was issued.' : 'The content is not what was issued.');
    const key = await publishedKey(kid);
    if (!key) result('bad', 'Hilt does not publish the key that it names.');
    const signed = key && (await signedBy(key, fromBase64(signature), bytes));
    if (key && signed === null) result('unknown', 'This browser does not know Ed25519 signatures. Use the commands below.');
    else if (key) result(signed ? 'good' : 'bad', signed ? 'Hilt’s published key signed it.' : 'Hilt’s published key did not sign it.');
    if (signed === null) status.textContent = 'Checked in part.';
    else status.textContent = same && signed ? 'Your browser agrees: genuine and unchanged.' : 'Your browser does not agree: do not trust this receipt.';
  } catch {
    status.textContent = 'It could not be checked: the keys could not be read. Try again.';
  }
}

// Browsers have cryptography only on secure addresses.
if (window.crypto?.subtle) {
  button.hidden = false;
  button.addEventListener('click', check);
}
