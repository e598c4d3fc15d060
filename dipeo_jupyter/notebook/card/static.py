"""What is left of a run in a saved notebook, for readers with JavaScript and without."""

from __future__ import annotations

from typing import Any

from pydantic_core import to_json

from ..images import as_html, images_in
from ..run import Run
from .content import content_of
from .table import table_of

MIME = "application/vnd.dipeo.run+json"
VERSION = 1


def bundle_of(run: Run) -> tuple[dict[str, Any], dict[str, Any]]:
    """A run as it stands, by MIME type: data, which is the same for the same outcome, and metadata.

    The content of the card, with its times and ids, is metadata: who compares the outputs of
    notebooks compares the data. It is JSON as text, which takes one line of the notebook's file.
    """
    picture = run.picture()
    images = "".join(as_html(images_in(each), label) for label, each in run.outputs.items())
    data: dict[str, Any] = {
        "text/plain": repr(run),
        "image/svg+xml": picture,
        "text/html": f"{picture}<div>{images}{table_of(run)}</div>",
    }
    content = content_of(run)
    if content is None:
        return data, {}
    return {MIME: {"version": VERSION}, **data}, {MIME: {"run": to_json(content).decode()}}
