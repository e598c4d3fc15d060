"""The card with its own JavaScript, as an anywidget."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import anywidget
import traitlets

from ...built import LOADER, SCRIPT, script_version
from ...diagram.drawn import drawing_of
from ...protocol.events import Entry, ExecutionEdited
from ..run import Run
from .content import snapshot_of
from .control import ears_here
from .obeying import Reply, Take

AT_ONCE = 500
"""Entries in one message, at most."""
ASKS_FOR_SCRIPT = {"kind": "script"}


def card_for(run: Run, take: Take) -> InteractiveCard:
    """The card that suits a run: where there is a server, pages have most of it from there."""
    lean = run.watched.server is not None and LOADER.is_file()
    return (LeanCard if lean else InteractiveCard)(run, take)


class InteractiveCard(anywidget.AnyWidget):
    """What both sides know; the names are those of the JavaScript."""

    _esm: ClassVar[Any] = SCRIPT

    execution_id = traitlets.Unicode().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    diagram = traitlets.Dict().tag(sync=True)
    places = traitlets.Dict().tag(sync=True)
    server = traitlets.Dict(allow_none=True).tag(sync=True)
    script = traitlets.Unicode().tag(sync=True)
    snapshot: traitlets.List[Any] = traitlets.List().tag(sync=True)
    control = traitlets.Unicode().tag(sync=True)

    def __init__(self, run: Run, take: Take) -> None:
        server = run.watched.server
        self._take, self._ears = take, ears_here()
        super().__init__(
            execution_id=run.id,
            status=run.status,
            **drawing_of(run.diagram),
            server={"url": server} if server else None,
            script=script_version(),
            snapshot=snapshot_of(run),
            control=self._ears.open(self.hear) if self._ears else "",
            _view_count=0,
        )
        self.on_msg(lambda _, said, __: self.hear(said))

    def hear(self, said: Any) -> None:
        """Take what the page says."""
        self._take(said)

    def close(self) -> None:
        """Hear and show it no more."""
        if self._ears is not None:
            self._ears.shut(self.control)
        super().close()

    def tell(self, run: Run, entries: Sequence[Entry]) -> None:
        """Tell what has happened."""
        if any(isinstance(each.event, ExecutionEdited) for each in entries):
            with self.hold_sync():
                for name, value in drawing_of(run.diagram).items():
                    self.set_trait(name, value)
        for start in range(0, len(entries), AT_ONCE):
            wire = [each.to_wire() for each in entries[start : start + AT_ONCE]]
            self.send({"kind": "entries", "entries": wire})

    def reply(self, reply: Reply) -> None:
        """Tell what came of a command."""
        self.send({"kind": "reply", **reply})

    def rest(self, run: Run) -> None:
        """Keep what a page needs that has heard nothing yet."""
        self.status, self.snapshot = run.status, snapshot_of(run)


class LeanCard(InteractiveCard):
    """The same without its JavaScript, which pages fetch: from the server, or else from here."""

    _esm: ClassVar[Any] = LOADER

    def hear(self, said: Any) -> None:
        """Take what the page says, which may be that it has no JavaScript."""
        if said == ASKS_FOR_SCRIPT:
            self.send({"kind": "script", "source": SCRIPT.read_text(encoding="utf-8")})
        else:
            super().hear(said)
