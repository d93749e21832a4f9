"""Checks a receipt and its place in the log with cryptography, rfc8785 and hashlib, and nothing of Hilt's.

Usage: check_proof.py FOLDER, where the folder holds what anyone can ask for:
  public.json      GET /v1/receipt/{receipt_id}/public
  proof.json       GET /v1/receipt/{receipt_id}/proof?format=json
  proof.tlog       GET /v1/receipt/{receipt_id}/proof
  jwks.json        GET /.well-known/jwks.json
and the checker's own keys:
  log.vkey         the log's verifier key
  witness.vkey     a witness's verifier key
Prints "holds", or fails.
"""

import base64
import hashlib
import json
import pathlib
import sys

import rfc8785
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


def b64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def vkey(text: str) -> tuple[str, bytes, int, Ed25519PublicKey]:
    """Name, id, type and key of a C2SP verifier key."""
    name, key_id, encoded = text.strip().split("+", 2)
    typed = base64.b64decode(encoded)
    expected = hashlib.sha256(name.encode() + b"\n" + typed).digest()[:4]
    assert expected.hex() == key_id, "the id fits the key"
    return name, expected, typed[0], Ed25519PublicKey.from_public_bytes(typed[1:])


def signatures(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """Text of a note; name, key id and signature of each line."""
    body, lines = note.rsplit("\n\n", 1)
    found = []
    for line in lines.splitlines():
        dash, name, encoded = line.split(" ")
        assert dash == "\u2014"
        raw = base64.b64decode(encoded, validate=True)
        found.append((name, raw[:4], raw[4:]))
    return body + "\n", found


def root_of(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2."""
    assert 0 <= index < size
    fn, sn, node = index, size - 1, leaf
    for sibling in path:
        assert sn != 0
        if fn & 1 or fn == sn:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while fn & 1 == 0 and fn != 0:
                fn, sn = fn >> 1, sn >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        fn, sn = fn >> 1, sn >> 1
    assert sn == 0
    return node


def check(folder: pathlib.Path) -> None:
    public = json.loads((folder / "public.json").read_text())
    proof = json.loads((folder / "proof.json").read_text())
    keys = json.loads((folder / "jwks.json").read_text())["keys"]

    # The receipt: canonical JSON, its hash, and the signature by the key that it names.
    canonical = rfc8785.dumps(public["receipt_json"])
    assert hashlib.sha256(canonical).hexdigest() == public["receipt_hash"] == proof["receipt_hash"]
    (key,) = [key for key in keys if key["kid"] == public["kid"] and key["purpose"] == "receipt"]
    signer = Ed25519PublicKey.from_public_bytes(b64url(key["x"]))
    signer.verify(base64.b64decode(public["ed25519_sig"]), canonical)

    # The payload holds the receipt, the entry the payload's hash, the leaf is the entry's.
    payload, entry = bytes.fromhex(proof["payload"]), bytes.fromhex(proof["entry"])
    assert canonical in payload and bytes.fromhex(public["receipt_hash"]) in payload
    assert entry[-64:-32] == hashlib.sha256(payload).digest()
    leaf = hashlib.sha256(b"\x00" + entry).digest()
    assert leaf.hex() == proof["leaf"]

    # The tlog-proof: the way from the leaf to the root that the log signed, and a witness after it.
    head, note = (folder / "proof.tlog").read_text().split("\n\n", 1)
    first, second, *hashes = head.split("\n")
    assert first == "c2sp.org/tlog-proof@v1"
    index = int(second.removeprefix("index "))
    body, lines = signatures(note)
    origin, size, root = body.splitlines()[:3]
    assert root_of(leaf, index, int(size), [base64.b64decode(text) for text in hashes]) == base64.b64decode(root)
    name, key_id, kind, log = vkey((folder / "log.vkey").read_text())
    assert (name, kind) == (origin, 1)
    (signature,) = [raw for signer, id_, raw in lines if (signer, id_) == (name, key_id)]
    log.verify(signature, body.encode())
    name, key_id, kind, witness = vkey((folder / "witness.vkey").read_text())
    assert kind == 4
    (cosignature,) = [raw for signer, id_, raw in lines if (signer, id_) == (name, key_id)]
    time = int.from_bytes(cosignature[:8], "big")
    witness.verify(cosignature[8:], f"cosignature/v1\ntime {time}\n{body}".encode())


if __name__ == "__main__":
    check(pathlib.Path(sys.argv[1]))
    print("holds")
