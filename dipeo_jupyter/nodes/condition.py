"""The `condition` node: chooses one of two ways on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import AliasChoices, Field, model_validator

from ..diagram.model import Diagram, Label
from ..diagram.suggest import did_you_mean
from ..engine.node import Context, Inputs, Node, Result
from ..errors import ExpressionError, NodeError, Problem
from .checks import check_expression

TRUE, FALSE = "condtrue", "condfalse"

ConditionType = Literal["expression", "custom", "detect_max_iterations", "check_nodes_executed"]


class Condition(Node):
    """Goes on by `condtrue` or `condfalse`, and hands on what it was given: the unlabelled value.

    Without one, that is the only value, or all of them by name.

    `expression` (also called `custom`) evaluates Python syntax over what the node sees;
    `detect_max_iterations` is true when every node with a `max_iteration` in the loop around has
    used its turns; `check_nodes_executed` when all of `node_indices` have run.
    """

    type: ClassVar[str] = "condition"
    aliases: ClassVar[tuple[str, ...]] = ("if", "branch")
    handles: ClassVar[tuple[str, ...]] = (TRUE, FALSE)
    ignored: ClassVar[frozenset[str]] = frozenset({"skippable", "memorize_to", "at_most"})

    condition_type: ConditionType = Field(
        "expression", validation_alias=AliasChoices("condition_type", "conditionType")
    )
    expression: str | None = None
    node_indices: tuple[Label, ...] = Field(
        (), validation_alias=AliasChoices("node_indices", "nodes")
    )
    expose_index_as: str | None = None

    @model_validator(mode="after")
    def _complete(self) -> Condition:
        if self.condition_type in ("expression", "custom") and not (self.expression or "").strip():
            raise ValueError("a condition of this type needs an `expression`")
        if self.condition_type == "check_nodes_executed" and not self.node_indices:
            raise ValueError("`check_nodes_executed` needs `node_indices`, the nodes to look at")
        return self

    @property
    def counter(self) -> str | None:
        return self.expose_index_as

    def check(self, label: Label, diagram: Diagram) -> Iterator[Problem]:
        if self.expression and self.condition_type in ("expression", "custom"):
            yield from check_expression(label, "expression", self.expression)
        known = [spec.label for spec in diagram.nodes]
        for name in self.node_indices:
            if name not in known:
                message = f"Node {label!r} looks at {name!r}, which does not exist."
                path = ("nodes", label, "node_indices")
                yield Problem("unknown_node", message, label, path, did_you_mean(name, known))

    async def run(self, inputs: Inputs, ctx: Context) -> Result:
        return Result.branch(TRUE if self._holds(ctx) else FALSE, inputs.single())

    def _holds(self, ctx: Context) -> bool:
        match self.condition_type:
            case "detect_max_iterations":
                return ctx.limits_reached()
            case "check_nodes_executed":
                return all(ctx.turns(label) > 0 for label in self.node_indices)
            case _:
                return self._evaluate(ctx)

    def _evaluate(self, ctx: Context) -> bool:
        assert self.expression is not None
        try:
            return bool(ctx.evaluate(self.expression))
        except ExpressionError as error:
            raise NodeError(str(error), field="expression") from error
