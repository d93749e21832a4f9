"""A paid endpoint: it asks Hilt whether the customer has paid, and answers 402 with what to pay until he has.

Everything that Hilt needs is in this file. The key stays on this server; the customer only ever sees what he has to pay.
"""

import base64
import hashlib
import json
import os
import time
from contextlib import asynccontextmanager
from typing import Annotated, Any
from uuid import uuid4

import httpx
from fastapi import Depends, FastAPI, Header, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from standardwebhooks import Webhook, WebhookVerificationError

API_URL = os.environ.get("HILT_API_URL", "http://127.0.0.1:8080")
API_KEY = os.environ["HILT_API_KEY"]
PRODUCT = os.environ.get("HILT_PAY_API_PRODUCT", "pro-ai-api")
RAIL = os.environ.get("HILT_PAY_API_RAIL", "solana_usdc")
# `none` opens plain sessions on the settlement rail, for buyers who do not speak x402.
PROTOCOL = os.environ.get("HILT_PAY_API_PAYMENT_PROTOCOL", "x402")
SETTLEMENT_RAIL = os.environ.get("HILT_PAY_API_SETTLEMENT_RAIL", RAIL)
RESOURCE = os.environ.get("PUBLIC_URL", "http://127.0.0.1:8088") + "/ai/pro"
WEBHOOK_SECRET = os.environ.get("HILT_WEBHOOK_SECRET")
# With a sandbox key nothing costs money: sessions are confirmed with a proof that the service shows once.
SANDBOX = API_KEY.startswith("hk_sandbox_")

hilt: httpx.AsyncClient
# The proofs of sandbox sessions. They are this server's, like the key. A proof is shown once, so after a restart other sessions are
# opened.
sandbox_proofs: dict[str, str] = {}
RUN = uuid4().hex if SANDBOX else None


@asynccontextmanager
async def lifespan(_: FastAPI):
    global hilt
    async with httpx.AsyncClient(base_url=API_URL, headers={"X-Hilt-Key": API_KEY}, timeout=20) as hilt:
        yield


app = FastAPI(title="A paid endpoint", lifespan=lifespan)


class Refused(Exception):
    """An answer that is not what the caller asked for."""

    def __init__(self, status: int, body: dict[str, Any], headers: dict[str, str] | None = None):
        self.status, self.body, self.headers = status, body, headers or {}


@app.exception_handler(Refused)
async def refused(_: Request, refusal: Refused) -> JSONResponse:
    return JSONResponse(refusal.body, refusal.status, refusal.headers)


async def ask(path: str, body: dict[str, Any], idempotency_key: str | None = None) -> dict[str, Any]:
    """Asks Hilt. What Hilt refuses is this server's own problem, unless the caller's words were wrong."""
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    try:
        answer = await hilt.post(path, json=body, headers=headers)
    except httpx.HTTPError as error:
        raise Refused(502, {"error": "the payment service cannot be reached"}) from error
    if answer.is_success:
        return answer.json()
    problem = answer.json()
    status = answer.status_code if answer.status_code in (404, 408, 409, 410, 422) else 502
    raise Refused(status, {"error": problem["detail"], "code": problem["code"]})


async def check(customer: str) -> dict[str, Any]:
    """The source of truth: work is done only when `has_access` is true."""
    body = {"external_product_id": PRODUCT, "rail": RAIL, "external_customer_id": customer}
    return await ask("/v1/access/entitlements/check", body)


def operation(customer: str, *parts: object) -> str:
    """An idempotency key: asking again within a quarter of an hour finds the same session instead of opening another."""
    words = [PRODUCT, SETTLEMENT_RAIL, customer, int(time.time() // 900), RUN, *parts]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


async def open_session(customer: str, email: str | None, key: str) -> dict[str, Any]:
    body: dict[str, Any] = {"external_product_id": PRODUCT, "external_customer_id": customer}
    if email:
        body["email"] = email
    if SANDBOX:
        body |= {"rail": SETTLEMENT_RAIL, "confirm_sandbox_mode": True}
        session = (await ask("/v1/access/sandbox/payment-sessions", body, key))["sandbox_session"]
        if proof := session.pop("proof", None):
            sandbox_proofs[session["id"]] = proof
        return session
    body |= {"settlement_rail": SETTLEMENT_RAIL, "metadata": {"resource": RESOURCE}}
    if PROTOCOL != "none":
        body["payment_protocol"] = PROTOCOL
    return (await ask("/v1/access/payment-sessions", body, key))["payment_session"]


async def payment_required(customer: str, entitlement: dict[str, Any]) -> Refused:
    session = await open_session(customer, None, operation(customer, "402"))
    requirement = session.get("payment_requirement")
    body = {
        "code": "payment_required",
        "payment_protocol": PROTOCOL,
        "settlement_rail": SETTLEMENT_RAIL,
        "entitlement": entitlement,
        "payment_session": session,
        "payment_requirement": requirement,
    }
    x402 = (requirement or {}).get("x402")
    if not x402:
        return Refused(402, body)
    # Clients of x402 read version 2 from the header, and version 1 from the body.
    return Refused(402, (x402.get("v1_body") or {}) | body, {"PAYMENT-REQUIRED": x402["payment_required_header"]})


async def settle(request: Request, customer: str) -> dict[str, Any] | None:
    """Hands a client's x402 payment to Hilt's facilitator, which says what came of it."""
    header = request.headers.get("PAYMENT-SIGNATURE") or request.headers.get("X-PAYMENT")
    if not header:
        return None
    try:
        payload = json.loads(base64.b64decode(header, validate=True))
    except ValueError as error:
        raise Refused(400, {"error": "the payment header is not base64 of JSON"}) from error
    # Version 2 says what it accepted; in version 1 it is what this customer was asked for.
    if isinstance(payload, dict) and isinstance(payload.get("accepted"), dict):
        requirements = payload["accepted"]
    else:
        required = (await payment_required(customer, await check(customer))).body
        requirements = next(iter(required.get("accepts", [])), None)
    version = payload.get("x402Version") if isinstance(payload, dict) else None
    body = {"x402Version": version, "paymentPayload": payload, "paymentRequirements": requirements}
    return await ask("/v1/x402/settle", body)


async def paid_access(
    request: Request, response: Response, x_customer_id: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    if not x_customer_id:
        raise Refused(400, {"error": "X-Customer-Id required"})
    settled = await settle(request, x_customer_id)
    entitlement = await check(x_customer_id)
    told = {}
    if settled:
        header = base64.b64encode(json.dumps(settled).encode()).decode()
        told = {"PAYMENT-RESPONSE": header, "X-PAYMENT-RESPONSE": header}
    if not entitlement["has_access"]:
        refusal = await payment_required(x_customer_id, entitlement)
        if settled and not settled["success"]:
            refusal.body["error"] = settled["errorReason"]
        refusal.headers |= told
        raise refusal
    response.headers.update(told)
    return entitlement


@app.post("/ai/pro")
async def pro_ai(entitlement: Annotated[dict[str, Any], Depends(paid_access)]) -> dict[str, Any]:
    return {"answer": "paid response", "receipt_id": entitlement["receipt_id"], "rail_id": entitlement["rail_id"]}


class Checkout(BaseModel):
    external_customer_id: str
    email: str | None = None


@app.post("/checkout")
async def checkout(asked: Checkout) -> dict[str, Any]:
    """Opens a session for a customer who wants to pay before he uses anything."""
    key = operation(asked.external_customer_id, "checkout", asked.email)
    session = await open_session(asked.external_customer_id, asked.email, key)
    prefix = "demo_ps_" if SANDBOX else ""
    return {
        "payment_session_id": prefix + session["id"],
        "status": session["status"],
        "checkout_url": session.get("checkout_url"),
        "payment_requirement": session.get("payment_requirement"),
    }


class PaymentProof(BaseModel):
    external_customer_id: str
    payment_session_id: str
    settlement_rail: str = SETTLEMENT_RAIL
    # In the sandbox, any words: nothing is paid.
    payment_signature: str | None = None
    # Live: the transaction that paid.
    tx_signature: str | None = None
    network: str | None = None
    asset: str | None = None
    pay_to: str | None = None


@app.post("/payment-proof")
async def payment_proof(proof: PaymentProof) -> dict[str, Any]:
    """Passes a proof on. It grants nothing by itself: the next check says whether it did."""
    session = proof.payment_session_id.removeprefix("demo_ps_")
    if SANDBOX:
        if not proof.payment_signature:
            raise Refused(422, {"error": "payment_signature required"})
        if proof.settlement_rail != SETTLEMENT_RAIL:
            raise Refused(422, {"error": f"this product is sold over {SETTLEMENT_RAIL}"})
        if session not in sandbox_proofs:
            raise Refused(404, {"error": "there is no such session"})
        path = f"/v1/access/sandbox/payment-sessions/{session}/confirm"
        confirmed = await ask(path, {"proof": sandbox_proofs[session]}, f"confirm-{session}")
        return {"status": confirmed["sandbox_session"]["status"]}
    said = proof.model_dump(exclude_none=True, exclude={"payment_signature"}) | {"payment_session_id": session}
    if PROTOCOL != "none":
        said["payment_protocol"] = PROTOCOL
    recorded = await ask("/v1/access/payment-proofs", said, f"proof-{session}-{proof.tx_signature}")
    return {"status": recorded["proof"]["status"], "grants_access": recorded["grants_access"]}


@app.post("/hilt/webhook", status_code=204)
async def webhook(request: Request) -> None:
    """What Hilt tells of its own accord. A message that Hilt did not sign is not from Hilt, and even a signed one only says that it is
    worth asking again: access comes from the check alone."""
    if not WEBHOOK_SECRET:
        raise Refused(503, {"error": "HILT_WEBHOOK_SECRET is not set"})
    try:
        message = Webhook(WEBHOOK_SECRET).verify((await request.body()).decode(), dict(request.headers))
    except (WebhookVerificationError, UnicodeDecodeError) as error:
        raise Refused(401, {"error": "the signature is not Hilt's"}) from error
    print(f"hilt: {message['type']} ({request.headers['webhook-id']})", flush=True)
