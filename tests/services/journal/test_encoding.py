"""Whatever an event holds, the file gives it back."""

import json

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from dipeo_jupyter.errors import JournalError
from dipeo_jupyter.protocol import events as e
from dipeo_jupyter.services.journal.decoding import decode, seen_of
from dipeo_jupyter.services.journal.encoding import encode

from .facts import ANSWER, EVENTS, SEEN, begun, spoken


class Contents(dict):
    """Contents in memory: a list of texts, each once."""

    def put(self, text):
        text.encode()  # or SQLite would refuse it
        return self.setdefault(text, len(self))

    def get_text(self, number):
        return [*self][number]


def body_of(event, contents, seen=None, seq=1):
    return encode(event, seq, {} if seen is None else seen, contents.put)


def back(event):
    contents = Contents()
    body = body_of(event, contents)
    body.encode()
    return decode(event.type, body, contents.get_text, lambda _: ())


def holds_whole_characters(event):
    fields = json.dumps(e.event_adapter.dump_python(event), ensure_ascii=False)
    return fields == fields.encode(errors="ignore").decode()


def whole(value):
    """The same with lone surrogates replaced, and pairs of them joined."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {whole(key): whole(inner) for key, inner in value.items()}
    return [whole(inner) for inner in value] if isinstance(value, list) else value


@settings(max_examples=600)
@given(EVENTS)
def test_every_event_comes_back_equal(event):
    assume(holds_whole_characters(event))
    assert back(event) == event


@given(EVENTS)
def test_no_event_can_stop_the_writer(event):
    assert type(back(event)) is type(event)


@given(st.text(st.characters(categories=["Cs"])) | st.text(max_size=3))
def test_half_characters_are_replaced(text):
    value = {"a": text, "long": text + ANSWER}
    event = e.InputReceived(node="n", activation=1, value=value)
    assert back(event).value == whole(value)


@given(st.lists(SEEN.filter(bool), min_size=1, max_size=12))
def test_what_was_seen_comes_back_from_its_differences(lists):
    seen, said = {}, {}
    for seq, ids in enumerate(lists, 1):
        difference = encode(spoken(ids), seq, seen, lambda _: 0)
        event = decode("node_completed", difference, lambda _: '""', said.__getitem__)
        said[seq] = event.seen
    assert [*said.values()] == lists


def test_growing_view_is_stored_as_what_was_added():
    seen, contents = {}, Contents()
    body_of(spoken(["a", "b", "c"]), contents, seen, 7)
    assert '[7,0,3,"d"]' in body_of(spoken(["a", "b", "c", "d"]), contents, seen, 9)


def test_view_that_lost_its_beginning_is_stored_as_a_piece():
    seen, contents = {}, Contents()
    body_of(spoken(["a", "b", "c"]), contents, seen, 7)
    assert '[7,1,2,"d"]' in body_of(spoken(["b", "c", "d"]), contents, seen, 9)


def test_answer_is_one_content_wherever_it_stands():
    contents = Contents()
    body_of(spoken(), contents)
    recorded = {"text": ANSWER, "usage": {"input_tokens": 1}}
    body_of(
        e.EffectCompleted(node="a", activation=1, effect="c", key="k", value=recorded), contents
    )
    body_of(e.NodeStarted(node="b", activation=1, inputs={"said": ANSWER}), contents)
    assert len(contents) == 1


def test_long_structure_of_short_values_stands_apart():
    contents = Contents()
    body_of(e.NodeStarted(node="b", activation=1, inputs={"rows": [*range(500)]}), contents)
    assert len(contents) == 1


@pytest.mark.parametrize(
    "value", [{"$": 1}, {"$": [1]}, {"$": {"$": [{"$": 2}]}}, ["$", {"$": "x" * 99}]]
)
def test_user_data_is_never_taken_for_a_content(value):
    contents = Contents()
    contents.put('"stolen"')
    contents.put('"stolen too"')
    event = e.NodeStarted(node="b", activation=1, inputs={"$": value})
    body = body_of(event, contents)
    assert decode(event.type, body, contents.get_text, lambda _: ()) == event


def deep(levels):
    value = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    "value", [deep(100_000), {(1, 2): object()}, b"\xff", 10**5000], ids="abcd"
)
def test_what_json_cannot_hold_leaves_a_note(value):
    event = e.NodeCompleted(node="a", activation=1, outputs={"bad": value, "good": 1})
    assert back(event).outputs["good"] == 1


def test_nested_further_than_pydantic_goes_is_kept():
    event = e.NodeCompleted(node="a", activation=1, outputs={"default": deep(300)})
    assert back(event) == event


def test_models_are_kept_as_their_fields():
    value = [e.Usage(input_tokens=1), ANSWER]
    event = back(e.InputReceived(node="n", activation=1, value=value))
    assert event.value[0]["input_tokens"] == 1


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("node_started", "[]"),
        ("node_started", "{"),
        ("node_started", "3"),
        ("node_started", '["a"]'),
        ("node_started", '["a",{"lc":1},{}]'),
        ("node_started", '["a",1,{"x":{"$":99}}]'),
        ("node_started", '["a",1,{"x":{"$":"id"}}]'),
        ("node_completed", '["a",1,{},0,null,[],[3,0,9]]'),
        ("node_completed", '["a",1,{},0,null,[],[3,0,9],null]'),
        ("node_completed", '["a",1,{},0,null,[[1]],[],null]'),
        ("node_completed", '["a",1,{},0,null,3,[],null]'),
        ("execution_paused", '{"lc":1}'),
        ("os.system", "{}"),
    ],
)
def test_forged_rows_are_refused(kind, body):
    with pytest.raises(JournalError):
        decode(kind, body, [].__getitem__, [].__getitem__)


def test_difference_to_nothing_is_the_list_itself():
    assert seen_of([0, 0, 0, "a", "b"], [].__getitem__) == ("a", "b")


def test_defaults_are_written_out_where_they_may_change():
    assert '"max_concurrency":20' in body_of(begun(), Contents())
