"""What has happened at one node of a run, and how values are shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from ..diagram.model import Label
from ..diagram.picture import NodeState
from ..errors import CommandError
from ..protocol.events import Message, Usage
from .history import ActivationRecord, History
from .images import as_html, images_in, in_words

SHORT = 72
"""Characters of a value that the text form of a run shows."""


@dataclass(frozen=True)
class NodeRecord:
    """What has happened at one node of a run; `activations` are its firings, in order."""

    label: Label
    status: str
    activations: tuple[ActivationRecord, ...]
    conversation: Mapping[str, Message]
    _history: History | None = field(default=None, repr=False, compare=False)

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each item of a batch (its last firing), for each firing of another node.

        Of an item they tell the `index`, the `item`, the `prompt`, the `result` or the `error`,
        `input_tokens`, `output_tokens` and `usd`. They are read from the run's events, and what
        those do not say is None: the prompts before the batch has ended, those of items that
        failed, why an item failed unless the node is `partial`, what a result cost that was
        reused or comes from a diagram of its own, and an item of a list that cannot be
        evaluated any more.
        """
        if self._history is not None and self.activations:
            from .item_rows import item_rows  # noqa: PLC0415 - only who looks pays for it

            rows = item_rows(self._history, self.activations[-1])
            if rows is not None:
                return rows
        return [row(each) for each in self.activations]

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        rows = self.to_records()
        return as_frame(rows, list(rows[0]) if rows else list(ROW))

    @property
    def output(self) -> Any:
        """The value of the last firing; None when there was none."""
        return self.activations[-1].output if self.activations else None

    @property
    def seen(self) -> list[Message]:
        """What the person was shown in the last firing, in order, the prompt included."""
        ids = self.activations[-1].seen if self.activations else ()
        return [self.conversation[each] for each in ids if each in self.conversation]

    @property
    def usage(self) -> Usage:
        """What all firings have taken."""
        used = (each.usage for each in self.activations if each.usage is not None)
        return sum(used, Usage())

    @property
    def cost(self) -> str:
        """Their dollars: `$0.0123`, or `≥ $0.0123` when the price of a model is not known."""
        return self.usage.cost

    @property
    def error(self) -> str | None:
        error = self.activations[-1].error if self.activations else None
        return error.message if error else None

    @property
    def outcome(self) -> str:
        """The status, and how often it has fired; a reused result counts as one."""
        count = len(self.activations)
        status = "completed" if self.status == "cached" else self.status
        return f"{status} ×{count}" if count > 1 else status

    @property
    def state(self) -> NodeState:
        """As the picture shows it."""
        return NodeState(self.status, max(1, len(self.activations)), self.error)

    def __repr__(self) -> str:
        value = f" {shorten(self.output)}" if self.output is not None else ""
        return f"<{self.label}: {self.outcome}{value}>"

    def _repr_mimebundle_(
        self, include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> dict[str, str]:
        """One line, and the images that the person was shown, and that came of it."""
        shown = as_html(images_in([list(each.all_images) for each in self.seen]), "seen")
        made = as_html(images_in(self.output), self.label)
        html = {"text/html": f"<p>{escape(repr(self))}</p>{shown}{made}"} if shown or made else {}
        return {"text/plain": repr(self), **html}


def shorten(value: Any, limit: int = SHORT) -> str:
    """A value in one line of at most `limit` characters."""
    value = in_words(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=repr)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


ROW: dict[str, Callable[[ActivationRecord], Any]] = {
    "node": lambda each: each.node,
    "activation": lambda each: each.number,
    "status": lambda each: each.status,
    "person": lambda each: each.person,
    "output": lambda each: each.output,
    "input_tokens": lambda each: each.usage.input_tokens if each.usage else None,
    "output_tokens": lambda each: each.usage.output_tokens if each.usage else None,
    "usd": lambda each: each.usage.usd if each.usage and not each.usage.unpriced else None,
    "duration_ms": lambda each: each.duration_ms,
    "error": lambda each: each.error.message if each.error else None,
}
"""The columns of the table of all firings."""


def row(record: ActivationRecord) -> dict[str, Any]:
    """One line of that table."""
    return {name: read(record) for name, read in ROW.items()}


def as_frame(records: list[dict[str, Any]], columns: list[str]) -> Any:
    """Rows as a pandas DataFrame; raises `CommandError` without pandas."""
    try:
        import pandas as pd  # noqa: PLC0415 - optional, and slow to import
    except ImportError:
        message = "A table needs pandas: pip install pandas. `to_records()` does without."
        raise CommandError(message, code="no_pandas") from None

    return pd.DataFrame(records, columns=columns)


def table(names: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows below their names, as HTML."""
    cell = '<{0} style="text-align:left">{1}</{0}>'
    head = "".join(cell.format("th", name.replace("_", " ")) for name in names)
    body = "".join(
        "<tr>" + "".join(cell.format("td", _text(row[name])) for name in names) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _text(value: Any) -> str:
    return "" if value is None else escape(str(value))
