"""The question of trust, on a card in the cell that waits for it and hears of nothing else.

The card speaks on the kernel's control channel. Where no front end shows it, people are asked by
`input()`. What was decided is all that is left of it in the notebook.
"""

from __future__ import annotations

from html import escape
from math import inf
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Any, Literal, TypeAlias
from uuid import uuid4

from ...built import TRUST_SCRIPT
from ...client.trust_words import ASKS
from ...client.trusting import Granted, TrustQuestion
from ..asking import ask_trust_by_input
from ..interrupts import Stopped, heard
from .cell import cell_here
from .control import Ears, ears_here
from .mime import MIME, VERSION, WIDGET

PATIENCE = 2.0
"""Seconds that a front end may take to begin with a card; longer, and it is one that cannot."""
LOADING = 10.0
"""Seconds from there until people see it."""
BETWEEN_LOOKS = 0.2
"""Seconds: some systems tell of the stop button only between two waits."""
Answer: TypeAlias = Literal["once", "always", "no"]
_DECIDED: dict[Answer | None, str] = {
    "once": "was allowed to run once",
    "always": "is trusted until it changes",
    "no": "was not run",
    None: "was not run, for nobody has decided",
}
_LOST = "This question can be answered no more. Stop the cell if it still runs, and run it again."


def ask_trust(question: TrustQuestion) -> Granted | None:
    """Fulfils `client.trusting.AskTrust`, where somebody can be asked at all.

    The stop button ends the cell, and nothing is run.
    """
    try:
        with heard():
            return _ask(question)
    except KeyboardInterrupt:
        raise Stopped("nothing was run.") from None


def _ask(question: TrustQuestion) -> Granted | None:
    ears = ears_here() if cell_here() is not None and TRUST_SCRIPT.is_file() else None
    if ears is None:
        return ask_trust_by_input(question)
    asked = _Asked(question, ears)
    decided: Answer | None = None
    try:
        asked.show()
        match asked.answer():
            case "unseen":
                asked.hide()
                decided = ask_trust_by_input(question) or "no"
            case "once" | "always" | "no" as answer:
                decided = answer
    finally:
        asked.settle(decided)
    return None if decided == "no" else decided


class _Asked:
    """A question on a card."""

    def __init__(self, question: TrustQuestion, ears: Ears) -> None:
        from IPython.display import display  # noqa: PLC0415 - who shows no card does not load it

        from .trust_card import TrustCard  # noqa: PLC0415 - as above, and slow

        self._said: SimpleQueue[Any] = SimpleQueue()
        self._question, self._ears, self._display = question, ears, display
        self._name = ears.open(self._said.put)
        self._output = f"dipeo-trust-{uuid4().hex}"
        self._card = TrustCard(question, self._name)

    def show(self) -> None:
        """Show the card, and what to do where it cannot be shown any more."""
        question = self._question
        view = {"version_major": 2, "version_minor": 0, "model_id": self._card.model_id}
        title = f"{ASKS}: {question.name}." if question.name else f"{ASKS}."
        lost = {"version": VERSION, "told": f"{title} {_LOST}"}
        self._show({WIDGET: view, MIME: lost, **_told(question, title, _LOST)}, again=False)

    def answer(self) -> Answer | Literal["unseen", "gone"]:
        """Wait for it, as long as somebody sees the question.

        A page that is `gone`, or loaded again, can show nothing of a kernel that waits.
        """
        end, views = monotonic() + PATIENCE, 0
        while monotonic() < end:
            try:
                said = self._said.get(timeout=BETWEEN_LOOKS)
            except Empty:
                continue
            match said:
                case {"trust": "loading"} if not views:
                    end = monotonic() + LOADING
                case {"trust": "seen"}:
                    end, views = inf, views + 1
                case {"trust": "left" | "gone" as how}:
                    views = max(0, views - 1)
                    if not views and how == "gone":
                        return "gone"
                    if not views:
                        end = monotonic() + PATIENCE
                case {"trust": "once" | "always" | "no"}:
                    answer: Answer = said["trust"]
                    return answer
        return "unseen"

    def hide(self) -> None:
        """Show it no more, for it is asked in another way."""
        self._show({})

    def settle(self, answer: Answer | None) -> None:
        """Leave what was decided, and nothing that can be pressed."""
        self._ears.shut(self._name)
        name = self._question.name or "The diagram"
        self._show(_told(self._question, f"{name} {_DECIDED[answer]}."))
        self._card.close()

    def _show(self, data: dict[str, Any], *, again: bool = True) -> None:
        self._display(data, raw=True, display_id=self._output, update=again)


def _told(question: TrustQuestion, line: str, *more: str) -> dict[str, str]:
    """One line, and on demand what is asked for, for readers without JavaScript."""
    items = "".join(f"<li>{escape(str(each))}</li>" for each in question.powers)
    html = f"<details><summary>{escape(line)}</summary><ul>{items}</ul></details>"
    after = "".join(f"<p>{escape(each)}</p>" for each in more)
    return {"text/plain": "\n".join([line, *more]), "text/html": f"{html}{after}"}
