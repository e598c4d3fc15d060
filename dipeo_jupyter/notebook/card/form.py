"""A question as a form of ipywidgets."""

from __future__ import annotations

import json
from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as ipw

from ...diagram.model import Label
from ...protocol.events import Question

WIDE = ipw.Layout(width="60%")


class Form(ipw.VBox):
    """One field, by what a valid answer is, and a button. `answer` gets the node and the value."""

    def __init__(
        self, node: Label, question: Question, answer: Callable[[Label, Any], None]
    ) -> None:
        self.question = question
        self._problem = ipw.HTML()
        prompt = ipw.HTML(f"<b>{escape(node)}</b> asks: {escape(question.prompt)}")
        field, self._read = _field(question.schema_ or {})
        button = ipw.Button(description="Answer", button_style="primary")

        def send(_: Any) -> None:
            try:
                value = self._read(field.value)
            except ValueError as error:
                self.refuse(f"This is no JSON: {error}")
            else:
                answer(node, value)

        button.on_click(send)
        super().__init__([prompt, field, self._problem, button])

    def refuse(self, problem: str) -> None:
        """Say why the answer was not taken."""
        self._problem.value = f'<span role="alert">{escape(problem)}</span>' if problem else ""


def _field(schema: dict[str, Any]) -> tuple[Any, Callable[[Any], Any]]:
    """The widget, and what its value means."""
    kind = schema.get("type")
    start = schema.get("default")
    if isinstance(schema.get("enum"), list):
        choices = [(str(each), each) for each in schema["enum"]]
        return ipw.Dropdown(options=choices, layout=WIDE), _same
    if kind == "boolean":
        return ipw.ToggleButtons(options=[("yes", True), ("no", False)]), _same
    if kind == "integer":
        return ipw.IntText(value=start or 0, layout=WIDE), _same
    if kind == "number":
        return ipw.FloatText(value=start or 0, layout=WIDE), _same
    if kind in ("object", "array"):
        text = json.dumps(start if start is not None else ({} if kind == "object" else []))
        return ipw.Textarea(value=text, layout=WIDE), json.loads
    return ipw.Text(value=str(start or ""), layout=WIDE), _same


def _same(value: Any) -> Any:
    return value
