"""A run's conversation as a table in a notebook: who said what to whom, and who still sees it."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from ..client.tables import CONVERSATION_COLUMNS as COLUMNS
from ..client.tables import conversation_cells, conversation_text
from ..protocol.conversation import Said
from .images import as_html, images_in
from .records import as_frame

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
        return conversation_text(self)

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
    activation, sender, recipient, content, seen_by, forgotten = map(
        escape, conversation_cells(said)
    )
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
