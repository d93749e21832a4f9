// A merchant's endpoint behind x402: it asks the ledger whether the customer has paid, answers 402 with what the ledger requires, and has
// payments verified and settled by the ledger's facilitator, through x402's own client for facilitators. Prints one JSON line with its
// address and ends when stdin closes. Settings: HILT_API_URL, HILT_API_KEY, HILT_PAY_API_PRODUCT, X402_VERSION.
import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { HTTPFacilitatorClient } from '@x402/core/server';
import {
  decodePaymentSignatureHeader,
  encodePaymentRequiredHeader,
  encodePaymentResponseHeader,
} from '@x402/core/http';

const { HILT_API_URL, HILT_API_KEY, HILT_PAY_API_PRODUCT, X402_VERSION = '2' } = process.env;
const facilitator = new HTTPFacilitatorClient({
  url: `${HILT_API_URL}/v1/x402`,
  createAuthHeaders: async () => {
    const headers = { 'X-Merchant': 'not-a-credential' };
    return { verify: headers, settle: headers, supported: headers };
  },
});

async function hilt(path, body) {
  const response = await fetch(`${HILT_API_URL}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-hilt-key': HILT_API_KEY },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

const customerOf = (request) => ({
  external_product_id: HILT_PAY_API_PRODUCT,
  external_customer_id: request.headers['x-customer-id'],
});

async function pay(request, required, v1) {
  const header = request.headers['payment-signature'] ?? request.headers['x-payment'];
  if (!header) return undefined;
  const payload = decodePaymentSignatureHeader(header);
  const accepts = payload.x402Version === 1 ? v1.accepts[0] : required.accepts[0];
  const verified = await facilitator.verify(payload, accepts);
  if (!verified.isValid) return { error: verified.invalidReason };
  const settled = await facilitator.settle(payload, accepts);
  return settled.success ? { settled } : { error: settled.errorReason, settled };
}

const server = createServer(async (request, response) => {
  const answer = (status, body, headers = {}) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  };
  try {
    const customer = customerOf(request);
    const check = () => hilt('/v1/access/entitlements/check', { ...customer, rail: 'solana_usdc' });
    const paidBody = (entitlement) => ({ answer: 'paid response', receipt_id: entitlement.receipt_id, rail_id: entitlement.rail_id });
    const entitlement = await check();
    if (entitlement.has_access) return answer(200, paidBody(entitlement));
    const opened = await hilt('/v1/access/payment-sessions', {
      ...customer,
      payment_protocol: 'x402',
      settlement_rail: 'solana_usdc',
      metadata: { resource: `http://${request.headers.host}/ai/pro` },
    });
    const { payment_required: required, v1_body: v1 } = opened.payment_session.payment_requirement.x402;
    const paid = await pay(request, required, v1);
    if (paid?.settled?.success) {
      const told = encodePaymentResponseHeader(paid.settled);
      return answer(200, paidBody(await check()), { 'payment-response': told, 'x-payment-response': told });
    }
    const body = { code: 'payment_required', ...v1, error: paid?.error ?? v1.error, payment_session: opened.payment_session };
    const headers = X402_VERSION === '2' ? { 'payment-required': encodePaymentRequiredHeader(required) } : {};
    return answer(402, body, headers);
  } catch (error) {
    return answer(500, { error: String(error), id: randomUUID() });
  }
});
server.listen(0, '127.0.0.1', async () => {
  const supported = await facilitator.getSupported();
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${server.address().port}/ai/pro`, supported })}\n`);
});
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
process.stdin.on('error', () => process.exit(0));
