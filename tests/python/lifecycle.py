"""The sandbox lifecycle with a client that was generated from the OpenAPI document as `hilt_client`: base URL, sandbox key, wallet.

Every answer is narrowed to the documented type of success, so a type checker sees whether the document is good enough to work with.
"""

import sys
from uuid import uuid4

from hilt_client import AuthenticatedClient
from hilt_client.api.access import (
    available_rails,
    check_entitlement,
    create_access_product,
    create_app,
    create_webhook,
    list_rails,
    list_webhooks,
    save_rail_setting,
    setup_readiness,
)
from hilt_client.api.sandbox import confirm_sandbox_session, create_sandbox_session
from hilt_client.models import (
    AccessProductView,
    AppView,
    Check,
    CheckAnswer,
    CheckReason,
    ConfirmedSandboxSession,
    ConfirmSandboxSession,
    CreateAccessProduct,
    CreateApp,
    CreatedWebhook,
    CreateSandboxSession,
    CreateWebhook,
    Mode,
    OpenedSandboxSession,
    Problem,
    ProductRails,
    ProductStatus,
    RailId,
    RailList,
    RailSettingView,
    Readiness,
    SaveRailSetting,
    WebhookEvent,
    WebhookList,
)

base_url, key, wallet = sys.argv[1:]
hilt = AuthenticatedClient(base_url=base_url, token=key, prefix="", auth_header_name="X-Hilt-Key", raise_on_unexpected_status=True)
product_id = "pro-ai-api"


def once() -> str:
    return str(uuid4())


def check() -> CheckAnswer:
    question = Check(external_product_id=product_id, external_customer_id="cust_123", rail=RailId.SOLANA_USDC)
    answer = check_entitlement.sync(client=hilt, body=question)
    assert isinstance(answer, CheckAnswer), answer
    return answer


rails = list_rails.sync(client=hilt)
assert isinstance(rails, RailList) and {rail.rail_id for rail in rails.rails} == set(RailId)

app = create_app.sync(
    client=hilt,
    idempotency_key=once(),
    body=CreateApp(name="Pro AI API", external_app_id=product_id, default_rail=RailId.SOLANA_USDC),
)
assert isinstance(app, AppView), app

setting = save_rail_setting.sync(
    RailId.SOLANA_USDC,
    client=hilt,
    idempotency_key=once(),
    body=SaveRailSetting(enabled=True, mode=Mode.SANDBOX, payout_address=wallet),
)
assert isinstance(setting, RailSettingView), setting

product = create_access_product.sync(
    client=hilt,
    idempotency_key=once(),
    body=CreateAccessProduct(
        access_app_id=str(app.id),
        external_product_id=product_id,
        title="Pro AI API - 30 days",
        amount_minor_units=25_000_000,
        merchant_wallet=wallet,
        entitlement_duration_days=30,
        default_rail=RailId.SOLANA_USDC,
        allowed_rails=[RailId.SOLANA_USDC],
        status=ProductStatus.ACTIVE,
    ),
)
assert isinstance(product, AccessProductView), product

readiness = setup_readiness.sync(client=hilt, external_product_id=product_id)
assert isinstance(readiness, Readiness) and readiness.ready, readiness
offered = available_rails.sync(client=hilt, external_product_id=product_id)
assert isinstance(offered, ProductRails) and offered.default_rail == RailId.SOLANA_USDC, offered

denied = check()
assert not denied.has_access and denied.reason == CheckReason.NO_ENTITLEMENT, denied

opened = create_sandbox_session.sync(
    client=hilt,
    idempotency_key=once(),
    body=CreateSandboxSession(
        external_product_id=product_id, external_customer_id="cust_123", rail=RailId.SOLANA_USDC, confirm_sandbox_mode=True
    ),
)
assert isinstance(opened, OpenedSandboxSession), opened
session = opened.sandbox_session
assert session.proof is not None
assert check().reason == CheckReason.PAYMENT_PENDING

wrong = confirm_sandbox_session.sync(
    session.id, client=hilt, idempotency_key=once(), body=ConfirmSandboxSession(proof="hilt_sandbox_v1.wrong")
)
assert isinstance(wrong, Problem) and wrong.code == "invalid_sandbox_proof", wrong
confirmed = confirm_sandbox_session.sync(
    session.id, client=hilt, idempotency_key=once(), body=ConfirmSandboxSession(proof=session.proof)
)
assert isinstance(confirmed, ConfirmedSandboxSession), confirmed

granted = check()
assert granted.has_access and granted.reason == CheckReason.ACTIVE_ENTITLEMENT, granted
assert granted.expires_at == confirmed.entitlement.expires_at

webhook = create_webhook.sync(
    client=hilt,
    idempotency_key=once(),
    body=CreateWebhook(url="https://api.example.com/hilt", subscribed_events=[WebhookEvent.MEMBERSHIP_ACTIVATED]),
)
assert isinstance(webhook, CreatedWebhook), webhook
webhooks = list_webhooks.sync(client=hilt)
assert isinstance(webhooks, WebhookList) and webhook.id in {one.id for one in webhooks.items}, webhooks

print("granted")
