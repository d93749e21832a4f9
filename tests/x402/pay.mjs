// Pays for a URL with x402's own client, in the version asked for, and prints one JSON line with what came of it.
// Reads {url, method, headers, body, version, rpcUrl, secret} from stdin; the secret is 64 bytes in hex.
import { createKeyPairSignerFromBytes } from '@solana/kit';
import { decodePaymentResponseHeader, wrapFetchWithPayment, x402Client } from '@x402/fetch';
import { ExactSvmScheme } from '@x402/svm/exact/client';
import { ExactSvmSchemeV1 } from '@x402/svm/exact/v1/client';

let input = '';
for await (const chunk of process.stdin) input += chunk;
const { url, method = 'GET', headers = {}, body, version, rpcUrl, secret } = JSON.parse(input);

const signer = await createKeyPairSignerFromBytes(Buffer.from(secret, 'hex'));
const client = new x402Client();
// By itself the client pays a dollar at most.
client.setSpendControls({ maxAmountPerPayment: false });
if (version === 1) client.registerV1('solana', new ExactSvmSchemeV1(signer, { rpcUrl }));
else client.register('solana:*', new ExactSvmScheme(signer, { rpcUrl }));

// What the client sends, so that a test can send it again.
const sent = {};
const keeping = async (request, init) => {
  const asked = new Request(request, init);
  for (const name of ['payment-signature', 'x-payment']) {
    if (asked.headers.has(name)) sent[name] = asked.headers.get(name);
  }
  const answer = await fetch(asked);
  if (version !== 1) return answer;
  // A client of the time of version 1 knows no header of version 2.
  const headers = new Headers(answer.headers);
  headers.delete('payment-required');
  return new Response(answer.body, { status: answer.status, headers });
};
const response = await wrapFetchWithPayment(keeping, client)(url, {
  method,
  headers: body ? { 'content-type': 'application/json', ...headers } : headers,
  body: body && JSON.stringify(body),
});
const told = response.headers.get('payment-response') ?? response.headers.get('x-payment-response');
console.log(JSON.stringify({
  status: response.status,
  body: await response.json(),
  settled: told && decodePaymentResponseHeader(told),
  sent,
}));
