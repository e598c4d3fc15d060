"""What the trials of the crash tests have come to."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass
class Figures:
    """What is told at the end of the session."""

    killed: int = 0
    survived: int = 0
    unreached: int = 0
    calls: int = 0
    asked_twice: int = 0
    repeated: int = 0

    def add(self, other: Figures) -> None:
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))

    def __str__(self) -> str:
        return (
            f"{self.killed} points killed, {self.survived} survived, "
            f"{self.calls} model calls ({self.asked_twice} of them asked again, in flight at the "
            f"kill), {self.repeated} repeated completed effects"
        )
