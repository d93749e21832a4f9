"""Checks that two operators agreed, with cryptography, rfc8785 and hashlib, and nothing of Hilt's.

Usage: check_approval.py FOLDER, where the folder holds
  approval.json    GET /v1/admin/access/approvals/{id}/proof
and the checker's own keys:
  log.vkey         the log's verifier key
  staff-1.pem      the operators' public keys, from themselves; the file's name is the operator's
  staff-2.pem
Prints what was approved, or fails.
"""

import base64
import hashlib
import json
import pathlib
import sys

import rfc8785
from check_proof import root_of, signatures, vkey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key


def key_of(folder: pathlib.Path, operator: str) -> tuple[Ed25519PublicKey, bytes]:
    """The operator's own key and its bytes."""
    key = load_pem_public_key((folder / f"{operator}.pem").read_bytes())
    assert isinstance(key, Ed25519PublicKey)
    return key, key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def check(folder: pathlib.Path) -> dict:
    proof = json.loads((folder / "approval.json").read_text())
    payload, entry = bytes.fromhex(proof["payload"]), bytes.fromhex(proof["entry"])

    # Each operator signed his statement with his own key, and statement and signature are in the event's payload.
    stated = {}
    for word in ("request", "decision"):
        signed = proof[word]
        statement = signed["statement"].encode()
        signature = base64.b64decode(signed["signature"], validate=True)
        stated[word] = json.loads(statement)
        assert rfc8785.dumps(stated[word]) == statement, "canonical"
        key, raw = key_of(folder, signed["operator"])
        assert raw.hex() == signed["public_key"] and hashlib.sha256(raw).hexdigest()[:16] == signed["kid"]
        key.verify(signature, statement)
        assert statement in payload and signature in payload and raw in payload
    request, decision = stated["request"], stated["decision"]
    assert request["form"] == "hilt-approval-request/1" and decision["form"] == "hilt-approval-decision/1"
    assert request["requested_by"] == proof["request"]["operator"] and decision["decided_by"] == proof["decision"]["operator"]
    assert request["requested_by"] != decision["decided_by"] and proof["request"]["public_key"] != proof["decision"]["public_key"]
    assert decision["decision"] == "approved"
    assert decision["request_sha256"] == hashlib.sha256(proof["request"]["statement"].encode()).hexdigest()
    assert request["approval_id"] == decision["approval_id"] == proof["approval_id"]

    # One leaf binds the payload, and one path leads from it to a root that the log signed.
    assert entry[-64:-32] == hashlib.sha256(payload).digest()
    leaf = hashlib.sha256(b"\x00" + entry).digest()
    assert leaf.hex() == proof["leaf"]
    head, note = proof["tlog_proof"].split("\n\n", 1)
    first, second, *hashes = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    index = int(second.removeprefix("index "))
    assert index == proof["position"]
    body, lines = signatures(note)
    origin, size, root = body.splitlines()[:3]
    assert root_of(leaf, index, int(size), [base64.b64decode(text) for text in hashes]) == base64.b64decode(root)
    name, key_id, kind, log = vkey((folder / "log.vkey").read_text())
    assert (name, kind) == (origin, 1) and request["log"] == decision["log"] == origin
    (signature,) = [raw for signer, id_, raw in lines if (signer, id_) == (name, key_id)]
    log.verify(signature, body.encode())
    return request["subject"]


if __name__ == "__main__":
    print(json.dumps(check(pathlib.Path(sys.argv[1]))))
