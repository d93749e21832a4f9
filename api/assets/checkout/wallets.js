// Wallets of this browser, by the Wallet Standard: each announces itself, or answers when the page says that it is ready.

const SIGN = 'solana:signTransaction';
const SEND = 'solana:signAndSendTransaction';
const MESSAGE = 'solana:signMessage';

const found = [];
let listener = () => {};

function usable(wallet) {
  const features = wallet?.features;
  if (!features || !Array.isArray(wallet.chains)) return false;
  const pays = SIGN in features || SEND in features;
  return pays && 'standard:connect' in features && wallet.chains.some((chain) => chain.startsWith('solana:'));
}

function register(...wallets) {
  for (const wallet of wallets) if (usable(wallet) && !found.includes(wallet)) found.push(wallet);
  listener(found);
  return () => {
    for (const wallet of wallets) if (found.includes(wallet)) found.splice(found.indexOf(wallet), 1);
    listener(found);
  };
}

/** Calls `changed` with the wallets, now and whenever one comes or goes. */
export function discover(changed) {
  listener = changed;
  const api = Object.freeze({ register });
  window.addEventListener('wallet-standard:register-wallet', (event) => {
    if (typeof event.detail === 'function') event.detail(api);
  });
  window.dispatchEvent(new CustomEvent('wallet-standard:app-ready', { detail: api }));
  changed(found);
}

/** An icon that comes with the wallet; one from elsewhere would tell a stranger who pays here. */
export function icon(wallet) {
  return typeof wallet.icon === 'string' && /^data:image\/(png|svg\+xml|webp|gif|jpeg)[;,]/.test(wallet.icon) ? wallet.icon : null;
}

/** Whether the wallet can sign a message, which a signed name needs. */
export function signsMessages(wallet) {
  return MESSAGE in wallet.features;
}

/** Asks for an account. */
export async function connect(wallet) {
  const answer = await wallet.features['standard:connect'].connect();
  const account = accountOf(answer?.accounts ?? wallet.accounts);
  if (!account) throw new Error('the wallet shared no Solana account');
  return account;
}

/** The wallet's first Solana account. */
export function accountOf(accounts) {
  return [...(accounts ?? [])].find((account) => account.chains?.some((chain) => chain.startsWith('solana:')));
}

/** Calls `changed` with the account that the buyer switched to, or with nothing when there is none any more. */
export function watch(wallet, changed) {
  const off = wallet.features['standard:events']?.on('change', (properties) => {
    if (properties.accounts) changed(accountOf(properties.accounts));
  });
  return typeof off === 'function' ? off : () => {};
}

export async function disconnect(wallet) {
  await wallet.features['standard:disconnect']?.disconnect();
}

/** The signature of `text` by the account. */
export async function signMessage(wallet, account, text) {
  const [output] = await wallet.features[MESSAGE].signMessage({ account, message: new TextEncoder().encode(text) });
  return output.signature;
}

/**
 * Has the transaction signed. A wallet that only signs gives it back, and the service sends it to the chain that it watches itself;
 * one that can only send answers with the signature. One of the two is there.
 */
export async function signTransaction(wallet, account, chain, transaction) {
  if (SIGN in wallet.features) {
    const [output] = await wallet.features[SIGN].signTransaction({ account, chain, transaction });
    return { transaction: output.signedTransaction };
  }
  const [output] = await wallet.features[SEND].signAndSendTransaction({ account, chain, transaction });
  return { signature: output.signature };
}

/** Whether an error says that the buyer said no. */
export function declined(error) {
  return error?.code === 4001 || /reject|declin|denied|cancel|closed/i.test(`${error?.name} ${error?.message}`);
}
