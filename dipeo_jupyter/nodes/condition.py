"""The `condition` node: chooses one of two ways on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import AliasChoices, Field, JsonValue, field_validator

from ..diagram.model import Label
from ..engine.node import Context, Inputs, Node, Result
from ..errors import ExpressionError, NodeError

TRUE, FALSE = "condtrue", "condfalse"

ConditionType = Literal["expression", "custom", "detect_max_iterations", "check_nodes_executed"]


class Condition(Node):
    """Chooses one of two ways on, `condtrue` or `condfalse`, and hands on what it was given.

    That is the unlabelled value; without one, the only value, or all of them by name.

    `expression` (also called `custom`) evaluates Python syntax over what the node sees;
    `detect_max_iterations` is true when every node with a `max_iteration` in the loop around has
    used its turns; `check_nodes_executed` when all of `node_indices` have run.
    """

    type: ClassVar[str] = "condition"
    keeps_inputs: ClassVar[bool] = True
    aliases: ClassVar[tuple[str, ...]] = ("if", "branch")
    handles: ClassVar[tuple[str, ...]] = (TRUE, FALSE)
    expressions: ClassVar[tuple[str, ...]] = ("expression",)
    names_nodes: ClassVar[tuple[str, ...]] = ("node_indices",)
    passes_on: ClassVar[bool] = True
    # `skippable` was a remedy for hanging, which cannot happen here; the others belong to
    # `llm_decision`, which is refused as a whole.
    ignored: ClassVar[frozenset[str]] = frozenset(
        {"skippable", "person", "judge_by", "judge_by_file", "memorize_to", "at_most"}
    )
    example: ClassVar[Mapping[str, JsonValue]] = {"expression": "score >= 8"}

    condition_type: ConditionType = Field(
        "expression",
        validation_alias=AliasChoices("condition_type", "conditionType"),
        description=(
            "What is asked. `expression` (also `custom`): whether `expression` holds; "
            "`detect_max_iterations`: whether every node with a `max_iteration` in the loop around "
            "has used its turns; `check_nodes_executed`: whether all of `node_indices` have run."
        ),
    )
    expression: str | None = Field(
        None,
        description=(
            "A condition in Python syntax over what the node sees. Texts, comparisons, `and`, "
            "`or`, `not`, `in`, arithmetic and functions such as `len` and `contains` are known."
        ),
        examples=["score >= 8", "'yes' in lower(answer)"],
    )
    node_indices: tuple[Label, ...] = Field(
        (),
        validation_alias=AliasChoices("node_indices", "nodeIndices", "nodes"),
        description="Labels of the nodes that `check_nodes_executed` looks at.",
        examples=[["draft", "review"]],
    )
    expose_index_as: str | None = Field(
        None,
        validation_alias=AliasChoices("expose_index_as", "exposeIndexAs"),
        description="A name under which templates see how often this node ran before, from 0.",
        examples=["round"],
    )

    @field_validator("condition_type", mode="before", json_schema_input_type=ConditionType)
    @classmethod
    def _no_model_decides(cls, value: Any) -> Any:
        if value == "llm_decision":
            raise ValueError(
                "`llm_decision` is not supported here: let a person_job answer yes or no, and test "
                "its answer with an `expression`."
            )
        return value

    def contradictions(self) -> Iterator[str]:
        if self.condition_type in ("expression", "custom") and not (self.expression or "").strip():
            yield "a condition of this type needs an `expression`"
        if self.condition_type == "check_nodes_executed" and not self.node_indices:
            yield "`check_nodes_executed` needs `node_indices`, the nodes to look at"

    @property
    def counter(self) -> str | None:
        return self.expose_index_as

    @property
    def looks_at_limits(self) -> bool:
        return self.condition_type == "detect_max_iterations"

    def without_effect(self) -> Mapping[str, str]:
        found = {}
        if self.condition_type not in ("expression", "custom"):
            found["expression"] = "counts only with `condition_type: expression`"
        if self.condition_type != "check_nodes_executed":
            found["node_indices"] = "count only with `condition_type: check_nodes_executed`"
        return found

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
