"""Random diagrams of real nodes: persons with any memory, branches, joins, loops in loops."""

from __future__ import annotations

import random
from typing import Any, get_args

from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person
from dipeo_jupyter.nodes.views import View

End = tuple[str, str]
"""A node and the handle by which the flow leaves it."""
VIEWS = get_args(View)
PERSONS = ("Ann", "Bob", "Cat")
COINS = 4


class Drawing:
    """Draws one diagram. `by_answers`: conditions may look at what persons say."""

    def __init__(self, dice: random.Random, *, by_answers: bool = False, size: int = 9) -> None:
        self.dice = dice
        self.by_answers = by_answers
        self.nodes: list[NodeSpec] = []
        self.edges: list[Edge] = []
        self.left = dice.randint(3, size)

    def diagram(self) -> Diagram:
        coins = {f"coin{i}": self.dice.random() < 0.5 for i in range(COINS)}
        data = {"topic": "tea", "items": ["x", "y"], **coins}
        start = self.add("start", custom_data=data)
        ends: list[End] = [(start, "default")]
        while self.left > 0:
            ends = self.block(ends, 0)
        self.join(ends, self.add("endpoint"))
        return Diagram(nodes=tuple(self.nodes), edges=tuple(self.edges), persons=persons(self.dice))

    def block(self, ends: list[End], depth: int) -> list[End]:
        kinds = ["step", "step", "branch", "parallel", "loop"]
        kind = self.dice.choice(kinds) if depth < 3 else "step"
        match kind:
            case "branch":
                return self.branch(ends, depth)
            case "parallel":
                ways = [self.block(ends, depth + 1) for _ in range(self.dice.randint(2, 3))]
                return [end for way in ways for end in way]
            case "loop":
                return self.loop(ends, depth)
            case _:
                return self.step(ends)

    def step(self, ends: list[End]) -> list[End]:
        kind = self.dice.choice(["person_job"] * 5 + ["person_batch_job", "job"])
        if kind == "job":
            label = self.add("job", code=f"return {len(self.nodes)}")
        else:
            label = self.person(kind)
        self.join(ends, label)
        if self.dice.random() < 0.15:
            self.join([(label, "default")], self.person())
        return [(label, "default")]

    def branch(self, ends: list[End], depth: int) -> list[End]:
        test = f"coin{self.dice.randrange(COINS)}"
        if self.by_answers and self.dice.random() < 0.7:
            asked = self.person()
            self.join(ends, asked)
            ends, test = [(asked, "default")], f"'7' in {asked}"
        condition = self.add("condition", expression=test)
        self.join(ends, condition)
        found: list[End] = []
        for handle in ("condtrue", "condfalse"):
            way: list[End] = [(condition, handle)]
            found += way if self.dice.random() < 0.2 else self.block(way, depth + 1)
        return found

    def loop(self, ends: list[End], depth: int) -> list[End]:
        limit = self.dice.randint(1, 3)
        entry = self.person()
        target = "first" if self.dice.random() < 0.3 else "default"
        self.join(ends, entry, target)
        way = [(entry, "default")]
        if self.left > 0:
            way = self.block(way, depth + 1)
        kind = self.dice.choice(["limits", "count", "answer"])
        if kind == "limits":
            self.set(entry, max_iteration=limit)
            condition = self.add("condition", condition_type="detect_max_iterations")
        else:
            test = f"iterations('{entry}') >= {limit}"
            if kind == "answer" and self.by_answers:
                test = f"'7' in {entry} or {test}"
            condition = self.add("condition", expression=test)
        self.join(way, condition)
        self.join([(condition, "condfalse")], entry)
        return [(condition, "condtrue")]

    def person(self, kind: str = "person_job") -> str:
        """A node that speaks to a person."""
        number = len(self.nodes)
        props: dict[str, Any] = {
            "person": self.dice.choice(PERSONS),
            "prompt": f"Prompt {number} about {{{{topic?}}}}." + self.mention(),
            "memory": self.dice.choice(VIEWS),
        }
        if self.dice.random() < 0.2:
            props["at_most"] = self.dice.randint(1, 3)
        if self.dice.random() < 0.2:
            props["ignore_person"] = [self.dice.choice(PERSONS)]
        if kind == "person_batch_job":
            props |= {"items": "items", "prompt": f"{props['prompt']} {{{{item}}}}"}
        return self.add(kind, **props)

    def mention(self) -> str:
        """Names that a prompt may or may not know."""
        near = [f"n{self.dice.randint(0, len(self.nodes) + 2)}" for _ in range(2)]
        return "".join(f" {{{{{name}?}}}}" for name in ["default", *near])

    def add(self, kind: str, **props: Any) -> str:
        label = f"n{len(self.nodes)}"
        self.nodes.append(NodeSpec(label=label, type=kind, props=props))
        self.left -= kind != "condition"
        return label

    def set(self, label: str, **props: Any) -> None:
        place = int(label[1:])
        node = self.nodes[place]
        self.nodes[place] = node.model_copy(update={"props": {**node.props, **props}})

    def join(self, ends: list[End], target: str, handle: str = "default") -> None:
        kinds = {node.label: node.type for node in self.nodes}
        for source, out in ends:
            speaks = kinds[source] == kinds[target] == "person_job"
            heard = speaks and self.dice.random() < 0.25
            self.edges.append(
                Edge(
                    source=source,
                    source_handle=out,
                    target=target,
                    target_handle=handle,
                    label=f"e{len(self.edges)}" if self.dice.random() < 0.3 else None,
                    content_type="conversation_state" if heard else None,
                )
            )


def persons(dice: random.Random) -> dict[str, Person]:
    return {
        name: Person.model_validate(
            {"service": "openai", "model": "m", "temperature": dice.randint(0, 1)}
            | ({"system_prompt": f"You are {name}."} if dice.random() < 0.7 else {})
        )
        for name in PERSONS
    }


def draw(dice: random.Random, *, by_answers: bool = False, size: int = 9) -> Diagram:
    """A diagram that ends."""
    return Drawing(dice, by_answers=by_answers, size=size).diagram()


def inhabited(drawn: Diagram, dice: random.Random) -> Diagram:
    """Any drawing (`graphs.diagrams`), with persons in its boxes and conditions in its forks."""
    labels = [spec.label for spec in drawn.nodes]
    forks = {spec.label for spec in drawn.nodes if spec.type == "fork"}
    nodes = []
    for spec in drawn.nodes:
        near = dice.choice(labels)
        props: dict[str, Any] = dict(spec.props)
        if spec.label in forks:
            props["expression"] = f"iterations('{near}') % 2 == {dice.randint(0, 1)}"
        else:
            prompt = f"Prompt {spec.label}. {{{{default?}}}} {{{{{near}?}}}}"
            memory, person = dice.choice(VIEWS), dice.choice(PERSONS)
            props |= {"person": person, "memory": memory, "prompt": prompt}
        kind = "condition" if spec.label in forks else "person_job"
        nodes.append(NodeSpec(label=spec.label, type=kind, props=props))
    # Only persons have a handle `first`.
    edges = [
        edge.model_copy(update={"target_handle": "default"}) if edge.target in forks else edge
        for edge in drawn.edges
    ]
    return Diagram(nodes=tuple(nodes), edges=tuple(edges), persons=persons(dice))
