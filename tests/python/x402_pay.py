"""Pays for a URL with x402's own Python client and prints one JSON line with what came of it.

Reads {url, method, headers, rpcUrl, secret} from stdin; the secret is 64 bytes in hex. The client takes the version that it is asked in.
"""

import asyncio
import json
import sys

from solders.keypair import Keypair
from x402 import x402Client
from x402.http.clients.httpx import x402HttpxClient
from x402.http.utils import decode_payment_response_header
from x402.mechanisms.svm.exact.register import register_exact_svm_client
from x402.mechanisms.svm.signers import KeypairSigner


async def main() -> None:
    order = json.load(sys.stdin)
    client = x402Client()
    # By itself the client pays a dollar at most.
    client.set_spend_controls(False)
    signer = KeypairSigner(Keypair.from_bytes(bytes.fromhex(order["secret"])))
    register_exact_svm_client(client, signer, rpc_url=order["rpcUrl"])
    async with x402HttpxClient(client, timeout=30) as http:
        response = await http.request(order.get("method", "GET"), order["url"], headers=order.get("headers", {}))
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
