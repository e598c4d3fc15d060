"""What is left of a run in a saved notebook, for readers with JavaScript and without."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from pydantic_core import to_json

from ..images import as_html, images_in
from ..records import shorten
from ..run import Run
from .content import content_of
from .mime import MIME, VERSION
from .table import table_of


def bundle_of(run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
    """A run as it stands, by MIME type: data, which is the same for the same outcome, and metadata.

    The content of the card, with its times and ids, is metadata: who compares the outputs of
    notebooks compares the data. It is JSON as text, which takes one line of the notebook's file.
    """
    picture = run.picture()
    data: dict[str, Any] = {
        "text/plain": repr(run),
        "image/svg+xml": picture,
        "text/html": f"{picture}<div>{''.join(_outcome(run))}{table_of(run)}</div>",
    }
    content = content_of(run)
    if content is None:
        return data, {}
    return {MIME: {"version": VERSION}, **data}, {MIME: {"run": to_json(content).decode()}}


def _outcome(run: Run) -> Iterator[str]:
    """How it stands, what came of it, and why no more did."""
    yield f"<p>{escape(run.standing)}</p>"
    for label, value in run.outputs.items():
        yield f"<p><b>{escape(label)}</b> = {escape(shorten(value))}</p>"
        yield as_html(images_in(value), label)
    for label, prompt in run.waiting.items():
        yield f"<p><b>{escape(label)}</b> asks: {escape(prompt)}</p>"
    if run.error:
        yield f"<p><b>Error:</b> {escape(run.error)}</p>"
