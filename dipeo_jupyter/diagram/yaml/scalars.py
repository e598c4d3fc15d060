"""A single value in YAML text: what unquoted text means, and how to write text unmistakably.

Text stays text. Of unquoted words only `true`, `false`, `null`, `~` and decimal numbers mean
something else (YAML 1.2), so `no`, `012`, `1:30` and `2024-01-01` are text.
"""

from __future__ import annotations

import json
import math
import re

Scalar = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {
    "": None,
    "~": None,
    **dict.fromkeys(("null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

# Other YAML readers take these words for something else than text.
_QUOTED_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_PLAIN = re.compile(r"[^\W\d][^\t\n]*")
_UNSAFE = re.compile(
    r"[^\t\n -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)


def read_plain(text: str) -> Scalar:
    """What unquoted text means. Raises `ValueError` for a number that JSON cannot hold."""
    if text in _WORDS:
        return _WORDS[text]
    if _NOT_FINITE.fullmatch(text):
        raise ValueError(text)
    if not _FLOAT.fullmatch(text):
        return text
    if math.isinf(number := float(text)):
        raise ValueError(text)
    return int(text) if _INT.fullmatch(text) else number


def write_scalar(value: Scalar) -> str:
    """One line of YAML that reads back as this value; `ValueError` when there is none."""
    if isinstance(value, str):
        return _write_text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if not _fits_a_float(value):
        raise ValueError(repr(value)[:40])
    return repr(value)


def is_block_text(text: str) -> bool:
    """Whether `|` can hold this text: several lines, and nothing odd at either end."""
    return (
        "\n" in text
        and not text[0].isspace()
        and text.rstrip() == text.removesuffix("\n")
        and not _UNSAFE.search(text)
    )


def _write_text(text: str) -> str:
    if _is_plain(text):
        return text
    if '"' in text and text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    # Half a character has no UTF-8 form: `UnicodeEncodeError` is a `ValueError`.
    text.encode()
    return _UNSAFE.sub(_escape, json.dumps(text, ensure_ascii=False))


def _is_plain(text: str) -> bool:
    return (
        _PLAIN.fullmatch(text) is not None
        and not _UNSAFE.search(text)
        and text.lower() not in _QUOTED_WORDS
        and not text[-1].isspace()
        and not text.endswith(":")
        and ": " not in text
        and " #" not in text
    )


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found.group()):04x}"


def _fits_a_float(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False
