"""What a database gives, as JSON.

What JSON has no word for becomes text: decimals with all their digits, dates and times as ISO 8601,
bytes as base64, other things as the driver writes them.
"""

from __future__ import annotations

import base64
import datetime as dt
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """A value as JSON; NaN and infinity, which JSON does not know, become null."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case dt.date() | dt.time():
            return value.isoformat()
        case bytes() | bytearray() | memoryview():
            return base64.b64encode(bytes(value)).decode()
        case Mapping():
            return {str(key): plain(each) for key, each in value.items()}
        case list() | tuple() | set() | frozenset():
            return [plain(each) for each in value]
        case _:
            return str(value)


def weight(value: Any) -> int:
    """About how many characters it takes as JSON."""
    match value:
        case str():
            return len(value) + 2
        case dict():
            return sum(weight(key) + weight(each) + 2 for key, each in value.items()) + 2
        case list():
            return sum(weight(each) + 1 for each in value) + 2
        case _:
            return 8
