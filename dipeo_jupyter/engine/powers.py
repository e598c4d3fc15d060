"""What a node can do beyond the walls of its run: what `check` tells of, and people are asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import JsonValue
from pydantic_core import to_json

from ..diagram.model import Label
from ..errors import Problem


@dataclass(frozen=True, slots=True)
class Power:
    """Something that a node can do beyond its walls.

    `code` is that of the hint by which `check` tells of it. `says` goes on where "Node 'scan'" has
    begun, and `hint` says what to look at. `what` (JSON) is exactly what is done: whoever has
    trusted it is asked again when it changes, and only then. The text of a `script`, a file, and
    what `.mcp.json` says of a `server` belong to it. What does not `ask` is told by `check` alone;
    a `walled` one asks only where jobs have no walls.
    """

    code: str
    says: str
    hint: str
    what: Mapping[str, JsonValue] = field(default_factory=dict)
    field: str | None = None
    script: str | None = None
    server: str | None = None
    asks: bool = True
    walled: bool = False

    def digest(self, outside: str | None = None) -> str:
        """What it is known by; `outside` is the text of its script, or of its server."""
        known = {"code": self.code, "what": dict(self.what), "outside": outside}
        return hashlib.sha256(to_json(known)).hexdigest()

    def problem(self, label: Label, path: tuple[str | int, ...]) -> Problem:
        """The hint that `check` gives."""
        message = f"Node {label!r} {self.says}."
        return Problem(self.code, message, label, path, self.hint, severity="hint")
