"""Text in double quotes inside of keys and sentences, with the escapes of JSON."""

from __future__ import annotations

import json
import re

_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)


def quote(text: str) -> str:
    """The text in double quotes; `read_quoted` gives it back."""
    return json.dumps(text, ensure_ascii=False)


def read_quoted(text: str, start: int = 0) -> tuple[str, int] | None:
    """The text quoted at `start` and where it ends; None when the quote is not closed.

    Raises `ValueError` for an escape that JSON does not have.
    """
    found = _QUOTED.match(text, start)
    if found is None:
        return None
    unquoted: str = json.loads(found.group(), strict=False)
    # Half a character has no UTF-8 form: `UnicodeEncodeError` is a `ValueError`.
    unquoted.encode()
    return unquoted, found.end()
