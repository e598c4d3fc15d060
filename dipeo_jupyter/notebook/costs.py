"""What a run has cost: by activation, node and person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

from ..client.tables import as_columns
from ..protocol.events import Usage
from ..protocol.spending import NOTHING
from .history import History
from .records import as_frame, table

COLUMNS = ("of", "name", "calls", "input_tokens", "output_tokens", "cached_tokens", "usd", "cost")


@dataclass(frozen=True, repr=False)
class Costs:
    """What the calls to models have taken, those of nodes that failed or ran again included.

    `by_activation`, `by_node` and `by_person` are since the last edit; `total` is of the whole run,
    so it may be more than their sum.
    """

    total: Usage
    by_activation: Mapping[str, Usage]
    by_node: Mapping[str, Usage]
    by_person: Mapping[str, Usage]

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each activation that has asked a model."""
        return [_row("activation", name, usage) for name, usage in self.by_activation.items()]

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        return as_frame(self.to_records(), list(COLUMNS))

    def __repr__(self) -> str:
        return as_columns(_SHOWN, self._rows())

    def _repr_mimebundle_(
        self, include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> dict[str, str]:
        note = ""
        if self.total.unpriced:
            note = f"<p>{escape(_unpriced(self.total))}</p>"
        return {"text/plain": repr(self), "text/html": table(_SHOWN, self._rows()) + note}

    def _rows(self) -> list[dict[str, Any]]:
        nodes = [_row("node", name, usage) for name, usage in self.by_node.items()]
        persons = [_row("person", name, usage) for name, usage in self.by_person.items()]
        return [*nodes, *persons, _row("run", "", self.total)]


def costs_of(history: History) -> Costs:
    """What has been spent so far, and for whom."""
    spent = history.spending.by_activation.copy()
    persons = {(each.node, each.number): each.person for each in history.activations.copy()}
    by_node: dict[str, Usage] = {}
    by_person: dict[str, Usage] = {}
    for (node, number), usage in spent.items():
        by_node[node] = by_node.get(node, NOTHING) + usage
        if (person := persons.get((node, number))) is not None:
            by_person[person] = by_person.get(person, NOTHING) + usage
    by_activation = {f"{node}[{number}]": usage for (node, number), usage in spent.items()}
    return Costs(history.spending.total, by_activation, by_node, by_person)


_SHOWN = tuple(name for name in COLUMNS if name != "usd")


def _row(of: str, name: str, usage: Usage) -> dict[str, Any]:
    return {
        "of": of,
        "name": name,
        "calls": usage.calls,
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cached_tokens": usage.cached_tokens,
        "usd": usage.usd,
        "cost": usage.cost,
    }


def _unpriced(usage: Usage) -> str:
    one = usage.unpriced == 1
    return f"The price of {usage.unpriced} call{'' if one else 's'} is not known."
