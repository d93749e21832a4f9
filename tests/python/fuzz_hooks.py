"""Lets Schemathesis reach what is behind the first check of a route: real credentials of every kind, real ids, fresh idempotency keys.

`HILT_FUZZ_WORLD` names a JSON file with what there is:
  credentials: a list of header sets, one of which each request carries;
  known: values that exist, by field name, and for path parameters called `id` by path.
At the end `HILT_FUZZ_SEEN` gets how often each operation answered with each status, by credential.

Everything is drawn from the request itself, so that the same request is always altered in the same way.
"""

import atexit
import json
import os
import random
import threading
import zlib
from collections import Counter
from typing import Any

import schemathesis

with open(os.environ["HILT_FUZZ_WORLD"], encoding="utf-8") as file:
    WORLD = json.load(file)
KNOWN: dict[str, list[Any]] = WORLD["known"]
CREDENTIALS: list[dict[str, Any]] = WORLD["credentials"]

# The empty set of headers fits every request, so it comes last.
BY_HEADERS = sorted(((one["name"], one["headers"]) for one in CREDENTIALS), key=lambda one: -len(one[1]))

seen: Counter[tuple[str, str, int]] = Counter()
lock = threading.Lock()


def _known(draw: random.Random, name: str, path: str, chance: float) -> Any:
    """A value that exists, sometimes."""
    values = KNOWN.get(f"{path}#{name}") or KNOWN.get(name)
    return draw.choice(values) if values and draw.random() < chance else None


def _fill(draw: random.Random, path: str, members: Any) -> None:
    """Puts values that exist into the members of those names, at any depth."""
    if isinstance(members, list):
        for member in members:
            _fill(draw, path, member)
    if not isinstance(members, dict):
        return
    for name, value in list(members.items()):
        if isinstance(value, (dict, list)):
            _fill(draw, path, value)
        elif isinstance(value, str) and (known := _known(draw, name, path, 0.6)) is not None:
            members[name] = known


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    described = repr((case.operation.label, case.path_parameters, case.query, case.headers, case.body))
    draw = random.Random(zlib.crc32(described.encode("utf-8", "surrogatepass")))
    path = case.operation.path
    for name in case.path_parameters or {}:
        if (known := _known(draw, name, path, 0.8)) is not None:
            case.path_parameters[name] = known
    if isinstance(case.query, dict):
        _fill(draw, path, case.query)
    _fill(draw, path, case.body)
    headers = case.headers
    if "Idempotency-Key" in headers and draw.random() < 0.8:
        headers["Idempotency-Key"] = f"{draw.getrandbits(64):x}"
    # Made-up credentials get no further than the first line of a route; those of the world are of every kind.
    for name in ("X-Hilt-Key", "Authorization"):
        headers.pop(name, None)
    headers.update(draw.choice(CREDENTIALS)["headers"])
    # A read waits for the position it names, so one that is far ahead only costs time.
    if str(headers.get("Hilt-Min-Position", "")).isdigit():
        headers["Hilt-Min-Position"] = str(draw.randrange(10))


@schemathesis.hook
def after_call(context: Any, case: Any, response: Any) -> None:
    sent = response.request.headers
    carried = (name for name, headers in BY_HEADERS if all(sent.get(header) == value for header, value in headers.items()))
    with lock:
        seen[(case.operation.label, next(carried), response.status_code)] += 1


@schemathesis.check
def not_our_fault(ctx: Any, response: Any, case: Any) -> None:
    """No 5xx, but for the one that says that the chain does not answer: the local chain knows nothing of accounts and transactions that
    it has not seen, and says so as a node that is broken does."""
    if response.status_code < 500:
        return
    try:
        code = json.loads(response.content).get("code")
    except ValueError:
        code = None
    assert (response.status_code, code) == (503, "chain_unavailable"), f"{response.status_code} {code}"


@atexit.register
def tell() -> None:
    operations: dict[str, dict[str, dict[str, int]]] = {}
    for (operation, credential, status), count in sorted(seen.items()):
        operations.setdefault(operation, {}).setdefault(credential, {})[str(status)] = count
    with open(os.environ["HILT_FUZZ_SEEN"], "w", encoding="utf-8") as file:
        json.dump(operations, file)
