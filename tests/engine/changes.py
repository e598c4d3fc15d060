"""Random changes to a diagram, of every kind that people make between two runs."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec

from .drawings import COINS, PERSONS, VIEWS
from .world import changed, renamed, with_person

Change = Callable[[Diagram, random.Random], Diagram]


def any_change(diagram: Diagram, dice: random.Random) -> tuple[str, Diagram, dict[str, Any]]:
    """The name of a change, the diagram after it, and the inputs of the run."""
    kind = dice.choice([*CHANGES, "input"])
    if kind == "input":
        inputs = {dice.choice(["topic", "items", f"coin{dice.randrange(COINS)}"]): ["x", "z"]}
        return kind, diagram, inputs
    return kind, CHANGES[kind](diagram, dice), {}


def _pick(diagram: Diagram, dice: random.Random, *types: str) -> NodeSpec | None:
    found = [node for node in diagram.nodes if node.type in types]
    return dice.choice(found) if found else None


def prompt(diagram: Diagram, dice: random.Random) -> Diagram:
    node = _pick(diagram, dice, "person_job", "person_batch_job")
    if node is None:
        return diagram
    near = dice.choice(diagram.nodes).label
    said = dice.choice(
        [f"{node.props['prompt']} Again.", f"New. {{{{{near}?}}}}", "Say {{topic?}}."]
    )
    return changed(diagram, node.label, prompt=said)


def system_prompt(diagram: Diagram, dice: random.Random) -> Diagram:
    said = f"You are number {dice.randrange(9)}."
    return with_person(diagram, dice.choice(PERSONS), system_prompt=said)


def model(diagram: Diagram, dice: random.Random) -> Diagram:
    return with_person(diagram, dice.choice(PERSONS), model=f"m{dice.randrange(3)}")


def parameter(diagram: Diagram, dice: random.Random) -> Diagram:
    fields = dice.choice([{"temperature": 2}, {"max_tokens": 7}, {"seed": dice.randrange(3)}])
    return with_person(diagram, dice.choice(PERSONS), **fields)


def memory(diagram: Diagram, dice: random.Random) -> Diagram:
    node = _pick(diagram, dice, "person_job", "person_batch_job")
    if node is None:
        return diagram
    props: dict[str, Any] = dice.choice(
        [
            {"memory": dice.choice(VIEWS)},
            {"at_most": dice.randint(1, 3)},
            {"ignore_person": [dice.choice(PERSONS)]},
            {"person": dice.choice(PERSONS)},
        ]
    )
    return changed(diagram, node.label, **props)


def setting(diagram: Diagram, dice: random.Random) -> Diagram:
    node = _pick(diagram, dice, "job", "person_job", "start")
    assert node is not None
    match node.type:
        case "job":
            return changed(diagram, node.label, code=f"return -{dice.randrange(3)}")
        case "start":
            data = {**node.props["custom_data"], "topic": f"cake {dice.randrange(3)}"}  # type: ignore[dict-item]
            return changed(diagram, node.label, custom_data=data)
        case _:
            props: dict[str, Any] = dice.choice(
                [{"timeout": 7}, {"max_iteration": dice.randint(1, 3)}, {"description": "new"}]
            )
            return changed(diagram, node.label, **props)


def condition(diagram: Diagram, dice: random.Random) -> Diagram:
    node = _pick(diagram, dice, "condition")
    if node is None:
        return diagram
    test = str(node.props.get("expression", ""))
    if ">=" in test:
        return changed(diagram, node.label, expression=f"{test[:-1]}{dice.randint(1, 4)}")
    if "coin" in test:
        return changed(diagram, node.label, expression=f"not {test}")
    return diagram


def edge_added(diagram: Diagram, dice: random.Random) -> Diagram:
    numbers = sorted(dice.sample(range(len(diagram.nodes)), 2))
    source, target = (diagram.nodes[number] for number in numbers)
    if source.type == "endpoint":
        return diagram
    handle = dice.choice(["condtrue", "condfalse"]) if source.type == "condition" else "default"
    name = dice.choice([None, "added"])
    edge = Edge(source=source.label, source_handle=handle, target=target.label, label=name)
    return diagram.model_copy(update={"edges": (*diagram.edges, edge)})


def edge_removed(diagram: Diagram, dice: random.Random) -> Diagram:
    place = dice.randrange(len(diagram.edges))
    edges = diagram.edges[:place] + diagram.edges[place + 1 :]
    return diagram.model_copy(update={"edges": edges})


def edge_label(diagram: Diagram, dice: random.Random) -> Diagram:
    place = dice.randrange(len(diagram.edges))
    name = dice.choice([None, "topic", "other", dice.choice(diagram.nodes).label])
    edge = diagram.edges[place].model_copy(update={"label": name})
    edges = (*diagram.edges[:place], edge, *diagram.edges[place + 1 :])
    return diagram.model_copy(update={"edges": edges})


def node_added(diagram: Diagram, dice: random.Random) -> Diagram:
    near = dice.choice([node for node in diagram.nodes if node.type != "endpoint"])
    handle = "condtrue" if near.type == "condition" else "default"
    props: dict[str, Any] = {
        "person": dice.choice(PERSONS),
        "prompt": "Added. {{default?}}",
        "memory": dice.choice(VIEWS),
    }
    label = f"n{len(diagram.nodes)}"
    node = NodeSpec(label=label, type="person_job", props=props)
    edges = [*diagram.edges, Edge(source=near.label, source_handle=handle, target=label)]
    later = [x.label for x in diagram.nodes[diagram.nodes.index(near) + 1 :]]
    if later and dice.random() < 0.6:
        edges.append(Edge(source=label, target=dice.choice(later)))
    nodes = (*diagram.nodes, node)
    return diagram.model_copy(update={"nodes": nodes, "edges": tuple(edges)})


def node_removed(diagram: Diagram, dice: random.Random) -> Diagram:
    label = dice.choice(diagram.nodes[1:]).label
    nodes = tuple(node for node in diagram.nodes if node.label != label)
    edges = tuple(each for each in diagram.edges if label not in (each.source, each.target))
    return diagram.model_copy(update={"nodes": nodes, "edges": edges})


def node_renamed(diagram: Diagram, dice: random.Random) -> Diagram:
    label = dice.choice(diagram.nodes).label
    return renamed(diagram, label, f"{label}x")


CHANGES: dict[str, Change] = {
    each.__name__: each
    for each in (
        *(prompt, system_prompt, model, parameter, memory, setting, condition),
        *(edge_added, edge_removed, edge_label, node_added, node_removed, node_renamed),
    )
}
