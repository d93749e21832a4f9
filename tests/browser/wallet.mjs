// A wallet by the Wallet Standard, with a real key. Its inside is written apart from the page's: it reads the transaction's bytes by
// itself and signs the message in them.
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';

const ALPHABET = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const PKCS8 = Buffer.from('302e020100300506032b657004220420', 'hex');

function base58(bytes) {
  let number = BigInt(`0x${Buffer.from(bytes).toString('hex')}`);
  let text = '';
  for (; number > 0n; number /= 58n) text = ALPHABET[Number(number % 58n)] + text;
  return '1'.repeat(bytes.findIndex((byte) => byte !== 0)) + text;
}

function keyOf(seedHex) {
  const secret = createPrivateKey({ key: Buffer.concat([PKCS8, Buffer.from(seedHex, 'hex')]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' });
  return { secret, bytes: spki.subarray(spki.length - 32) };
}

/** Reads a compact-u16 at `at`: `[value, next]`. */
function compact(bytes, at) {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value |= (byte & 0x7f) << shift;
    if (byte < 0x80) return [value, at];
  }
}

/** Signs a transaction: puts the key's signature where the message wants it. */
export function signTransaction(transaction, key) {
  const signed = Buffer.from(transaction);
  const [signatures, start] = compact(signed, 0);
  const message = signed.subarray(start + signatures * 64);
  const header = message[0] & 0x80 ? 1 : 0;
  const [, accounts] = compact(message, header + 3);
  for (let signer = 0; signer < message[header]; signer += 1) {
    if (message.subarray(accounts + signer * 32, accounts + signer * 32 + 32).equals(key.bytes)) {
      sign(null, message, key.secret).copy(signed, start + signer * 64);
      return signed;
    }
  }
  throw new Error('the transaction does not ask for this wallet');
}

/**
 * Puts wallets into a page before its own scripts. `seed` is the key; `mood` may be `decline` (says no), `hang` (never answers) or
 * `sign`; `messages` says whether it signs messages; `also` names more wallets without a use.
 */
export async function installWallet(page, { seed, name = 'Test Wallet', mood = 'sign', messages = true, also = [] }) {
  const key = keyOf(seed);
  const state = { mood, asked: [], address: base58(key.bytes) };
  await page.exposeFunction('hiltTestWallet', (kind, base64) => {
    state.asked.push(kind);
    if (state.mood === 'decline') return { declined: true };
    if (state.mood === 'hang') return new Promise(() => {});
    const bytes = Buffer.from(base64, 'base64');
    const answer = kind === 'message' ? sign(null, bytes, key.secret) : signTransaction(bytes, key);
    return { bytes: answer.toString('base64') };
  });
  await page.addInitScript(announce, { names: [name, ...also], address: state.address, publicKey: [...key.bytes], messages });
  return state;
}

/** Runs in the page. */
function announce({ names, address, publicKey, messages }) {
  const icon = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 24 24'%3E%3Crect width='24' height='24' rx='6' fill='%236d4fe0'/%3E%3Ccircle cx='12' cy='12' r='5' fill='%23fff'/%3E%3C/svg%3E";
  const toBase64 = (bytes) => btoa(String.fromCharCode(...bytes));
  const fromBase64 = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  const ask = async (kind, bytes) => {
    const answer = await window.hiltTestWallet(kind, toBase64(bytes));
    if (answer.declined) throw Object.assign(new Error('User rejected the request.'), { code: 4001 });
    return fromBase64(answer.bytes);
  };
  const account = { address, publicKey: Uint8Array.from(publicKey), chains: ['solana:mainnet', 'solana:localnet'], features: [] };
  for (const name of names) {
    const listeners = new Set();
    const wallet = { version: '1.0.0', name, icon, chains: ['solana:mainnet', 'solana:localnet'], accounts: [], features: {} };
    Object.assign(wallet.features, {
      'standard:connect': { version: '1.0.0', connect: async () => { wallet.accounts = [account]; return { accounts: [account] }; } },
      'standard:disconnect': { version: '1.0.0', disconnect: async () => { wallet.accounts = []; } },
      'standard:events': { version: '1.0.0', on: (_, listener) => { listeners.add(listener); return () => listeners.delete(listener); } },
      'solana:signTransaction': {
        version: '1.0.0',
        supportedTransactionVersions: ['legacy', 0],
        signTransaction: async ({ transaction }) => [{ signedTransaction: await ask('transaction', transaction) }],
      },
    });
    if (messages) {
      wallet.features['solana:signMessage'] = {
        version: '1.0.0',
        signMessage: async ({ message }) => [{ signedMessage: message, signature: await ask('message', message) }],
      };
    }
    const announceTo = (api) => api.register(wallet);
    window.addEventListener('wallet-standard:app-ready', (event) => announceTo(event.detail));
    window.dispatchEvent(new CustomEvent('wallet-standard:register-wallet', { detail: announceTo }));
  }
}
