"""Pays for a URL with x402's own Python client and prints one JSON line with what came of it.

Reads {url, method, headers, body, version, rpcUrl, secret} from stdin; the secret is 64 bytes in hex. The client takes the newest version
that it is asked in, so for version 1 it is shown no header of version 2, as a client of that time knows none.
"""

import asyncio
import json
import sys

import httpx
from solders.keypair import Keypair
from x402 import x402Client
from x402.http.clients.httpx import x402AsyncTransport, x402HttpxClient
from x402.http.utils import decode_payment_response_header
from x402.mechanisms.svm.exact.register import register_exact_svm_client
from x402.mechanisms.svm.signers import KeypairSigner


class Version1(httpx.AsyncHTTPTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        response.headers.pop("payment-required", None)
        return response


async def main() -> None:
    order = json.load(sys.stdin)
    client = x402Client()
    # By itself the client pays a dollar at most.
    client.set_spend_controls(False)
    signer = KeypairSigner(Keypair.from_bytes(bytes.fromhex(order["secret"])))
    register_exact_svm_client(client, signer, rpc_url=order["rpcUrl"])
    if order["version"] == 1:
        paying = httpx.AsyncClient(transport=x402AsyncTransport(client, Version1()), timeout=30)
    else:
        paying = x402HttpxClient(client, timeout=30)
    async with paying as http:
        response = await http.request(
            order.get("method", "GET"), order["url"], headers=order.get("headers", {}), json=order.get("body")
        )
    told = response.headers.get("payment-response") or response.headers.get("x-payment-response")
    settled = decode_payment_response_header(told) if told else None
    print(
        json.dumps(
            {
                "status": response.status_code,
                "body": response.json(),
                "settled": settled.model_dump(mode="json") if settled else None,
                "sent": {},
            }
        )
    )


asyncio.run(main())
