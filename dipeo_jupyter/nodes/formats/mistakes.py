"""How it is said that a text is not what it should be."""

from __future__ import annotations

from ...errors import NodeError


def invalid(name: str, line: int | None, reason: str) -> NodeError:
    """The error of a text that is not valid in a format, by its name."""
    where = f" (line {line})" if line else ""
    return NodeError(f"The text is not valid {name}{where}: {reason.rstrip('.')}.")
