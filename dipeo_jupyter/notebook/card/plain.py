"""The card without JavaScript of its own: a picture, buttons, and a form for each question."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from html import escape
from time import monotonic
from typing import Any

import ipywidgets as ipw

from ...diagram.model import Label
from ...engine.own_thread import in_thread
from ...protocol.events import Entry, NodeStarted, Question, TokenDelta
from ..run import Run
from .form import Form
from .obeying import Reply, Take

REDRAWN = 0.25
"""Seconds, at least, from one picture to the next."""
SHARE = 10
"""A picture that takes long is drawn so much less often that it takes one part in so many."""
LAST_WORDS = 400
"""Characters of an answer that are shown while it arrives, from its end."""
BUTTONS = {
    "pause_execution": ("Pause", "pause", ("running", "waiting")),
    "resume_execution": ("Resume", "play", ("paused", "failed")),
    "step_execution": ("Step", "step-forward", ("paused",)),
    "cancel_execution": ("Stop", "stop", ("running", "waiting", "paused")),
}
"""Commands, with their names and signs, and when they can be given."""


class PlainCard(ipw.VBox):
    def __init__(self, run: Run, take: Take) -> None:
        self._run, self._take = run, take
        self._picture, self._standing, self._speech = ipw.HTML(), ipw.HTML(), ipw.HTML()
        self._buttons = {command: self._button(command) for command in BUTTONS}
        self._forms: dict[Label, Form] = {}
        self._questions = ipw.VBox()
        self._words: dict[Label, str] = {}
        self._stale = True
        self._drawing: asyncio.Task[None] | None = None
        self._draw()
        bar = ipw.HBox([*self._buttons.values(), self._standing])
        super().__init__([bar, self._picture, self._speech, self._questions], _view_count=0)

    def tell(self, run: Run, entries: Sequence[Entry]) -> None:
        """Show what has happened, soon."""
        for entry in entries:
            match entry.event:
                case NodeStarted(node=node):
                    self._words.pop(node, None)
                case TokenDelta(node=node, text=text):
                    self._words[node] = (self._words.get(node, "") + text)[-LAST_WORDS:]
        self._stale = True
        if self._drawing is None or self._drawing.done():
            self._drawing = asyncio.create_task(self._keep_drawn())

    def reply(self, reply: Reply) -> None:
        """Show why a command was refused: at its form, if it was an answer."""
        problem = reply["payload"]["message"] if reply["type"] == "error" else ""
        form = self._forms.get(reply.get("correlation_id", ""))
        if form is not None:
            form.refuse(problem)
        elif problem:
            self._standing.value = f"<b>{escape(problem)}</b>"

    def rest(self, run: Run) -> None:
        """Nothing is kept: whatever is shown is the state of a widget."""

    async def _keep_drawn(self) -> None:
        while self._stale:
            self._stale = False
            began = monotonic()
            await in_thread(self._draw)
            await asyncio.sleep(max(REDRAWN, SHARE * (monotonic() - began)))

    def _draw(self) -> None:
        run = self._run
        self._picture.value = run.picture()
        self._standing.value = f"&ensp;{escape(run.standing)} · {run.cost}"
        speaking = [
            f"<p><b>{escape(node)}</b>: {escape(words)}</p>"
            for node, words in self._words.copy().items()
            if run[node].status == "running"
        ]
        self._speech.value = "".join(speaking)
        for command, button in self._buttons.items():
            button.disabled = run.status not in BUTTONS[command][2]
        self._ask(run.watched.questions)

    def _ask(self, questions: dict[Label, Question]) -> None:
        """Show a form for each question; one that is asked again begins anew."""
        if {node: form.question for node, form in self._forms.items()} == questions:
            return
        self._forms = {
            node: form
            if (form := self._forms.get(node)) and form.question is question
            else Form(node, question, self._answer)
            for node, question in questions.items()
        }
        self._questions.children = tuple(self._forms.values())

    def _button(self, command: str) -> Any:
        name, sign, _ = BUTTONS[command]
        button = ipw.Button(description=name, icon=sign, layout=ipw.Layout(width="auto"))
        button.on_click(lambda _: self._say(command))
        return button

    def _answer(self, node: Label, value: Any) -> None:
        self._say("user_response", node, node=node, value=value)

    def _say(self, command: str, number: str | None = None, **payload: Any) -> None:
        said = {"type": command, "execution_id": self._run.id, "payload": payload}
        self._take(said if number is None else {**said, "correlation_id": number})
