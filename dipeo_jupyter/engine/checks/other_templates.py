"""Signs of Jinja in texts: what stands between them would go out as it is, without a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ...diagram.language.template_syntax import place
from ...diagram.model import NodeSpec
from ...errors import Problem
from ..node import Node
from .settings import at_field
from .texts import Texts

_SIGN = re.compile(
    r"""\{%[-+]?\s*(?P<word>[a-z]\w*)(?:(?!%\}).){0,500}+%\}
      | \{\#[-\ ](?:(?!\#\}).){0,2000}+\#\}""",
    re.VERBOSE | re.DOTALL,
)
_LONGEST_SHOWN = 40
_CHOICE = (
    "Write {{#if x}}…{{else}}…{{/if}}, which asks whether there is anything in x; what compares "
    "is a `condition` before this node."
)
_LOOP = "Write {{#each xs}}…{{this}}…{{/each}}."
_BY_WORD: dict[str | None, str] = {
    "if": _CHOICE,
    "elif": _CHOICE,
    "else": _CHOICE,
    "endif": _CHOICE,
    "for": _LOOP,
    "endfor": _LOOP,
    None: "Write {{! a note }}.",
}
_ELSE = "There is no such thing here: make the text in a `job`, and lead it here by an edge."


def check_other_templates(spec: NodeSpec, node: Node, texts: Texts) -> Iterator[Problem]:
    """The first sign of it in each template."""
    for each in texts.sound:
        if not each.braces or (sign := _SIGN.search(each.text)) is None:
            continue
        shown = " ".join(sign[0].split())
        shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
        message = f"Node {spec.label!r}: `{shown}` is of Jinja, and would stay in the text."
        hint = _BY_WORD.get(sign["word"], _ELSE)
        within = place(each.text, sign.start())
        problem = Problem("other_template", message, hint=hint, severity="warning", within=within)
        field, *rest = each.path
        yield at_field(spec, node, problem, str(field), *rest)
