"""What is wrong with a diagram, as a table in a notebook."""

from __future__ import annotations

import re
from html import escape

from ..errors import Problem

_CODE = re.compile("`([^`]+)`")
_SIGNS = {"error": "✗", "warning": "!", "hint": "i"}


class Problems(tuple[Problem, ...]):
    """The problems of a diagram, in the order of its text. Empty means that all is well."""

    __slots__ = ()

    @property
    def errors(self) -> Problems:
        """Those because of which the diagram cannot be run."""
        return Problems(problem for problem in self if problem.severity == "error")

    def __repr__(self) -> str:
        return "\n".join(f"{each.severity}: {each} [{each.code}]" for each in self) or "no problems"

    def _repr_html_(self) -> str:
        if not self:
            return "<p>✓ no problems</p>"
        names = ("", "line", "node", "problem", "code")
        head = "".join(f'<th style="text-align:left">{name}</th>' for name in names)
        rows = "".join(f"<tr>{_cells(problem)}</tr>" for problem in self)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cells(problem: Problem) -> str:
    line = "" if problem.line is None else str(problem.line)
    sign = f'<span title="{problem.severity}">{_SIGNS[problem.severity]}</span>'
    hint = _CODE.sub(r"<code>\1</code>", escape(problem.hint or ""))
    hint = f"<br><i>{hint}</i>" if hint else ""
    code = f"<code>{escape(problem.code)}</code>"
    message = _CODE.sub(r"<code>\1</code>", escape(problem.message)) + hint
    texts = (sign, line, escape(problem.node or ""), message, code)
    return "".join(f'<td style="text-align:left">{text}</td>' for text in texts)
