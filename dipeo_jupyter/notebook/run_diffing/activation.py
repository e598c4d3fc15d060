"""What differs between two firings of a node, each in a run of its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

from ...diagram.diff import Change
from ...diagram.diffing.wording import say
from ...diagram.model import Label
from ..history import ActivationRecord
from . import wording

What: TypeAlias = Literal["definition", "inputs", "seen", "output", "error", "ending", "tokens"]
"""What of an activation can differ, causes before their effects."""
Status: TypeAlias = Literal["same", "changed", "only before", "only after"]
CONSEQUENCES = frozenset({"tokens"})
"""What may differ though the runs have not parted."""


@dataclass(frozen=True, slots=True)
class ActivationDiff:
    """One activation in both runs; `node` is its label afterwards, unless it was only before.

    Every difference is a `Change` as in the diff of two diagrams. Those of the `definition` are
    from there: of the node, of its person. The others have the activation for their subject, and
    in their path what differs: `inputs` and the name, `seen` and the message's id, `output` or the
    `handle` by which it left, `error`, `status` (how it has ended, if not with an error),
    `input_tokens` or `output_tokens`. That a result was cached, and how long it took, is none.
    """

    node: Label
    number: int
    before: ActivationRecord | None = None
    after: ActivationRecord | None = None
    definition: tuple[Change, ...] = ()
    inputs: tuple[Change, ...] = ()
    seen: tuple[Change, ...] = ()
    output: tuple[Change, ...] = ()
    error: tuple[Change, ...] = ()
    ending: tuple[Change, ...] = ()
    tokens: tuple[Change, ...] = ()

    @property
    def name(self) -> str:
        """`argue[2]`."""
        return f"{self.node}[{self.number}]"

    @property
    def what(self) -> tuple[What, ...]:
        """What differs, causes first; for what has happened in one run only, why it has."""
        return tuple(what for what in get_args(What) if getattr(self, what))

    @property
    def status(self) -> Status:
        if self.after is None:
            return "only before"
        if self.before is None:
            return "only after"
        return "changed" if self.what else "same"

    def __bool__(self) -> bool:
        return self.status != "same"

    @property
    def diverges(self) -> bool:
        """Whether the runs can have parted here; other numbers of tokens alone part nothing."""
        return self.status.startswith("only") or not CONSEQUENCES.issuperset(self.what)

    @property
    def duration_ms(self) -> float | None:
        """By how much longer it took in the second run; None when it did not end in both."""
        before, after = self._read(_duration)
        return None if before is None or after is None else after - before

    @property
    def reason(self) -> str:
        """What differs first, in a sentence: `argue[2]: the prompt was changed`."""
        return f"{say(self.name)}: {self._cause}"

    @property
    def _cause(self) -> str:
        match self.what:
            case ["definition", *_]:
                return wording.of_definition(self.definition)
            case _ if self.after is None:
                return "did not happen any more"
            case _ if self.before is None:
                return "did not happen before"
            case ["inputs", *_]:
                return wording.of_inputs(self.inputs)
            case ["seen", *_]:
                return wording.of_seen(self.seen, self.name)
            case ["output", *_]:
                return wording.of_output(self.output)
            case ["error", *_]:
                return wording.of_error(self.error[0])
            case ["ending", *_]:
                return wording.of_ending(self.ending[0])
            case ["tokens", *_]:
                return "used more or fewer tokens"
            case _:
                return "nothing differs"

    def __repr__(self) -> str:
        what = f" ({', '.join(self.what)})" if self.what else ""
        return f"<{say(self.name)}: {self.status}{what}>"

    def to_record(self) -> dict[str, Any]:
        """The activation as a row of a table; None where there is no value."""
        about = (self.node, self.number, self.status, ", ".join(self.what))
        sides = (value for _, read in VALUES for value in self._read(read))
        return dict(zip(COLUMNS, (*about, *sides), strict=True))

    def _read(self, read: Callable[[ActivationRecord], Any]) -> tuple[Any, Any]:
        before, after = (each and read(each) for each in (self.before, self.after))
        return before, after


def _duration(record: ActivationRecord) -> float | None:
    return record.duration_ms


VALUES: tuple[tuple[str, Callable[[ActivationRecord], Any]], ...] = (
    ("output", lambda each: each.output),
    ("input_tokens", lambda each: each.usage.input_tokens if each.usage else None),
    ("output_tokens", lambda each: each.usage.output_tokens if each.usage else None),
    ("usd", lambda each: each.usage.usd if each.usage and not each.usage.unpriced else None),
    ("duration_ms", _duration),
)
"""What stands in a row for either run, and how it is read."""
COLUMNS = (
    *("node", "activation", "status", "what"),
    *(f"{name}_{side}" for name, _ in VALUES for side in ("before", "after")),
)
