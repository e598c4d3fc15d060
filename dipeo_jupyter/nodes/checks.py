"""What node types find wrong with their own settings before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..diagram import expression, template
from ..diagram.model import Label
from ..engine.schemas import fault_in
from ..errors import ExpressionError, Problem, TemplateError


def check_template(label: Label, field: str, text: str | None) -> Iterator[Problem]:
    """Find out whether a property is a template, if it is given at all."""
    try:
        template.check(text or "")
    except TemplateError as error:
        yield _problem("bad_template", label, field, str(error))


def check_expression(label: Label, field: str, text: str | None) -> Iterator[Problem]:
    """Find out whether a property is an expression, if it is given at all."""
    try:
        if text is not None:
            expression.check(text, {"iterations"})
    except ExpressionError as error:
        yield _problem("bad_expression", label, field, str(error))


def check_schema(label: Label, field: str, schema: Mapping[str, Any] | None) -> Iterator[Problem]:
    """Find out whether a property is a JSON Schema, if it is given at all."""
    if schema is not None and (fault := fault_in(schema)):
        yield _problem("bad_schema", label, field, f"its schema is no JSON Schema: {fault}.")


def _problem(code: str, label: Label, field: str, fault: str) -> Problem:
    return Problem(code, f"Node {label!r}: {fault}", label, ("nodes", label, field))
