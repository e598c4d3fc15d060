"""New values as YAML text, in the style of what stood there before.

What is written ends without a line break, and breaks lines with a line feed alone.
"""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import JsonValue

from ...errors import DiagramError
from ..source import read
from ..yaml.scalars import is_block_text, write_scalar
from ..yaml.writer import write_yaml
from .other_words import with_other_words
from .spans import Span, line_start

_PLAIN_IN_FLOW = re.compile(r"[\w][\w .?/~>()-]*")
_HEADER = re.compile(r"[|>](?P<chomp>[-+])?")
_LONG_LINE = 90
_STEP = 2


def write_entry(key: str, value: Any, pad: int) -> str:
    """`key: value` in block style; all lines but the first are indented."""
    return _indented(write_yaml({key: value}), pad)


def write_item(value: Any, pad: int) -> str:
    """`- value` in block style; all lines but the first are indented."""
    _, _, item = write_yaml({"items": [value]}).partition("\n")
    return _indented("\n".join(line[_STEP:] for line in item.split("\n")), pad)


def write_flow(value: Any) -> str:
    """A value on one line."""
    match value:
        case Mapping():
            inside = (f"{_flow_scalar(str(key))}: {write_flow(value[key])}" for key in value)
            return f"{{{', '.join(inside)}}}"
        case list() | tuple():
            return f"[{', '.join(map(write_flow, value))}]"
        case _:
            return _flow_scalar(value)


def write_like(text: str, span: Span, value: JsonValue, *, flow: bool) -> str | None:
    """The value in the style of the scalar that stands there; None when it must look otherwise.

    A block keeps its indentation, so the answer fits in the place of `span` only.
    """
    if flow and span.style not in ("'", '"'):
        return write_flow(value)
    if isinstance(value, dict | list):
        return write_flow(value) if not value else None
    for written in _candidates(text, span, value):
        if _means(written, value, flow=flow, pad=_outer(text, span)):
            return written
    if isinstance(value, str) and is_block_text(value) and not flow:
        return None
    return write_flow(value) if flow else write_scalar(value)


def _candidates(text: str, span: Span, value: JsonValue) -> Iterator[str]:
    if not isinstance(value, str):
        return
    match span.style:
        case "'" if "\n" not in value:
            yield "'" + value.replace("'", "''") + "'"
        case '"':
            yield json.dumps(value, ensure_ascii=False)
        case "|" | ">":
            yield from _other_words(text, span, value)
            yield from _blocks(text, span, value)
        case _:
            return


def _other_words(text: str, span: Span, value: str) -> Iterator[str]:
    """The block with other words in it, unless its lines would be far too long."""
    header, _, body = _with_line_feeds(text, span).partition("\n")
    changed = with_other_words(body, span.value, value)
    if changed is not None and (
        span.style == "|" or _width(changed) <= max(_LONG_LINE, _width(body))
    ):
        yield f"{header}\n{changed}"


def _width(text: str) -> int:
    return max(map(len, text.split("\n")))


def _with_line_feeds(text: str, span: Span) -> str:
    return text[span.start : span.end].replace("\r\n", "\n").replace("\r", "\n")


def _blocks(text: str, span: Span, value: str) -> Iterator[str]:
    lines = _with_line_feeds(text, span).split("\n")
    header, body = lines[0], [line for line in lines[1:] if line.strip()]
    outer = _outer(text, span)
    pad = " " * (len(body[0]) - len(body[0].lstrip(" ")) if body else outer + _STEP)
    if span.style == ">" and (folded := _folded(value, body, len(pad))) is not None:
        yield from _with_headers(header, folded, pad)
    yield from _with_headers("|" + header[1:], value.removesuffix("\n").split("\n"), pad)


def _outer(text: str, span: Span) -> int:
    """How deep the key or dash is beside which a value begins: lines below it are deeper."""
    first = text[line_start(text, span.start) : span.start].rstrip()
    if not first.strip(" -"):
        return max(0, len(first) - 1)
    return len(first) - len(first.lstrip(" -"))


def _with_headers(header: str, lines: list[str], pad: str) -> Iterator[str]:
    body = "".join(f"\n{pad}{line}" if line else "\n" for line in lines)
    comment = header[_HEADER.match(header).end() :]  # type: ignore[union-attr]
    yield header + body
    for chomp in ("", "-", "+"):
        yield f"{header[0]}{chomp}{comment}{body}"


def _folded(value: str, before: list[str], pad: int) -> list[str] | None:
    """The lines of a folded block, about as long as they were; None when they would not do."""
    width = max([_LONG_LINE, *map(len, before)]) - pad
    paragraphs = value.removesuffix("\n").split("\n")
    if any(each[:1] in (" ", "\t") or each.endswith(" ") for each in paragraphs):
        return None
    wrapped: list[str] = []
    for index, paragraph in enumerate(paragraphs):
        wrapped += [""] * (index > 0 and bool(wrapped) and paragraphs[index - 1] != "")
        wrapped += textwrap.wrap(
            paragraph,
            width,
            break_long_words=False,
            break_on_hyphens=False,
            replace_whitespace=False,
            expand_tabs=False,
        ) or [""]
    return wrapped


def _means(written: str, value: JsonValue, *, flow: bool, pad: int) -> bool:
    """Whether text that stands behind a key, so deep, is read as this value."""
    try:
        data, _ = read(f"{{k: {written}}}" if flow else f"{' ' * pad}k: {written}\n")
    except DiagramError:
        return False
    return data == {"k": value}


def _flow_scalar(value: Any) -> str:
    written = write_scalar(value)
    if not isinstance(value, str) or written[0] in "'\"" or _PLAIN_IN_FLOW.fullmatch(written):
        return written
    return json.dumps(value, ensure_ascii=False)


def _indented(text: str, pad: int) -> str:
    lines = text.removesuffix("\n").split("\n")
    return "\n".join([lines[0], *(" " * pad + line if line else line for line in lines[1:])])
