"""What is different between two runs, activation by activation."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ..diagram.diff import Diff
from ..diagram.model import Diagram
from ..diagram.suggest import with_nearest
from ..errors import CommandError
from ..protocol.events import Usage
from .history import History
from .run_diffing.activation import COLUMNS, ActivationDiff
from .run_diffing.comparing import Comparison
from .run_diffing.showing import as_html, as_text

__all__ = ["ActivationDiff", "RunDiff", "UsageDiff", "compare_runs"]


@dataclass(frozen=True, slots=True)
class UsageDiff:
    """What two runs have taken, with all that was done more than once."""

    before: Usage
    after: Usage

    @property
    def difference(self) -> Usage:
        """What the second run took more than the first; negative where it took less."""
        return self.after - self.before


@dataclass(frozen=True, repr=False)
class RunDiff:
    """All differences between two runs; false when there are none but times and what was cached.

    `activations` has those of both runs, the same ones too, in the order in which they began in
    the first; `diff["argue[2]"]` is one of them. `diagram` is the diff of the two diagrams,
    `ended` the status of either run.
    """

    activations: tuple[ActivationDiff, ...]
    diagram: Diff
    usage: UsageDiff
    ended: tuple[str, str]

    def __bool__(self) -> bool:
        return bool(self.changed or self.diagram or self.ended[0] != self.ended[1])

    def __getitem__(self, name: str) -> ActivationDiff:
        found = {each.name: each for each in self.activations}
        if name not in found:
            raise KeyError(with_nearest(f"no activation {name!r}.", name, found))
        return found[name]

    @cached_property
    def changed(self) -> tuple[ActivationDiff, ...]:
        """Those that differ, or have happened in one of the runs only."""
        return tuple(each for each in self.activations if each)

    @property
    def only_before(self) -> tuple[ActivationDiff, ...]:
        return tuple(each for each in self.changed if each.after is None)

    @property
    def only_after(self) -> tuple[ActivationDiff, ...]:
        return tuple(each for each in self.changed if each.before is None)

    @property
    def first_divergence(self) -> ActivationDiff | None:
        """Where the runs part; its `reason` says why. None when they do not, tokens apart."""
        return next((each for each in self.changed if each.diverges), None)

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each activation."""
        return [each.to_record() for each in self.activations]

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        try:
            import pandas as pd  # noqa: PLC0415 - optional, and slow to import
        except ImportError:
            message = "A table needs pandas: pip install pandas. `to_records()` does without."
            raise CommandError(message, code="no_pandas") from None

        return pd.DataFrame(self.to_records(), columns=list(COLUMNS))

    def __repr__(self) -> str:
        """The same for all runs that differ in the same way."""
        return as_text(self)

    def _repr_mimebundle_(
        self, include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> dict[str, str]:
        return {"text/plain": as_text(self), "text/html": as_html(self)}


def compare_runs(
    before: History, after: History, *, before_diagram: Diagram, after_diagram: Diagram
) -> RunDiff:
    """What differs between two runs, as far as they have come.

    Activations belong together by node and number: `argue[2]` is compared with `argue[2]`, and
    with `debate[2]` if the diagrams show that `argue` was renamed so. For what counts as a
    difference see `ActivationDiff`.
    """
    comparison = Comparison((before, after), (before_diagram, after_diagram))
    return RunDiff(
        activations=tuple(comparison.activations()),
        diagram=comparison.diagram,
        usage=UsageDiff(before.spending.total, after.spending.total),
        ended=(before.status, after.status),
    )
