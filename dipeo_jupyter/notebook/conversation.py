"""A run's conversation as a table in a notebook: who said what to whom, and who still sees it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from ..client.tables import as_columns
from ..protocol.conversation import Said
from .images import as_html, images_in
from .records import as_frame

COLUMNS = ("activation", "sender", "recipient", "content", "seen_by", "forgotten")
DIAGRAM = "(diagram)"
"""Who asks and is answered, when it is no person."""
_LEFT = "text-align:left;vertical-align:top"


class ConversationTable(tuple[Said, ...]):
    """The messages of a run as it stood when it was asked for them, in the order of the flow.

    A person who has seen a message once and was not shown it again later has forgotten it: at which
    activation, `forgotten` says.
    """

    __slots__ = ()

    def to_records(self) -> list[dict[str, Any]]:
        """One row for each message; the diagram itself is None."""
        return [
            {
                "activation": each.activation,
                "sender": each.message.sender,
                "recipient": each.message.recipient,
                "content": each.message.words,
                "seen_by": list(each.seen_by),
                "forgotten": dict(each.forgotten),
            }
            for each in self
        ]

    def to_frame(self) -> Any:
        """The same as a pandas DataFrame; raises `CommandError` without pandas."""
        return as_frame(self.to_records(), list(COLUMNS))

    def of(self, person: str) -> ConversationTable:
        """What a person said, or was told."""
        return ConversationTable(
            each for each in self if person in (each.message.sender, each.message.recipient)
        )

    def seen_by(self, person: str) -> ConversationTable:
        """What a person knew when it was last asked, and what it said then."""
        return ConversationTable(each for each in self if person in each.seen_by)

    def __repr__(self) -> str:
        """The same for every run with the same outcome."""
        rows = [
            {name: _printable(value) for name, value in zip(COLUMNS, _texts(each), strict=True)}
            for each in self
        ]
        return as_columns(COLUMNS, rows) if rows else "nothing was said"

    def _repr_mimebundle_(
        self, include: Iterable[str] = (), exclude: Iterable[str] = ()
    ) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._html()}

    def _html(self) -> str:
        if not self:
            return "<p>nothing was said</p>"
        names = ("", *(name.replace("_", " ") for name in COLUMNS[1:]))
        head = "".join(f'<th style="{_LEFT}">{name}</th>' for name in names)
        body = "".join(_row(each) for each in self)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _row(said: Said) -> str:
    activation, sender, recipient, content, seen_by, forgotten = map(escape, _texts(said))
    images = as_html(images_in(list(said.message.all_images)), "image")
    style = ' style="opacity:0.7"' if said.earlier else ""
    cells = "".join(
        f'<td style="{_LEFT}">{cell}</td>'
        for cell in (
            f"<code>{activation}</code>",
            sender,
            recipient,
            f'<span style="white-space:pre-wrap">{content}</span>{images}',
            seen_by,
            forgotten,
        )
    )
    return f"<tr{style}>{cells}</tr>"


def _texts(said: Said) -> tuple[str, ...]:
    """The cells of a row. The id of an earlier run is left out: it would be another every time."""
    message, where = said.message, said.activation
    if said.earlier:
        where = f"earlier {where.partition('/')[2] if where.startswith('exec_') else where}"
    return (
        where,
        message.sender or DIAGRAM,
        message.recipient or DIAGRAM,
        message.words,
        ", ".join(said.seen_by),
        ", ".join(f"{person} at {at}" for person, at in said.forgotten.items()),
    )


def _printable(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(each if each.isprintable() else " " for each in text)
