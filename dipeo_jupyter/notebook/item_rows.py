"""What came of each item of a batch, read from what a run says of itself."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from typing import Any

from ..diagram import expression
from ..diagram.model import Diagram, Label
from ..engine.node import Inputs, node_type_named
from ..errors import ExpressionError
from ..nodes import load_node_types
from ..nodes.batches import KEYS, OverItems, lists_among
from ..nodes.person_batch_job import PersonBatchJob
from ..protocol import events as e
from .history import ActivationRecord, History


def item_rows(history: History, record: ActivationRecord) -> list[dict[str, Any]] | None:
    """One row for each item of a firing; None when the node is not about the items of a list."""
    written = _written(history.diagram, record.node)
    if written is None:
        return None
    items = _items(history, record, *written)
    answers, usages = _answers(history, record)
    outputs, errors = _outcomes(record.output)
    place = f"{record.node}[{record.number}]"
    found = {*range(len(items)), *answers, *outputs, *errors}
    rows = []
    for index in sorted(found):
        answer, said = answers.get(index), history.messages.get(f"{place}.{index}.0")
        text = answer.value.get("text") if answer and isinstance(answer.value, Mapping) else None
        usage = usages.get(index)
        rows.append(
            {
                "index": index,
                "item": items[index] if index < len(items) else None,
                "prompt": said.content if said else None,
                "result": outputs.get(index, text),
                "error": errors.get(index),
                "input_tokens": usage.input_tokens if usage else None,
                "output_tokens": usage.output_tokens if usage else None,
                "usd": usage.usd if usage else None,
            }
        )
    return rows


def _written(diagram: Diagram | None, label: Label) -> tuple[str | None] | None:
    """How the list is named, if it is; None when the node is not about the items of a list."""
    spec = next((x for x in diagram.nodes if x.label == label), None) if diagram else None
    named = spec and node_type_named(spec.type, load_node_types())
    if not spec or not named:
        return None
    made = named.for_settings(spec.props)
    about_items = made is PersonBatchJob or spec.props.get("batch") in (True, "true")
    if not about_items or not issubclass(made, OverItems):
        return None
    name = spec.props.get(made.as_written("items", spec.props))
    return (name if isinstance(name, str) else None,)


def _items(history: History, record: ActivationRecord, wanted: str | None) -> Sequence[Any]:
    """The list, as far as it can be told: what the node saw is not written down as a whole."""
    inputs = Inputs(record.inputs)
    if wanted is None:
        return next(iter(lists_among(inputs)), [])
    earlier = {each.node: each.output for each in history.activations.copy() if each.outputs}
    data = (value for value in earlier.values() if isinstance(value, dict))
    names = ChainMap(dict(inputs.by_name()), dict(history.inputs), *data, earlier)
    try:
        found = expression.evaluate(wanted, names)
    except ExpressionError:
        return []
    return found if isinstance(found, list) else []


def _answers(
    history: History, record: ActivationRecord
) -> tuple[dict[int, e.EffectCompleted], dict[int, e.Usage]]:
    """The last answer about each item, and what all that was asked about it took.

    The effects of items are called by their number (`.7`, and when asked again `.7.again1`).
    """
    done = {
        event.effect: event
        for event in (entry.event for entry in history.entries.copy())
        if isinstance(event, e.EffectCompleted)
        and (event.node, event.activation) == (record.node, record.number)
    }
    answers: dict[int, e.EffectCompleted] = {}
    usages: dict[int, e.Usage] = {}
    for name, event in done.items():
        number = name.split(".")[1] if name.startswith(".") else ""
        if number.isdecimal():
            index = int(number)
            answers[index] = event
            if event.usage is not None:
                usages[index] = usages.get(index, e.Usage()) + event.usage
    return answers, usages


def _outcomes(output: Any) -> tuple[dict[int, Any], dict[int, str]]:
    """The results and the failures, by number."""
    if isinstance(output, list):
        return dict(enumerate(output)), {}
    if isinstance(output, Mapping) and output.keys() == {*KEYS}:
        return (
            {each["index"]: each["output"] for each in output["results"]},
            {each["index"]: each["error"] for each in output["failed"]},
        )
    return {}, {}
