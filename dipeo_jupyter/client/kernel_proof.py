"""How a kernel proves to its Jupyter server that it is one of its kernels, without any token.

Both know the key of the kernel's connection file. The kernel signs where it wants to go, and to
which instance of a server; nobody who hears of it can use it again, or somewhere else, and it opens
nothing but our own door.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from time import time

HEADER = "X-Dipeo-Kernel"
VALID = 60
"""Seconds for which a proof can be used."""
_WORDS = "dipeo-kernel-1"
_PARTS = 4


def prove(key: bytes, kernel_id: str, instance: str) -> str:
    """The value of the header, for one use now."""
    moment, nonce = str(int(time())), secrets.token_hex(16)
    return ":".join([kernel_id, moment, nonce, _signed(key, instance, kernel_id, moment, nonce)])


class Examiner:
    """Knows which proofs were used. `key_of` gives a kernel's key; None when there is none."""

    def __init__(self, instance: str, key_of: Callable[[str], bytes | None]) -> None:
        self.instance = instance
        self._key_of = key_of
        self._used: dict[str, float] = {}

    def kernel_of(self, header: str, now: float | None = None) -> str | None:
        """The kernel that a proof is of; None for one that is wrong, late or used."""
        now = time() if now is None else now
        parts = header.split(":")
        if len(parts) != _PARTS or not parts[1].isdecimal() or not header.isascii():
            return None
        kernel_id, moment, nonce, signature = parts
        key = self._key_of(kernel_id)
        if not key:  # an empty one is known to everybody
            return None
        right = _signed(key, self.instance, kernel_id, moment, nonce)
        if not hmac.compare_digest(signature, right) or abs(now - int(moment)) > VALID:
            return None
        self._used = {each: end for each, end in self._used.items() if end > now}
        if nonce in self._used:
            return None
        self._used[nonce] = now + 2 * VALID
        return kernel_id


def _signed(key: bytes, instance: str, *parts: str) -> str:
    message = "\n".join([_WORDS, instance, *parts])
    return hmac.new(key, message.encode(), hashlib.sha256).hexdigest()
