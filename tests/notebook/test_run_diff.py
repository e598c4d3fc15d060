"""The diff of two runs: it names what was changed, and nothing else."""

from __future__ import annotations

import builtins
import json
import time
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any
from xml.dom.minidom import parseString

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.errors import CommandError
from dipeo_jupyter.notebook.history import History
from dipeo_jupyter.notebook.run_diff import RunDiff, compare_runs
from dipeo_jupyter.protocol import events as e
from tests.running import diagram_of
from tests.running import run as run_on_engine

BOTH_MODES = True

DEBATE = diagram_of("""
persons:
  Ada: {service: demo, model: small}
  Judge: {service: demo, model: large}
nodes:
- {label: start, type: start}
- {label: argue, type: person_job, person: Ada, prompt: "What about {{topic}}?", max_iteration: 2}
- {label: enough, type: condition, condition_type: detect_max_iterations}
- {label: verdict, type: person_job, person: Judge, prompt: "Who is right? {{argue}}"}
- {label: end, type: endpoint}
connections:
- {from: start, to: argue, label: topic}
- {from: argue, to: enough}
- {from: "enough[condfalse]", to: argue}
- {from: "enough[condtrue]", to: verdict, label: argue}
- {from: verdict, to: end}
""")


@dataclass
class Firing:
    """One activation as a test writes it; `said` are texts by the ids of the messages."""

    node: str
    number: int = 1
    inputs: dict[str, Any] = field(default_factory=dict)
    outputs: dict[str, Any] = field(default_factory=dict)
    person: str | None = None
    said: dict[str, str] = field(default_factory=dict)
    seen: tuple[str, ...] = ()
    usage: e.Usage | None = None
    cached: bool = False
    duration_ms: float = 5.0
    error: e.ErrorInfo | None = None

    @property
    def name(self) -> str:
        return f"{self.node}[{self.number}]"

    def events(self):
        about: Any = {"node": self.node, "activation": self.number}
        yield e.NodeStarted(**about, inputs=self.inputs)
        if self.error:
            yield e.NodeFailed(**about, error=self.error)
            return
        messages = tuple(
            e.Message(id=each, sender=None if each.endswith(".0") else self.person, content=text)
            for each, text in self.said.items()
        )
        rest = {name: getattr(self, name) for name in ("outputs", "person", "seen", "usage")}
        how: Any = {"cached": self.cached, "duration_ms": self.duration_ms}
        yield e.NodeCompleted(**about, **rest, **how, messages=messages)


def asked(node: str, person: str, answer: str, *, sees: tuple[str, ...] = (), **fields: Any):
    number = fields.get("number", 1)
    own = f"{node}[{number}]"
    return Firing(
        node,
        outputs={"default": answer},
        person=person,
        said={f"{own}.0": f"prompt of {own}", f"{own}.1": answer},
        seen=(*sees, f"{own}.0"),
        usage=e.Usage(input_tokens=10, output_tokens=len(answer.split()), nano_usd=1_000_000),
        **fields,
    )


def debate() -> list[Firing]:
    """Two rounds of talk and a verdict, firing by firing."""
    first = ("argue[1].0", "argue[1].1")
    return [
        Firing("start", outputs={"default": "tea"}),
        asked("argue", "Ada", "Tea is good.", inputs={"topic": "tea"}),
        Firing("enough", inputs={"default": "Tea is good."}, outputs={"condfalse": "Tea is good."}),
        asked("argue", "Ada", "Tea is best.", number=2, sees=first, inputs={"topic": "tea"}),
        Firing("enough", 2, {"default": "Tea is best."}, {"condtrue": "Tea is best."}),
        asked("verdict", "Judge", "Ada wins.", sees=first, inputs={"argue": "Tea is best."}),
        Firing("end", inputs={"default": "Ada wins."}, outputs={"default": "Ada wins."}),
    ]


def history(firings: list[Firing], *, ended: bool = True) -> History:
    history = History()
    events = [event for firing in firings for event in firing.events()]
    last = [e.ExecutionCompleted(outputs={})] if ended else []
    start = e.ExecutionStarted(diagram=Diagram(), inputs={})
    for seq, event in enumerate([start, *events, *last], start=1):
        history.apply(e.Entry("exec_x", seq, float(seq), event))
    return history


def diff(after: list[Firing], diagram: Diagram = DEBATE, **options: bool) -> RunDiff:
    return compare_runs(
        history(debate()),
        history(after, **options),
        before_diagram=DEBATE,
        after_diagram=diagram,
    )


def changes(found: RunDiff) -> dict[str, Any]:
    """What differs, by activation; the status where an activation is in one run only."""
    return {
        each.name: each.status if each.status.startswith("only") else set(each.what)
        for each in found.changed
    }


def with_node(label: str, base: Diagram = DEBATE, **props: Any) -> Diagram:
    nodes = [
        each.model_copy(update={"props": each.props | props}) if each.label == label else each
        for each in base.nodes
    ]
    return base.model_copy(update={"nodes": tuple(nodes)})


def with_person(name: str, base: Diagram = DEBATE, **fields: Any) -> Diagram:
    person = base.persons[name].model_copy(update=fields)
    return base.model_copy(update={"persons": base.persons | {name: person}})


def renamed(old: str, new: str) -> Diagram:
    return Diagram.model_validate_json(DEBATE.model_dump_json().replace(f'"{old}"', f'"{new}"'))


def without(label: str) -> Diagram:
    nodes = tuple(each for each in DEBATE.nodes if each.label != label)
    edges = tuple(each for each in DEBATE.edges if label not in (each.source, each.target))
    return DEBATE.model_copy(update={"nodes": nodes, "edges": edges})


def test_a_run_does_not_differ_from_itself():
    found = diff(debate())

    assert (bool(found), found.first_divergence, changes(found)) == (False, None, {})
    assert repr(found) == "The runs do not differ."
    assert [each.name for each in found.activations] == [each.name for each in debate()]


def test_times_and_what_was_cached_are_no_differences():
    after = debate()
    for firing in after:
        firing.cached, firing.duration_ms, firing.usage = True, 99.0, None

    found = diff(after)

    assert not found
    assert found["argue[2]"].duration_ms == 94.0
    assert found.usage.difference == e.Usage(
        input_tokens=-30, output_tokens=-8, nano_usd=-3_000_000
    )


@pytest.mark.parametrize(
    ("diagram", "expected", "reason"),
    [
        (
            with_node("argue", prompt="Why {{topic}}?"),
            {"argue[1]": {"definition"}, "argue[2]": {"definition"}},
            "argue[1]: the prompt was changed",
        ),
        (
            with_node("argue", memory="GOLDFISH"),
            {"argue[1]": {"definition"}, "argue[2]": {"definition"}},
            "argue[1]: the memory was added",
        ),
        (
            with_node("verdict", prompt="Who?", at_most=3),
            {"verdict[1]": {"definition"}},
            "verdict[1]: the prompt and the at_most were changed",
        ),
        (
            with_person("Judge", model="huge"),
            {"verdict[1]": {"definition"}},
            "verdict[1]: the model of Judge was changed",
        ),
    ],
)
def test_a_changed_definition_is_named_wherever_it_was_used(diagram, expected, reason):
    found = diff(debate(), diagram)

    assert changes(found) == expected
    assert found.first_divergence.reason == reason
    assert len(found.diagram) >= 1


def an_input(firings):
    firings[3].inputs = {"topic": "milk"}
    return "argue[2]", "inputs", "argue[2]: its input topic differs"


def a_new_input(firings):
    firings[3].inputs = {"topic": "tea", "more": None}
    return "argue[2]", "inputs", "argue[2]: its input more is new"


def a_missing_input(firings):
    firings[5].inputs = {}
    return "verdict[1]", "inputs", "verdict[1]: its input argue is missing"


def an_output(firings):
    firings[6].outputs = {"default": "Nobody wins."}
    return "end[1]", "output", "end[1]: gave another output"


def a_way(firings):
    firings[4].outputs = {"condfalse": "Tea is best."}
    return "enough[2]", "output", "enough[2]: took condfalse instead of condtrue"


def a_prompt(firings):
    firings[5].said["verdict[1].0"] = "Who is wrong?"
    return "verdict[1]", "seen", "verdict[1]: was asked something else"


def a_memory(firings):
    firings[5].seen = (*firings[3].seen, *firings[5].seen[2:])
    return "verdict[1]", "seen", "verdict[1]: saw argue[2] too"


def a_lost_memory(firings):
    firings[5].seen = firings[5].seen[1:]
    return "verdict[1]", "seen", "verdict[1]: did not see argue[1]"


def an_order(firings):
    first, second, *rest = firings[5].seen
    firings[5].seen = (second, first, *rest)
    return "verdict[1]", "seen", "verdict[1]: saw the same messages in another order"


def tokens(firings):
    firings[3].usage = e.Usage(input_tokens=11, output_tokens=3)
    return "argue[2]", "tokens", None


ONE_CHANGE = [
    *(an_input, a_new_input, a_missing_input, an_output, a_way),
    *(a_prompt, a_memory, a_lost_memory, an_order, tokens),
]


@pytest.mark.parametrize("change", ONE_CHANGE, ids=lambda each: each.__name__)
def test_one_change_is_named_and_nothing_else(change):
    after = debate()
    name, what, reason = change(after)

    found = diff(after)

    assert changes(found) == {name: {what}}
    assert (found.first_divergence.reason if found.first_divergence else None) == reason
    assert found


def test_another_text_is_seen_by_all_who_saw_it():
    after = debate()
    after[1].said["argue[1].1"] = "Tea is bad."

    found = diff(after)

    assert changes(found) == {"argue[2]": {"seen"}, "verdict[1]": {"seen"}}
    assert found["verdict[1]"].reason == "verdict[1]: saw another text of argue[1]"


def test_a_further_round_is_there_only_after():
    after = debate()
    more = [
        asked("argue", "Ada", "Tea!", number=3, inputs={"topic": "tea"}),
        Firing("enough", 3, {"default": "Tea!"}, {"condtrue": "Tea!"}),
    ]
    found = diff([*after[:5], *more, *after[5:]])

    assert changes(found) == {"argue[3]": "only after", "enough[3]": "only after"}
    assert [each.name for each in found.activations][4:7] == ["enough[2]", "argue[3]", "enough[3]"]
    assert found.first_divergence.reason == "argue[3]: did not happen before"
    assert found.only_after == found.changed


def test_a_removed_node_is_there_only_before():
    after = [each for each in debate() if each.node != "verdict"]

    found = diff(after, without("verdict"))

    assert changes(found) == {"verdict[1]": "only before"}
    assert found.first_divergence.reason == "verdict[1]: the node was removed"
    assert found.only_before == found.changed


def rename_in(firings: list[Firing], old: str, new: str) -> list[Firing]:
    """The same run of a diagram in which a node has another name."""
    for firing in firings:
        firing.node = new if firing.node == old else firing.node
        firing.said = {key.replace(f"{old}[", f"{new}["): x for key, x in firing.said.items()}
        firing.seen = tuple(each.replace(f"{old}[", f"{new}[") for each in firing.seen)
        firing.inputs = {new if name == old else name: x for name, x in firing.inputs.items()}
    return firings


def test_a_renamed_node_is_compared_under_its_new_name():
    found = diff(rename_in(debate(), "argue", "plead"), renamed("argue", "plead"))

    assert changes(found) == {}
    assert next(map(str, found.diagram)) == "renamed argue → plead"
    assert found
    assert found["plead[2]"].before.node == "argue"
    assert repr(found).startswith("No activation differs.\ndiagram: renamed argue → plead")


def test_a_change_in_a_renamed_node_is_the_only_one():
    after = rename_in(debate(), "argue", "plead")
    after[3].outputs = {"default": "Tea is worst."}

    assert changes(diff(after, renamed("argue", "plead"))) == {"plead[2]": {"output"}}


def test_a_renamed_person_says_the_same_as_before():
    after = debate()
    for firing in after:
        firing.person = "Eve" if firing.person == "Ada" else firing.person

    found = diff(after, renamed("Ada", "Eve"))

    assert changes(found) == {}
    assert list(map(str, found.diagram)) == ["person renamed Ada → Eve"]


def conversation(node: str, person: str) -> dict[str, Any]:
    message = e.Message(id=f"{node}[1].1", sender=person, content="Tea.")
    return {"messages": [message.model_dump()], "last_message": "Tea."}


def test_a_conversation_is_the_same_whatever_its_speakers_are_called():
    before, after = debate(), rename_in(debate(), "argue", "plead")
    before[4].inputs["talk"] = conversation("argue", "Ada")
    after[4].inputs["talk"] = conversation("plead", "Ada")
    diagrams: Any = {"before_diagram": DEBATE, "after_diagram": renamed("argue", "plead")}

    assert not compare_runs(history(before), history(after), **diagrams).changed


BAD = e.ErrorInfo(type="NodeError", message="no <milk>\nleft", details="at 12:00:01")


def test_an_error_in_one_run_is_no_other_output():
    after = debate()[:6]
    after[5].error = BAD

    found = diff(after)

    assert changes(found) == {"verdict[1]": {"error"}, "end[1]": "only before"}
    assert found["verdict[1]"].reason == "verdict[1]: failed: no <milk> left"


def test_the_same_error_with_other_details_is_the_same():
    before, after = debate()[:6], debate()[:6]
    before[5].error, after[5].error = BAD, BAD.model_copy(update={"details": "at 12:00:09"})
    diagrams: Any = {"before_diagram": DEBATE, "after_diagram": DEBATE}

    assert not compare_runs(history(before), history(after), **diagrams)


def test_an_activation_that_has_not_ended_is_told_from_one_that_has():
    after = history(debate()[:3], ended=False)
    after.apply(e.Entry("exec_x", 9, 9.0, e.NodeStarted(node="argue", activation=2)))

    diagrams: Any = {"before_diagram": DEBATE, "after_diagram": DEBATE}
    found = compare_runs(history(debate()), after, **diagrams)["argue[2]"]

    assert found.what == ("inputs", "ending")
    assert str(found.ending[0]) == "argue[2].status completed → running"


def test_a_value_that_was_given_hides_what_nobody_was_shown():
    after = debate()
    after[5] = Firing("verdict", inputs=after[5].inputs, outputs={"default": "No."}, cached=True)

    assert changes(diff(after)) == {"verdict[1]": {"output"}}


def test_of_an_activation_that_was_repeated_the_last_time_counts():
    failed = deepcopy(debate()[1])
    failed.error = BAD
    after = debate()

    assert not diff([after[0], failed, *after[1:]]).changed


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (True, 1, False),
        (1, 1.0, False),
        (float("nan"), float("nan"), True),
        ((1, 2), [1, 2], True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ({"a": None}, {}, False),
        ("", None, False),
    ],
)
def test_values_are_the_same_when_they_are_as_json(one, other, same):
    before, after = debate(), debate()
    before[6].outputs, after[6].outputs = {"default": one}, {"default": other}
    diagrams: Any = {"before_diagram": DEBATE, "after_diagram": DEBATE}

    assert bool(compare_runs(history(before), history(after), **diagrams)) is not same


# --- any change -----------------------------------------------------------------------------------

MUTATIONS = {
    "inputs": lambda x, value: x.inputs.update(extra=value),
    "output": lambda x, value: x.outputs.update({key: [value] for key in x.outputs}),
    "seen": lambda x, value: x.said.update({f"{x.name}.0": str(value)}),
    "error": lambda x, _: setattr(x, "error", BAD),
    "tokens": lambda x, _: setattr(x, "usage", e.Usage(input_tokens=10_000)),
    "nothing": lambda x, _: setattr(x, "duration_ms", 1e6),
}
SAYS = {"seen", "error"}
"""After these others see other messages than before: another one, or none."""
VALUES = st.one_of(st.none(), st.integers(), st.text(), st.lists(st.booleans()))


@given(st.integers(0, 6), st.sampled_from(sorted(MUTATIONS)), VALUES)
def test_any_one_change_is_found_where_it_was_made(at, what, value):
    after = debate()
    firing = after[at]
    MUTATIONS[what](firing, value)
    unseen = what == "seen" and firing.person is None
    heard = [each.name for each in after if what in SAYS and f"{firing.name}.0" in each.seen]

    found = changes(diff(after))

    expected = {} if unseen or what == "nothing" else {firing.name: {what}}
    assert found == {each: {"seen"} for each in heard} | expected


@given(st.sets(st.integers(0, 6)), st.sets(st.integers(0, 6)))
def test_every_activation_of_either_run_is_told_once(gone, missing):
    before = [each for at, each in enumerate(debate()) if at not in missing]
    after = [each for at, each in enumerate(debate()) if at not in gone]
    diagrams: Any = {"before_diagram": DEBATE, "after_diagram": DEBATE}
    found = compare_runs(history(before), history(after), **diagrams)

    names = [each.name for each in found.activations]
    old, new = ([each.name for each in side] for side in (before, after))
    assert sorted(names) == sorted({*old, *new})
    assert [each for each in names if each in old] == old
    assert {each.name for each in found.only_after} == {*new} - {*old}


# --- real runs ------------------------------------------------------------------------------------


def on_engine(diagram: Diagram, topic: str = "tea") -> History:
    found = History()
    for entry in run_on_engine(diagram, {"topic": topic}).entries:
        if not entry.event.ephemeral:
            found.apply(entry)
    return found


REAL = with_person("Judge", answers=["Ada wins."])
REAL = with_person("Ada", REAL, answers=["Good.", "Best."])


def test_two_real_runs_of_a_diagram_do_not_differ():
    found = compare_runs(on_engine(REAL), on_engine(REAL), before_diagram=REAL, after_diagram=REAL)

    assert not found
    assert found.usage.difference == e.Usage()
    assert len(found.activations) == 7


def test_real_runs_with_another_input_part_at_the_start():
    found = compare_runs(
        on_engine(REAL), on_engine(REAL, "milk"), before_diagram=REAL, after_diagram=REAL
    )

    assert found.first_divergence.name == "start[1]"
    assert {"argue[1]", "argue[2]"} <= changes(found).keys()
    assert "end[1]" not in changes(found)


@pytest.mark.parametrize(
    ("diagram", "expected", "reason"),
    [
        (
            with_node("verdict", REAL, prompt="Who is wrong? {{argue}}"),
            {"verdict[1]": {"definition", "seen"}},
            "verdict[1]: the prompt was changed",
        ),
        (
            with_person("Judge", REAL, model="huge"),
            {"verdict[1]": {"definition"}},
            "verdict[1]: the model of Judge was changed",
        ),
        (
            with_node("argue", REAL, max_iteration=3),
            {
                "argue[1]": {"definition"},
                "argue[2]": {"definition"},
                "enough[2]": {"output"},
                "argue[3]": "only after",
                "enough[3]": "only after",
                "verdict[1]": {"inputs", "seen"},
            },
            "argue[1]: the max_iteration was changed",
        ),
        (
            with_node("verdict", REAL, prompt="{{nothing}}"),
            {"verdict[1]": {"definition", "error"}, "end[1]": "only before"},
            "verdict[1]: the prompt was changed",
        ),
    ],
    ids=["prompt", "model", "round", "error"],
)
def test_a_change_and_what_follows_from_it_are_named(diagram, expected, reason):
    found = compare_runs(
        on_engine(REAL), on_engine(diagram), before_diagram=REAL, after_diagram=diagram
    )

    assert changes(found) == expected
    assert found.first_divergence.reason == reason


def test_real_runs_with_a_renamed_node_do_not_differ_in_it():
    after = Diagram.model_validate_json(REAL.model_dump_json().replace('"enough"', '"stop"'))
    found = compare_runs(
        on_engine(REAL), on_engine(after), before_diagram=REAL, after_diagram=after
    )

    assert list(map(str, found.diagram)) == ["renamed enough → stop"]
    assert changes(found) == {}


# --- what is shown --------------------------------------------------------------------------------


def a_story() -> RunDiff:
    after = debate()[:6]
    after[3].outputs = {"default": "Tea is worst."}
    after[5].outputs = {"default": "Nobody wins, because all of them have said the same."}
    after[5].usage = e.Usage(input_tokens=13, output_tokens=2, nano_usd=1_300_000)
    return diff(after, with_node("argue", prompt="Why {{topic}}?"))


def test_the_text_says_what_differs_and_where_the_runs_part():
    assert repr(a_story()).splitlines() == [
        "4 of 7 activations differ, first argue[1]: the prompt was changed",
        "  argue[1]    definition",
        "  argue[2]    definition, output",
        '              output "Tea is best." → "Tea is worst."',
        "  verdict[1]  output, tokens",
        "              output changed (−2 +10 words)",
        "                [-Ada wins.-]{+Nobody wins, because all of them have said the same.+}",
        "  end[1]      only before",
        'diagram: argue.prompt "What about {{topic}}?" → "Why {{topic}}?"',
        "input tokens: 30 → 33 (+3)",
        "cost: $0.0030 → $0.0033",
    ]


def test_the_text_is_the_same_whatever_the_times():
    slow = debate()
    for firing in slow:
        firing.duration_ms = 1234.5
    slow[6].outputs = {"default": "milk"}
    fast = debate()
    fast[6].outputs = {"default": "milk"}

    assert repr(diff(slow)) == repr(diff(fast))


def test_html_is_well_formed_and_escapes_what_was_said():
    after = debate()
    evil = "<script>alert('&')</script> " * 3
    after[3].outputs = {"default": evil}
    after[5].error = BAD
    bundle = diff(after, with_node("argue", prompt=evil))._repr_mimebundle_()

    parseString(f"<div>{bundle['text/html']}</div>".replace("<br>", "<br/>"))  # noqa: S318 - our own
    assert "<script" not in bundle["text/html"]
    assert "&lt;script&gt;" in bundle["text/html"]
    assert bundle["text/plain"].startswith("3 of 7 activations differ")


def test_structures_are_shown_word_by_word_when_they_are_long():
    before, after = debate(), debate()
    rows = [{"name": f"row {number}"} for number in range(9)]
    before[6].outputs = {"default": rows}
    after[6].outputs = {"default": [*rows[:4], {"name": "milk"}, *rows[5:]]}
    diagrams: Any = {"before_diagram": DEBATE, "after_diagram": DEBATE}

    text = repr(compare_runs(history(before), history(after), **diagrams))

    assert '[-"row 4"},-]{+"milk"},+}' in text


def test_many_differences_are_cut_short():
    after = [asked("argue", "Ada", "x", number=number) for number in range(1, 100)]

    text = repr(diff(after))

    assert "… and 84 more" in text
    assert len(text.splitlines()) < 50


def test_rows_hold_both_sides_of_each_activation():
    row = a_story().to_records()[3]

    assert row == {
        "node": "argue",
        "activation": 2,
        "status": "changed",
        "what": "definition, output",
        "output_before": "Tea is best.",
        "output_after": "Tea is worst.",
        "input_tokens_before": 10,
        "input_tokens_after": 10,
        "output_tokens_before": 3,
        "output_tokens_after": 3,
        "usd_before": 0.001,
        "usd_after": 0.001,
        "duration_ms_before": 5.0,
        "duration_ms_after": 5.0,
    }


def test_a_frame_has_a_row_for_each_activation():
    frame = a_story().to_frame()

    assert list(frame["status"].value_counts().items()) == [
        ("same", 3),
        ("changed", 3),
        ("only before", 1),
    ]
    assert list(frame.columns) == list(a_story().to_records()[0])


def test_a_frame_without_pandas_says_what_to_do(monkeypatch):
    real = builtins.__import__

    def without_pandas(name, *args, **kwargs):
        if name == "pandas":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_pandas)
    with pytest.raises(CommandError, match="pip install pandas"):
        diff(debate()).to_frame()


def test_an_unknown_activation_is_answered_with_the_nearest():
    with pytest.raises(KeyError, match=r"argue\[2\]"):
        diff(debate())["arge[2]"]


def test_changes_can_be_written_as_json():
    found = [each.to_dict() for each in a_story()["argue[2]"].output]

    assert json.loads(json.dumps(found))[0]["path"] == ["output"]


def test_long_runs_are_compared_in_short_time():
    words = " ".join(f"word{number}" for number in range(300))
    before = [asked("argue", "Ada", words, number=number) for number in range(1, 3001)]
    after = [asked("argue", "Ada", f"{words}!", number=number) for number in range(1, 3001)]
    started = time.perf_counter()
    diagrams: Any = {"before_diagram": DEBATE, "after_diagram": DEBATE}
    found = compare_runs(history(before), history(after), **diagrams)
    found._repr_mimebundle_()

    assert len(found.changed) == 3000
    assert time.perf_counter() - started < 5
