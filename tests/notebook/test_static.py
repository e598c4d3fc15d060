"""What a saved notebook keeps of a run: the same for the same outcome, small, and harmless."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest

from dipeo_jupyter.diagram.drawn import drawing_of
from dipeo_jupyter.errors import ExecutionFailedError
from dipeo_jupyter.notebook.card.content import MOST_BYTES
from dipeo_jupyter.notebook.card.cutting import CUT, fitted
from dipeo_jupyter.notebook.card.feed import merged
from dipeo_jupyter.notebook.card.static import MIME, bundle_of
from dipeo_jupyter.protocol.events import Entry, NodeStarted, TokenDelta

LOOP = """
nodes:
- {label: start, type: start}
- {label: add, type: job, code: "return n + 1"}
- {label: "done?", type: condition, expression: "add > 2"}
- {label: end, type: endpoint}
edges:
- start -> add
- add -> done?
- done?.false -> add as n
- done?.true -> end
"""
EVIL = "</td></table><script>alert(1)</script><img src=x onerror=alert(2)>"
HOSTILE = f"""
nodes:
- {{label: {EVIL!r}, type: job, code: {f"return {EVIL!r}"!r}}}
- {{label: broken, type: job, code: "raise ValueError({EVIL!r})", on_error: continue}}
"""


class Tags(HTMLParser):
    """The names of all tags, and of their attributes."""

    def __init__(self, text):
        super().__init__()
        self.names = set()
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.names |= {tag, *(name for name, _ in attrs)}


def delta(node, text, seq=1):
    return Entry("exec_x", seq, 0.0, TokenDelta(node=node, activation=1, text=text))


def started(node, seq):
    return Entry("exec_x", seq, 0.0, NodeStarted(node, 1))


def kept_of(metadata):
    return json.loads(metadata[MIME]["run"])


def later(entry, rounds):
    """The same, so many runs later."""
    payload = entry["payload"]
    if "activation" in payload:
        every = 1 if payload["node"] in ("start", "end") else 3
        payload = {**payload, "activation": payload["activation"] + every * rounds}
    return {**entry, "payload": payload}


@pytest.fixture
def run(session):
    return session.start(LOOP, {"n": 0}).wait()


def test_what_is_compared_is_the_same_for_the_same_outcome(session, run):
    again = session.start(LOOP, {"n": 0}, fresh=True).wait()

    data, metadata = bundle_of(run)

    assert data == bundle_of(again)[0]
    assert run.id not in json.dumps(data)
    assert kept_of(metadata)["execution_id"] == run.id


def test_the_table_has_every_activation_with_what_came_of_it(run):
    html = bundle_of(run)[0]["text/html"]
    table = ET.fromstring(re.search("<table.*</table>", html)[0])  # noqa: S314 - our own

    rows = [[cell.text for cell in row] for row in table.iter("tr")]
    assert rows[0] == ["node", "activation", "status", "result"]
    assert ["add", "2", "completed", "2"] in rows
    assert "<summary>8 activations</summary>" in html


def test_what_came_of_it_can_be_read_below_the_picture(session, run):
    failed = session.start(HOSTILE.replace("on_error: continue", "on_error: fail"))
    with pytest.raises(ExecutionFailedError):
        failed.wait()

    assert "<p>Run: completed</p><p><b>end</b> = 3</p>" in bundle_of(run)[0]["text/html"]
    assert "<p><b>Error:</b> line 4, node" in bundle_of(failed)[0]["text/html"]


def test_labels_values_and_errors_cannot_leave_their_cells(session):
    run = session.start(HOSTILE).wait()

    html = bundle_of(run)[0]["text/html"]

    assert EVIL not in html
    assert not Tags(html).names & {"script", "img", "onerror"}


def test_every_node_stands_where_the_picture_has_it(run):
    drawn = drawing_of(run.diagram)

    for node in drawn["diagram"]["nodes"]:
        box = drawn["places"]["boxes"][node["label"]]
        assert node["position"] == {"x": box["x"], "y": box["y"]}
    assert set(drawn["places"]["routes"]) == {str(n) for n in range(len(run.diagram.edges))}


def test_a_run_of_usual_size_is_kept_whole(run):
    kept = kept_of(bundle_of(run)[1])

    assert not kept["cut"]
    assert kept["entries"] == [each.to_wire() for each in run.events]


def test_long_values_are_cut_before_anything_is_left_out(session):
    run = session.start(LOOP, {"n": 0, "text": "tea " * 100_000}).wait()
    entries = [each.to_wire() for each in run.events]

    short, cut = fitted(entries, MOST_BYTES)

    assert cut
    assert len(json.dumps(short)) < MOST_BYTES
    assert [each["seq"] for each in short] == [each["seq"] for each in entries]
    assert short[0]["payload"]["inputs"]["text"].endswith(CUT)


def test_of_very_many_firings_the_last_of_each_node_are_kept(run):
    first, *between, last = [each.to_wire() for each in run.events]

    short, cut = fitted(
        [first, *(later(each, n) for n in range(300) for each in between), last], MOST_BYTES
    )

    assert cut
    assert len(json.dumps(short)) < MOST_BYTES
    assert [short[0]["type"], short[-1]["type"]] == ["execution_started", "execution_completed"]
    begun = {
        each["payload"]["node"]: each["payload"]["activation"]
        for each in short
        if each["type"] == "node_started"
    }
    assert begun == {"start": 300, "add": 900, "done?": 900, "end": 300}


def test_what_cannot_be_made_small_enough_is_not_kept(run):
    entries = [each.to_wire() for each in run.events]

    assert fitted(entries, 100) == ([], True)


def test_pieces_of_an_answer_are_told_together():
    told = list(merged([delta("a", "Good "), delta("b", "No"), delta("a", "morning")]))

    assert [each.event.text for each in told] == ["Good morning", "No"]


def test_pieces_stay_behind_what_happened_before_them():
    told = list(merged([delta("a", "x"), started("b", 2), delta("a", "y", 2), delta("a", "z", 2)]))

    assert [getattr(each.event, "text", each.event.type) for each in told] == [
        "x",
        "node_started",
        "yz",
    ]
