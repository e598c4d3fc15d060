"""Addresses with `{{names}}` in them: what is put in cannot lead anywhere else.

A value is quoted, so that it stays in its place: it ends no path, begins no query and climbs to no
folder above. The host is written out, unless a list says which hosts there may be.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit

from ..diagram.language.values import kind
from ..diagram.template import render
from ..errors import NodeError

_NAME = r"\{\{.*?\}\}"
_HEAD = re.compile(rf"https?://(?:{_NAME}|[^/?#{{])*|{_NAME}", re.IGNORECASE | re.DOTALL)
_WRITTEN_OUT = re.compile(r"https?://[^/?#{}@\\\s]+(?=[/?#]|$)", re.IGNORECASE)
_ODD = re.compile(r"[/?#@\\\s]")


def fault_in(url: str, hosts: Sequence[str]) -> str | None:
    """What is wrong with an address as it is written, in a sentence."""
    head = _HEAD.match(url)
    if head is None:
        return "an address begins with https:// or http://."
    if "@" in head[0]:
        return "an address has no name or password in it: use `auth_type`."
    if "{{" in head[0] and not hosts:
        return (
            "write the host out: a value must not decide where a request goes. Or list in `hosts` "
            "where it may go."
        )
    if "{{" not in head[0] and not _WRITTEN_OUT.match(url):
        return f"{head[0][:60]!r} is no host."
    return None


def filled_in(url: str, names: Mapping[str, Any]) -> str:
    """The address with its values in it; raises `NodeError` when one of them leads astray."""
    written = _HEAD.match(url)
    assert written is not None, "it was looked at before"
    head = render(written[0], names).strip()
    whole = written[0].startswith("{{")
    if not whole and _ODD.search(head.partition("://")[2]):
        raise NodeError("`url`, filled in, has no host: a value in it is none.", field="url")
    rest = render(url[written.end() :], names, quoted)
    if not whole and rest and rest[0] not in "/?#":
        raise NodeError("`url`, filled in, has no host: put a / behind it.", field="url")
    for step in urlsplit(rest).path.split("/"):
        if unquote(step) in (".", ".."):
            message = "`url`, filled in, leads to a folder above: a value in it is dots alone."
            raise NodeError(message, field="url")
    return (head + rest).partition("#")[0]


def with_params(url: str, params: Mapping[str, Any]) -> str:
    """The address with more in its query."""
    pairs = pairs_of(params, "params")
    if not pairs:
        return url
    return url + ("&" if "?" in url else "?") + urlencode(pairs, quote_via=quote, errors="replace")


def pairs_of(values: Mapping[str, Any], field: str) -> list[tuple[str, str]]:
    """Names and texts; a list is a name several times, and None is left out."""
    pairs = []
    for name, value in values.items():
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict | list):
                message = f"`{field}`: {name!r} is {kind(each)}; only texts and numbers go there."
                raise NodeError(message, field=field)
            if each is not None:
                pairs.append((str(name), _text(each)))
    return pairs


def host_of(url: str) -> str:
    """The host as it is written, for people."""
    head = _HEAD.match(url)
    return head[0].partition("://")[2] or head[0] if head else url


def quoted(text: str) -> str:
    """A text as a part of an address."""
    return quote(text, safe="", errors="replace")


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
