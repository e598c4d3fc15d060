"""One row of the table."""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent

from ...errors import Severity


@dataclass(frozen=True, slots=True)
class Rule:
    """What a code stands for. `example` is a small diagram that has the problem."""

    code: str
    severity: Severity
    meaning: str
    remedy: str
    example: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "example", dedent(self.example).lstrip("\n"))
