// A paid endpoint: it asks Hilt whether the customer has paid, and answers 402 with what to pay until he has.
//
// Everything that Hilt needs is in this file. The key stays on this server; the customer only ever sees what he has to pay.

import { createHash, randomUUID } from "node:crypto";
import express from "express";
import { Webhook } from "standardwebhooks";

const env = process.env;
const API_URL = env.HILT_API_URL ?? "http://127.0.0.1:8080";
const API_KEY = env.HILT_API_KEY;
if (!API_KEY) throw new Error("HILT_API_KEY is not set");
const PRODUCT = env.HILT_PAY_API_PRODUCT ?? "pro-ai-api";
const RAIL = env.HILT_PAY_API_RAIL ?? "solana_usdc";
// `none` opens plain sessions on the settlement rail, for buyers who do not speak x402.
const PROTOCOL = env.HILT_PAY_API_PAYMENT_PROTOCOL ?? "x402";
const SETTLEMENT_RAIL = env.HILT_PAY_API_SETTLEMENT_RAIL ?? RAIL;
const RESOURCE = `${env.PUBLIC_URL ?? "http://127.0.0.1:8088"}/ai/pro`;
const WEBHOOK_SECRET = env.HILT_WEBHOOK_SECRET;
// With a sandbox key nothing costs money: sessions are confirmed with a proof that the service shows once.
const SANDBOX = API_KEY.startsWith("hk_sandbox_");

// The proofs of sandbox sessions. They are this server's, like the key. A proof is shown once, so after a restart other sessions are
// opened.
const sandboxProofs = new Map();
const RUN = SANDBOX ? randomUUID() : null;

// An answer that is not what the caller asked for.
class Refused extends Error {
  constructor(status, body, headers = {}) {
    super(body.error ?? body.code);
    Object.assign(this, { status, body, headers });
  }
}

// Asks Hilt. What Hilt refuses is this server's own problem, unless the caller's words were wrong.
async function ask(path, body, idempotencyKey) {
  const headers = { "Content-Type": "application/json", "X-Hilt-Key": API_KEY };
  if (idempotencyKey) headers["Idempotency-Key"] = idempotencyKey;
  let answer;
  try {
    answer = await fetch(API_URL + path, {
      method: "POST", headers, body: JSON.stringify(body), signal: AbortSignal.timeout(20_000),
    });
  } catch (error) {
    console.error(error);
    throw new Refused(502, { error: "the payment service cannot be reached" });
  }
  const said = await answer.json();
  if (answer.ok) return said;
  const status = [404, 408, 409, 410, 422].includes(answer.status) ? answer.status : 502;
  throw new Refused(status, { error: said.detail, code: said.code });
}

// The source of truth: work is done only when `has_access` is true.
function check(customer) {
  return ask("/v1/access/entitlements/check", { external_product_id: PRODUCT, rail: RAIL, external_customer_id: customer });
}

// An idempotency key: asking again within a quarter of an hour finds the same session instead of opening another.
function operation(customer, ...parts) {
  const words = [PRODUCT, SETTLEMENT_RAIL, customer, Math.floor(Date.now() / 900_000), RUN, ...parts];
  return createHash("sha256").update(JSON.stringify(words)).digest("hex");
}

async function openSession(customer, email, key) {
  const body = { external_product_id: PRODUCT, external_customer_id: customer };
  if (email) body.email = email;
  if (SANDBOX) {
    Object.assign(body, { rail: SETTLEMENT_RAIL, confirm_sandbox_mode: true });
    const { proof, ...session } = (await ask("/v1/access/sandbox/payment-sessions", body, key)).sandbox_session;
    if (proof) sandboxProofs.set(session.id, proof);
    return session;
  }
  Object.assign(body, { settlement_rail: SETTLEMENT_RAIL, metadata: { resource: RESOURCE } });
  if (PROTOCOL !== "none") body.payment_protocol = PROTOCOL;
  return (await ask("/v1/access/payment-sessions", body, key)).payment_session;
}

async function paymentRequired(customer, entitlement) {
  const session = await openSession(customer, undefined, operation(customer, "402"));
  const requirement = session.payment_requirement ?? null;
  const body = {
    code: "payment_required",
    payment_protocol: PROTOCOL,
    settlement_rail: SETTLEMENT_RAIL,
    entitlement,
    payment_session: session,
    payment_requirement: requirement,
  };
  const x402 = requirement?.x402;
  if (!x402) return new Refused(402, body);
  // Clients of x402 read version 2 from the header, and version 1 from the body.
  return new Refused(402, { ...x402.v1_body, ...body }, { "PAYMENT-REQUIRED": x402.payment_required_header });
}

// Hands a client's x402 payment to Hilt's facilitator, which says what came of it.
async function settle(req, customer) {
  const header = req.header("PAYMENT-SIGNATURE") ?? req.header("X-PAYMENT");
  if (!header) return undefined;
  let payload;
  try {
    payload = JSON.parse(Buffer.from(header, "base64").toString());
  } catch {
    throw new Refused(400, { error: "the payment header is not base64 of JSON" });
  }
  // Version 2 says what it accepted; in version 1 it is what this customer was asked for.
  const requirements = payload?.accepted ?? (await paymentRequired(customer, await check(customer))).body.accepts?.[0];
  const body = { x402Version: payload?.x402Version, paymentPayload: payload, paymentRequirements: requirements };
  return ask("/v1/x402/settle", body);
}

async function paidAccess(req, res, next) {
  const customer = req.header("X-Customer-Id");
  if (!customer) throw new Refused(400, { error: "X-Customer-Id required" });
  const settled = await settle(req, customer);
  const entitlement = await check(customer);
  if (settled) {
    const header = Buffer.from(JSON.stringify(settled)).toString("base64");
    res.set({ "PAYMENT-RESPONSE": header, "X-PAYMENT-RESPONSE": header });
  }
  if (!entitlement.has_access) {
    const refusal = await paymentRequired(customer, entitlement);
    if (settled && !settled.success) refusal.body.error = settled.errorReason;
    throw refusal;
  }
  res.locals.entitlement = entitlement;
  next();
}

const app = express();

// What Hilt tells of its own accord. A message that Hilt did not sign is not from Hilt, and even a signed one only says that it is
// worth asking again: access comes from the check alone. The signature is over the bytes, so this comes before they are parsed.
app.post("/hilt/webhook", express.raw({ type: "*/*" }), (req, res) => {
  if (!WEBHOOK_SECRET) throw new Refused(503, { error: "HILT_WEBHOOK_SECRET is not set" });
  let message;
  try {
    message = new Webhook(WEBHOOK_SECRET).verify(Buffer.from(req.body ?? "").toString(), req.headers);
  } catch {
    throw new Refused(401, { error: "the signature is not Hilt's" });
  }
  console.log(`hilt: ${message.type} (${req.header("webhook-id")})`);
  res.status(204).end();
});

app.use(express.json());

app.post("/ai/pro", paidAccess, (_, res) => {
  const { receipt_id, rail_id } = res.locals.entitlement;
  res.json({ answer: "paid response", receipt_id, rail_id });
});

// Opens a session for a customer who wants to pay before he uses anything.
app.post("/checkout", async (req, res) => {
  const { external_customer_id: customer, email } = req.body ?? {};
  if (typeof customer !== "string") throw new Refused(422, { error: "external_customer_id required" });
  const session = await openSession(customer, email, operation(customer, "checkout", email ?? null));
  res.json({
    payment_session_id: (SANDBOX ? "demo_ps_" : "") + session.id,
    status: session.status,
    checkout_url: session.checkout_url ?? null,
    payment_requirement: session.payment_requirement ?? null,
  });
});

// Passes a proof on. It grants nothing by itself: the next check says whether it did.
app.post("/payment-proof", async (req, res) => {
  const { payment_signature, payment_session_id, ...proof } = req.body ?? {};
  if (typeof payment_session_id !== "string") throw new Refused(422, { error: "payment_session_id required" });
  const session = payment_session_id.replace(/^demo_ps_/, "");
  if (SANDBOX) {
    // Any words will do for a signature: nothing is paid.
    if (!payment_signature) throw new Refused(422, { error: "payment_signature required" });
    if ((proof.settlement_rail ?? SETTLEMENT_RAIL) !== SETTLEMENT_RAIL) {
      throw new Refused(422, { error: `this product is sold over ${SETTLEMENT_RAIL}` });
    }
    if (!sandboxProofs.has(session)) throw new Refused(404, { error: "there is no such session" });
    const path = `/v1/access/sandbox/payment-sessions/${session}/confirm`;
    const confirmed = await ask(path, { proof: sandboxProofs.get(session) }, `confirm-${session}`);
    return res.json({ status: confirmed.sandbox_session.status });
  }
  const { external_customer_id, settlement_rail = SETTLEMENT_RAIL, tx_signature, network, asset, pay_to } = proof;
  const said = { external_customer_id, settlement_rail, tx_signature, network, asset, pay_to, payment_session_id: session };
  if (PROTOCOL !== "none") said.payment_protocol = PROTOCOL;
  const recorded = await ask("/v1/access/payment-proofs", said, `proof-${session}-${tx_signature}`);
  res.json({ status: recorded.proof.status, grants_access: recorded.grants_access });
});

app.use((error, _req, res, next) => {
  if (res.headersSent) return next(error);
  if (error instanceof Refused) return res.status(error.status).set(error.headers).json(error.body);
  const status = error.status >= 400 && error.status < 500 ? error.status : 500;
  if (status === 500) console.error(error);
  res.status(status).json({ error: status === 500 ? "something went wrong here" : "the body is not JSON" });
});

const server = app.listen(Number(env.PORT ?? 8088), env.HOST ?? "127.0.0.1", () => {
  console.log(`listening on port ${server.address().port}`);
});
