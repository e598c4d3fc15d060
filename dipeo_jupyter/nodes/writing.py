"""What a node is to write: what it says itself, else what arrives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..engine.node import Inputs
from ..errors import NodeError
from .formats import filled

_NAMED = ("generated_code", "content", "value", "default")


def to_write(data: Any, inputs: Inputs, render: Callable[[str], Any]) -> Any:
    """The node's own `data` filled in, or of what arrives the part that is meant to be written.

    Raises `NodeError` when there is neither.
    """
    if data is not None:
        return filled(data, render)
    for name in _NAMED:
        if name in inputs:
            return inputs[name]
    if not inputs:
        message = "There is nothing to write: connect a node that gives it, or set `data`."
        raise NodeError(message, field="data")
    return inputs.single()
