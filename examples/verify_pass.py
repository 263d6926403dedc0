"""Verify a pick-up pass in a store without a network: needs Python, `cryptography` and a file of public keys.

    python verify_pass.py keys.json SOF01 used.jsonl --by ivan "OMNI:SOF01-7K3F9Q:eyJhbGciOi..."

Prints GO or NO GO with the reason, and exits with 0 or 1. After "NO GO: check age" (or identity) look at the person's
papers, and only if that goes well say so: `--checked age`. What was given away is appended to the last file, a line of
JSON each; bring them to `pickups.sync` later. One file per store, on one device: devices that share no file can't know
what the others gave away. This file imports nothing of omniorder: copy it, or read it to write your own.
"""

import argparse
import base64
import binascii
import json
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

SKEW = 5 * 60  # seconds by which this device's clock may be wrong


class NoGo(Exception):
    """Why nothing may be given for this pass here and now."""


def decoded(part: str) -> bytes:
    """The bytes of base64url without padding, in the one spelling that counts."""
    raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if base64.urlsafe_b64encode(raw).decode().rstrip("=") != part:
        raise NoGo("malformed")
    return raw


def read(text: str, keys: list[dict[str, Any]], now: float) -> dict[str, Any]:
    """What the pass says, once its signature was found to be that of a key that counts."""
    try:
        header, payload, last = text.strip().rpartition(":")[2].split(".")
        head, signature = json.loads(decoded(header)), decoded(last)
        if (head["alg"], head["typ"]) != ("EdDSA", "omni-pass"):
            raise NoGo("malformed")
        key = next((key for key in keys if key["kid"] == head["kid"]), None)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
        raise NoGo("malformed") from error
    if key is None:
        raise NoGo("unknown_key")
    try:
        Ed25519PublicKey.from_public_bytes(decoded(key["x"])).verify(signature, f"{header}.{payload}".encode())
    except InvalidSignature as error:
        raise NoGo("forged") from error
    if now >= key.get("exp", float("inf")):
        raise NoGo("retired_key")
    return dict(json.loads(decoded(payload)))


def check(said: dict[str, Any], store: str, now: float, used: set[str], checked: list[str]) -> None:
    """Whether goods may be given for what the pass says."""
    if said["aud"] != store:
        raise NoGo("other_store")
    if now < said["nbf"] - SKEW:
        raise NoGo("not_yet_valid")
    if now > said["exp"] + SKEW:
        raise NoGo("expired")
    if said["sub"] in used:
        raise NoGo("used")
    if missing := [kind for kind in said.get("chk", []) if kind not in checked]:
        raise NoGo(f"check {', '.join(missing)}")


def remembered(file: Path) -> list[dict[str, Any]]:
    """What was given away here. A last line that was cut off was never followed by GO: it is taken back."""
    raw = file.read_bytes() if file.exists() else b""
    try:
        return [json.loads(line) for line in raw.splitlines()]
    except ValueError:
        whole = raw[: raw.rfind(b"\n") + 1]
        os.truncate(file, len(whole))
        return [json.loads(line) for line in whole.splitlines()]


def remember(file: Path, entry: dict[str, Any]) -> None:
    """Append the entry on a line of its own, and be sure that it is on the disk before anything is given away."""
    begun = file.exists() and file.read_bytes()[-1:] not in (b"", b"\n")
    with file.open("a", encoding="utf-8") as log:
        log.write("\n" * begun + json.dumps(entry) + "\n")
        log.flush()
        os.fsync(log.fileno())


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description="Verify a pick-up pass without a network.")
    parser.add_argument("keys", type=Path, help="public keys: what SigningKeys.public() gives, as a JSON file")
    parser.add_argument("store", help="this store's id")
    parser.add_argument("used", type=Path, help="the file of what was given away here; made when there is none")
    parser.add_argument("--by", required=True, help="the id of the associate")
    parser.add_argument("--checked", action="append", default=[], help="identity or age: looked at, and it went well")
    parser.add_argument("--now", type=datetime.fromisoformat, help="instead of this device's clock, with an offset")
    parser.add_argument("pass_", metavar="pass", help="what was scanned")
    asked = parser.parse_args()
    at = (asked.now or datetime.now(UTC)).astimezone(UTC)
    try:
        said = read(asked.pass_, json.loads(asked.keys.read_text(encoding="utf-8"))["keys"], at.timestamp())
        check(said, asked.store, at.timestamp(), {one["order"] for one in remembered(asked.used)}, asked.checked)
    except NoGo as why:
        print(f"NO GO: {why}")
        return 1
    given = {"signed": asked.pass_, "order": said["sub"], "at": at.isoformat(), "by": asked.by}
    remember(asked.used, given | {"checked": asked.checked})
    print(f"GO: give order {said['sub']} to its {said['hld']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
