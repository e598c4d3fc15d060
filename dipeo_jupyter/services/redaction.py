"""Takes known secrets out of texts: out of whole ones, out of streams, out of what is logged.

A secret comes as its forms (`forms_of`), the ways in which it may be written. Which secrets there
are, `keys` knows; nothing here keeps one.
"""

from __future__ import annotations

import base64
import json
import logging
import re
import traceback
import weakref
from collections.abc import Callable, Iterable
from typing import Any, Protocol
from urllib.parse import quote

REMOVED = "[key removed]"
SHORTEST = 8
"""Shorter values are no keys: removing them would tear holes into every text."""

PART = 10
"""So many characters of a key, one after the other, tell something of it."""

WATCHED = frozenset(
    {"dipeo_jupyter", "asyncio"}  # asyncio logs what nobody caught
    | {"LiteLLM", "LiteLLM Router", "LiteLLM Proxy", "litellm"}
    | {"openai", "httpx", "httpcore", "aiohttp", "notion_client"}
    | {"mcp", "client", "httpx2", "httpcore2"}  # the second is what the first calls a part of it
)
"""Whose logs are cleaned, by the first part of the logger's name: ours, and of all who get keys."""

_LETTERS = r"[\w+/=-]"
_MASKED = re.compile(
    rf"(?<!{_LETTERS})({_LETTERS}{{0,40}})(?:\*{{3,}}|\.{{3}}|…)({_LETTERS}{{0,40}})(?!{_LETTERS})"
)
_MARKS = ("***", "...", "…")
_TELLING = 4
"""Fewer characters of a key may be chance."""

Forms = tuple[str, ...]


def forms_of(secret: str) -> Forms:
    """The ways in which a secret may be written in a text; the first is the plain one."""
    data = secret.encode()
    forms = [
        secret,
        quote(secret, safe=""),
        quote(secret),
        json.dumps(secret)[1:-1],
        secret[::-1],
        data.hex(),
        data.hex().upper(),
    ]
    for shift in range(3):  # base64 looks different, depending on what stands before
        encoded = base64.b64encode(b"\0" * shift + data).decode()
        inner = encoded[-(-8 * shift // 6) : 8 * (shift + len(data)) // 6]
        forms += [inner, inner.replace("+", "-").replace("/", "_")]
    return tuple(dict.fromkeys(forms))


def without(text: str, secrets: Iterable[Forms]) -> str:
    """The text without these secrets; give long ones first, which may contain others."""
    for forms in secrets:
        for form in forms:
            text = text.replace(form, REMOVED)
    return text


def without_masked(text: str, secrets: Iterable[Forms]) -> str:
    """The text without what providers quote of a key that they refuse: `sk-ab***yz`."""
    if not any(mark in text for mark in _MARKS):
        return text
    plain = [forms[0] for forms in secrets]

    def unmasked(found: re.Match[str]) -> str:
        head, tail = found.groups()
        known = any(each.startswith(head) and each.endswith(tail) for each in plain)
        return REMOVED if known and tail and len(head + tail) >= _TELLING else found[0]

    return _MASKED.sub(unmasked, text)


def without_parts(text: str, secrets: Iterable[Forms]) -> str:
    """The text without long parts of these secrets, as when a log has each piece of a stream."""
    for plain, *_ in secrets:
        for start in range(len(plain) - PART + 1):
            if plain[start : start + PART] in text and plain[start : start + PART] not in REMOVED:
                end = start + PART
                while end < len(plain) and plain[start : end + 1] in text:
                    end += 1
                text = text.replace(plain[start:end], REMOVED)
                text = text.replace(plain[start : start + PART], REMOVED)  # a shorter one elsewhere
    return text


class Stream:
    """Passes on a text that comes in pieces, as it comes, but without these secrets.

    Pieces that end with what may be the beginning of one wait for the next; `end` lets them go.
    """

    def __init__(self, secrets: Iterable[Forms], show: Callable[[str], Any]) -> None:
        self._secrets = list(secrets)
        self._show = show
        self._kept: list[str] = []

    def feed(self, piece: str) -> None:
        self._kept.append(piece)
        whole = "".join(self._kept)
        clean = without(whole, self._secrets)
        if clean != whole:
            self._kept = [clean]
        waits = max((_overlap(clean, form) for forms in self._secrets for form in forms), default=0)
        self._pass(len(clean) - waits)

    def end(self) -> None:
        self._pass(sum(map(len, self._kept)))

    def _pass(self, size: int) -> None:
        """Show the first pieces, of this size together at most."""
        while self._kept and len(self._kept[0]) <= size:
            size -= len(self._kept[0])
            self._show(self._kept.pop(0))


def _overlap(text: str, form: str) -> int:
    """How many characters at the end of the text are the beginning of this form."""
    tail = text[max(0, len(text) - len(form) + 1) :]
    start = tail.find(form[0])
    while start >= 0 and not form.startswith(tail[start:]):
        start = tail.find(form[0], start + 1)
    return len(tail) - start if start >= 0 else 0


class Redactor(Protocol):
    """Whoever knows the secrets: `keys.Keys`."""

    def redact(self, text: str) -> str: ...


def keep_out_of_logs(keys: Redactor) -> None:
    """See that these keys, as long as they are in use, are in no log of those `WATCHED`.

    At the making of records, because a filter of a logger does not see what is logged by the
    loggers below it, and one of a handler must be put on handlers that are not ours.
    """
    factory = logging.getLogRecordFactory()
    if not isinstance(factory, _CleanRecords):
        factory = _CleanRecords(factory)
        logging.setLogRecordFactory(factory)
    factory.watch(keys)


class _CleanRecords:
    """Makes log records from which known keys have been removed."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self._make = make
        self._keys: tuple[weakref.ref[Redactor], ...] = ()

    def watch(self, keys: Redactor) -> None:
        alive = [each for each in self._keys if each() is not None]
        self._keys = (*alive, weakref.ref(keys))

    def __call__(self, name: str, *args: Any, **more: Any) -> logging.LogRecord:
        record = self._make(name, *args, **more)
        if name.partition(".")[0] in WATCHED:
            self._clean(record)
        return record

    def _clean(self, record: logging.LogRecord) -> None:
        said = _message(record)
        if (clean := self._redact(said)) != said:
            record.msg, record.args = clean, ()
        if record.exc_info and record.exc_info[0]:
            told = "".join(traceback.format_exception(*record.exc_info)).rstrip("\n")
            if (clean := self._redact(told)) != told:
                # Formatters take the text; whoever looks at the exception itself would see the key.
                record.exc_info, record.exc_text = None, clean
        if record.stack_info:
            record.stack_info = self._redact(record.stack_info)

    def _redact(self, text: str) -> str:
        for each in self._keys:
            if (keys := each()) is not None:
                text = keys.redact(text)
        return text


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # wrong arguments: logging will show both
        return f"{record.msg} {record.args}"
