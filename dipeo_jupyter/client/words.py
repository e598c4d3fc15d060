"""Questions, answers and errors as people read and write them in one line."""

from __future__ import annotations

import json
import re
from typing import Any, NoReturn

from ..diagram.model import Label
from ..diagram.source import Source
from ..protocol import events as e

_LINE_OF_CODE = re.compile(r"\(line (\d+) of the code\)")


def in_words(node: Label, question: e.Question, problem: str | None) -> str:
    """A question as it is put in one text, with the choices there are."""
    choices = (question.schema_ or {}).get("enum")
    hint = f" ({' / '.join(map(str, choices))})" if choices else ""
    return "".join([f"{problem}\n" if problem else "", f"[{node}] {question.prompt}{hint} "])


def json_or_text(text: str) -> Any:
    """What was typed as a value: strict JSON, else the text itself."""
    try:
        return json.loads(text, parse_constant=_no_constant)
    except ValueError:
        return text


def explain(error: e.ErrorInfo, source: Source | None) -> str:
    """What went wrong and where: the node, and the line of its property that is at fault."""
    if error.node is None:
        return error.message
    path = ("nodes", error.node, *([error.field] if error.field else []))
    inside = _LINE_OF_CODE.search(error.message)
    line = source.line_of(*path, within=int(inside[1]) if inside else None) if source else None
    where = f"line {line}, node {error.node!r}" if line else f"node {error.node!r}"
    return f"{where}: {error.message}"


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
