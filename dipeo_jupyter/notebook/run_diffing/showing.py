"""The diff of two runs as text and as HTML.

Nothing of it depends on when a run was made, so that saved notebooks can be compared.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from html import escape
from itertools import islice
from typing import TYPE_CHECKING, Any

from ...diagram.diff import Change
from ...diagram.diffing.wording import SHORT, Words, say
from . import wording
from .activation import ActivationDiff

if TYPE_CHECKING:
    from ..run_diff import RunDiff

MOST_ROWS = 20
"""So many activations are shown, the first that differ; `to_frame` has them all."""
MOST_PLACES = 3
"""So many places of a text that differ are shown."""
LONGEST = 20_000
"""In texts with more letters no places are looked for."""
_SHOWN = frozenset({"output", "error", "ending"})


def as_text(diff: RunDiff) -> str:
    """What differs, an activation a line, and below it the outputs."""
    rows = list(islice(diff.changed, MOST_ROWS))
    width = max((len(say(each.name)) for each in rows), default=0)
    lines = [title(diff)]
    for each in rows:
        lines.append(f"  {say(each.name):<{width}}  {_what(each)}")
        lines.extend(f"  {'':<{width}}  {line}" for line in _differences(each))
    if (more := len(diff.changed) - len(rows)) > 0:
        lines.append(f"  … and {more} more")
    lines.extend(f"{topic}: {text}" for topic, text in _summary(diff))
    return "\n".join(lines)


def title(diff: RunDiff) -> str:
    """One sentence: how many activations differ, and where the runs part."""
    if not diff:
        return "The runs do not differ."
    if not diff.changed:
        return "No activation differs."
    count = len(diff.activations)
    activations = "activation" if count == 1 else "activations"
    verb = "differs" if len(diff.changed) == 1 else "differ"
    first = diff.first_divergence
    where = f", first {first.reason}" if first else ""
    return f"{len(diff.changed)} of {count} {activations} {verb}{where}"


def as_html(diff: RunDiff) -> str:
    """The same as a table, with the words of texts that went and came marked."""
    parts = [f"<p>{escape(title(diff))}</p>"]
    if rows := diff.changed[:MOST_ROWS]:
        names = ("activation", "what differs", "why", "result")
        head = "".join(f'<th style="text-align:left">{name}</th>' for name in names)
        body = "".join(f"<tr>{_cells(each)}</tr>" for each in rows)
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")
    if (more := len(diff.changed) - len(rows)) > 0:
        parts.append(f"<p>… and {more} more</p>")
    parts.extend(f"<p>{escape(topic)}: {escape(text)}</p>" for topic, text in _summary(diff))
    return "".join(parts)


def _summary(diff: RunDiff) -> Iterator[tuple[str, str]]:
    """What is to be said about the runs as wholes."""
    for change in islice(diff.diagram, MOST_ROWS):
        yield "diagram", str(change)
    if (more := len(diff.diagram) - MOST_ROWS) > 0:
        yield "diagram", f"… and {more} more changes"
    if diff.ended[0] != diff.ended[1]:
        yield "run", " → ".join(diff.ended)
    before, after = diff.usage.before, diff.usage.after
    for name in ("input", "output"):
        one, other = (getattr(each, f"{name}_tokens") for each in (before, after))
        if one != other:
            sign = "+" if other > one else "−"
            yield f"{name} tokens", f"{one} → {other} ({sign}{abs(other - one)})"
    if before.cost != after.cost:
        yield "cost", f"{before.cost} → {after.cost}"


def _what(activation: ActivationDiff) -> str:
    if activation.status != "changed":
        return activation.status
    return ", ".join(activation.what)


def _results(activation: ActivationDiff) -> Iterator[Change]:
    for what in activation.what:
        if what in _SHOWN:
            yield from map(_legible, getattr(activation, what))


def _differences(activation: ActivationDiff) -> Iterator[str]:
    for change in _results(activation):
        if not change.is_long:
            yield _line(change)
            continue
        words = _words(change)
        yield f"{_title(change)} changed ({words})"
        for line in islice(words.lines(), _places(change)):
            yield f"  {line if len(line) <= wording.LINE else line[: wording.LINE - 1] + '…'}"


def _cells(activation: ActivationDiff) -> str:
    reason = activation.reason.removeprefix(f"{say(activation.name)}: ")
    results = "<br>".join(map(_html, _results(activation)))
    result = f'<div style="max-height:12em;overflow:auto">{results}</div>' if results else ""
    texts = (*map(escape, (say(activation.name), _what(activation), reason)), result)
    return "".join(f'<td style="text-align:left">{text}</td>' for text in texts)


def _html(change: Change) -> str:
    if not change.is_long:
        return escape(_line(change))
    words = _words(change)
    places = islice(words.html_lines(), _places(change))
    return "<br>".join([escape(f"{_title(change)} changed ({words})"), *places])


def _line(change: Change) -> str:
    """The change without the activation, which stands before it."""
    if change.path == ("error",):
        return wording.of_error(change)
    return str(change).removeprefix(f"{say(change.subject)}.")


def _title(change: Change) -> str:
    return change.title.removeprefix(f"{say(change.subject)}.")


def _places(change: Change) -> int:
    sizes: Sequence[int] = [len(str(each)) for each in (change.before, change.after)]
    return MOST_PLACES if max(sizes) <= LONGEST else 0


def _legible(change: Change) -> Change:
    """Values of some size are compared as the text that they are in JSON."""
    values = (change.before, change.after)
    if not all(isinstance(each, dict | list | str) for each in values):
        return change
    texts = [each if isinstance(each, str) else _json(each) for each in values]
    if max(map(len, texts)) <= SHORT:
        return change
    return replace(change, before=texts[0], after=texts[1])


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, default=repr)


def _words(change: Change) -> Words:
    return _words_between(str(change.before), str(change.after))


@lru_cache(maxsize=2 * MOST_ROWS)
def _words_between(before: str, after: str) -> Words:
    """Kept for a while: text and HTML are asked for together."""
    return Words.between(before, after)
