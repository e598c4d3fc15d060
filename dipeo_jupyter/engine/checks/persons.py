"""Persons, and what a diagram holds beside its nodes and edges."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ...diagram.model import Diagram, Label
from ...diagram.older import ANCESTORS_KEY_ID
from ...diagram.source import Path
from ...diagram.suggest import CLEARLY, nearest
from ...errors import Problem
from ..node import Node
from .settings import Unsound, persons_of

_ENTRIES = ("version", "name", "description", "nodes", "connections", "edges", "persons")
_SECRET_FIELD = re.compile(r"(?:.*[_-])?(?:api_?key|key|token|secret|password)", re.IGNORECASE)
_KEY = re.compile(
    r"""(?<![A-Za-z0-9_-])(?:
        sk-[A-Za-z0-9_-]{16,} | AIza[A-Za-z0-9_-]{30,}
        | (?:xai|gsk|pplx|r8|hf|nvapi)[-_][A-Za-z0-9]{20,}
        | gh[pousr]_[A-Za-z0-9]{30,} | github_pat_[A-Za-z0-9_]{30,}
        | (?:ntn|secret)_[A-Za-z0-9]{30,}
        | AKIA[A-Z0-9]{16} | eyJ[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{10,}
    )""",
    re.VERBOSE,
)
_RANDOM = re.compile(r"(?=.*\d)(?=.*[A-Za-z])[A-Za-z0-9+/=_.-]{24,}")


def check_secrets(diagram: Diagram) -> Iterator[Problem]:
    """Keys in a diagram, which is shared. They are never quoted."""
    for label, person in diagram.persons.items():
        for path in _secrets_in(person.model_dump(), ("persons", label)):
            yield _secret(f"The person {label!r}", path, None)
    for spec in diagram.nodes:
        for path in _secrets_in(spec.props, ("nodes", spec.label), named_only=True):
            yield _secret(f"Node {spec.label!r}", path, spec.label)
    for path in _secrets_in(diagram.extra, ()):
        yield _secret("The diagram", path, None)


def check_entries(diagram: Diagram) -> Iterator[Problem]:
    """Top-level entries that look like others."""
    for name in diagram.extra:
        if closest := nearest(name, _ENTRIES, CLEARLY):
            message = f"The entry {name!r} of the diagram means nothing."
            hint = f"Did you mean {closest!r}?"
            yield Problem("unknown_entry", message, None, (name,), hint, "warning")


def check_use(diagram: Diagram, nodes: Mapping[Label, Node]) -> Iterator[Problem]:
    """Persons whom no node names."""
    if any(isinstance(node, Unsound) for node in nodes.values()):
        return
    used = persons_in_use(nodes)
    for label in diagram.persons:
        if label not in used:
            message = f"No node speaks to the person {label!r}."
            yield Problem("unused_person", message, None, ("persons", label), severity="hint")


def persons_in_use(nodes: Mapping[Label, Node]) -> set[Label]:
    """The persons whom nodes name."""
    return {name for node in nodes.values() for name in persons_of(node)}


def _secret(who: str, path: Path, node: Label | None) -> Problem:
    message = f"{who} holds what looks like a key in `{path[-1]}`; whoever gets the file gets it."
    hint = "Put it into a variable of the environment, such as OPENAI_API_KEY, and revoke this one."
    return Problem("secret_in_diagram", message, node, path, hint)


def _secrets_in(value: Any, path: Path, *, named_only: bool = False) -> Iterator[Path]:
    match value:
        case str():
            if _is_secret(str(path[-1]), value, named_only=named_only):
                yield path
        case dict():
            for key, each in value.items():
                if not isinstance(each, str):
                    yield from _secrets_in(each, (*path, key), named_only=named_only)
                elif _is_secret(key, each, named_only=named_only):
                    yield (*path, key)
        case list() | tuple():
            for index, each in enumerate(value):
                yield from _secrets_in(each, (*path, index), named_only=named_only)


def _is_secret(name: str, value: str, *, named_only: bool) -> bool:
    """Whether a text has the form of a key, or looks random under a name that says it is one."""
    named = _SECRET_FIELD.fullmatch(name)
    if named_only and not named:
        return False
    text = value.strip()
    if "{{" in text or ANCESTORS_KEY_ID.fullmatch(text):
        return False
    return bool(_RANDOM.fullmatch(text) or _KEY.fullmatch(text) if named else _KEY.search(text))
