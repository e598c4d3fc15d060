"""Finding a node type by the name that a diagram gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeAlias

from .base import Node

NodeTypes: TypeAlias = Mapping[str, type[Node]]
"""Node types by name; aliases have entries of their own."""


def node_type_named(name: str, node_types: NodeTypes) -> type[Node] | None:
    """The node type that a diagram means: case, `_`, `-` and spaces make no difference."""
    exact = node_types.get(name)
    if exact is not None:
        return exact
    wanted = _bare(name)
    return next((each for known, each in node_types.items() if _bare(known) == wanted), None)


def _bare(name: str) -> str:
    return re.sub(r"[\W_]+", "", name).lower()
