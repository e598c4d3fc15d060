"""Example files run as their authors meant, whatever the format they are written in."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from dipeo_jupyter.diagram.files import FORMATS, SUFFIXES, dumps, load, survey_text
from dipeo_jupyter.diagram.model import Diagram, Person
from dipeo_jupyter.notebook.session import Session
from dipeo_jupyter.settings import Settings

DIAGRAMS = Path(__file__).parent / "diagram" / "diagrams"
ANSWERS = {"ask_town": "Bergen", "ask_job": "baker"}


@pytest.fixture
def session(tmp_path):
    (tmp_path / "motions").mkdir()
    (tmp_path / "motions" / "park.txt").write_text("The park stays open at night.")
    (tmp_path / "writer.txt").write_text("You write postcards.")
    with closing(Session(Settings(root=tmp_path))) as session:
        yield session


def offline(diagram: Diagram) -> Diagram:
    """The same with persons who answer without a network."""
    persons = {
        label: Person.model_validate(person.model_dump() | {"service": "demo", "model": "demo"})
        for label, person in diagram.persons.items()
    }
    return diagram.model_copy(update={"persons": persons})


def ran(session: Session, diagram: Diagram) -> list[tuple[str, object]]:
    """The nodes that ran, in order, each with what it handed on."""
    run = session.start(diagram, answers=ANSWERS if diagram.name == "interview" else {}).wait()
    return [(row["node"], row["output"]) for row in run.to_records()]


def example(name: str) -> Diagram:
    return offline(load(DIAGRAMS / f"{name}.light.yaml"))


def test_an_agent_speaks_until_its_turns_are_used(session):
    counts = Counter(node for node, _ in ran(session, example("greeter_loop")))

    assert counts == {"begin": 1, "greeter": 3, "enough": 3, "summary": 1, "report": 1}


def test_a_debate_goes_on_until_both_have_used_their_turns(session):
    order = [node for node, _ in ran(session, example("town_meeting"))]

    rounds = ["Speaker For", "Speaker Against", "Time Is Up"]
    assert order == [
        *("Doors Open", "Read Motion"),
        *rounds,
        *rounds,
        *rounds[1:],
        *("Vote", "Minutes"),
    ]


@pytest.mark.parametrize("to", FORMATS)
@pytest.mark.parametrize("name", ["greeter_loop", "town_meeting", "interview"])
def test_a_converted_diagram_does_the_same(session, name, to):
    diagram = example(name)

    again = survey_text(dumps(diagram, to), f"{name}{SUFFIXES[to]}").checked().diagram

    assert ran(session, again) == ran(session, diagram)
