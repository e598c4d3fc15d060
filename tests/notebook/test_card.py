"""Cards in a real kernel, and a page that speaks to them as a browser does."""

from __future__ import annotations

import json
import time
from itertools import pairwise

import nbclient
import nbformat
import pytest

from dipeo_jupyter.built import SCRIPT
from tests.gate import Gate
from tests.notebook.page import LONG, RUN, WIDGET, kernel_in

PROMPT = 1.0
"""Seconds in which a card must have an effect; it takes a few milliseconds."""
ASK = """
nodes:
- {label: name, type: user_response, prompt: "Who?"}
- {label: age, type: user_response, prompt: "How old?", schema: {type: integer}}
- {label: end, type: endpoint}
connections: [{from: name, to: age}, {from: age, to: end}]
"""
NOISE = """
import asyncio
from dipeo_jupyter.protocol.commands import BroadcastEvent

async def noise(run, count, pause):
    for number in range(count):
        command = BroadcastEvent(execution_id=run.id, name="tick", data=number)
        run.watched.loop.submit(run.watched.obey(command))
        await asyncio.sleep(pause)
"""
MALFORMED = [
    "pause",
    None,
    [],
    7,
    {},
    {"type": 3},
    {"type": "explode"},
    {"type": "pause_execution"},
    {"type": "pause_execution", "execution_id": 3},
    {"type": "pause_execution", "execution_id": "exec_nobody"},
    {"type": "step_execution", "execution_id": "x", "payload": {"steps": 0}},
    {"type": "user_response", "payload": []},
    {"type": "offer_kernel", "payload": {}},
    {"type": "relay_event", "payload": {"name": "x"}},
    {"type": "execute_diagram", "payload": {"diagram": "nodes: 3"}},
    {"type": "ping", "correlation_id": {}},
]


def gated(*gates):
    names = [*(f"wait{number}" for number in range(len(gates))), "end"]
    jobs = [
        f"{{label: {name}, type: job, code: {gate.code!r}}}"
        for name, gate in zip(names, gates, strict=False)
    ]
    edges = ", ".join(f"{{from: {source}, to: {target}}}" for source, target in pairwise(names))
    nodes = "\n- ".join([*jobs, "{label: end, type: endpoint}"])
    return f"\nnodes:\n- {nodes}\nconnections: [{edges}]"


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    with kernel_in(tmp_path_factory.mktemp("kernel")) as page:
        page.run("%load_ext dipeo_jupyter\nimport dipeo_jupyter as dipeo")
        yield page


@pytest.fixture
def any_page(kernel):
    kernel.clear()
    return kernel


@pytest.fixture
def page(any_page):
    if not SCRIPT.is_file():
        pytest.skip("The JavaScript of the card is not built; `pip install -e .` does it.")
    return any_page


@pytest.fixture
def gates(tmp_path):
    folders = [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    return [Gate(folder) for folder in folders]


def test_a_card_is_told_all_that_happens_in_order_while_the_cell_is_busy(page, gates):
    cell = page.cell(f"%%dipeo slow{gated(*gates)}")
    card = page.card()
    for gate in gates:
        gate.reached()
        gate.let_through("tea")
    page.end(cell)

    numbers = [entry["seq"] for entry in [*card.state["snapshot"], *card.told]]
    assert sorted(set(numbers)) == list(range(1, max(numbers) + 1))
    assert card.types[0] == "execution_started"
    assert card.types[-1] == "execution_completed"


def test_in_the_end_the_card_is_replaced_by_what_needs_no_kernel(page, gates):
    cell = page.cell(f"%%dipeo slow{gated(*gates[:1])}")
    page.card()
    gates[0].reached()
    gates[0].let_through("tea")
    shown = page.end(cell)

    (output,) = page.shown  # the run is shown once, though the cell's value is the run too
    assert shown["text/plain"].endswith("end = tea")
    assert set(shown) == {RUN, "text/plain", "text/html", "image/svg+xml"}
    assert json.loads(output["metadata"][RUN]["run"])["status"] == "completed"
    assert page.run("_ is slow")["text/plain"] == "True"


def test_a_short_run_has_no_card(page):
    page.run("%%dipeo quick\nnodes: [{label: end, type: endpoint}]")

    assert not page.cards
    assert page.shown[0]["data"]["text/plain"].startswith("Run of quick: completed")


def test_nobody_is_shown_a_card_where_nobody_can_be_asked(tmp_path):
    notebook = nbformat.v4.new_notebook()
    diagram = f"\nnodes:\n- {{label: nap, type: job, code: 'import time; time.sleep({0.4})'}}"
    for source in ("%load_ext dipeo_jupyter", f"%%dipeo nap{diagram}"):
        notebook.cells.append(nbformat.v4.new_code_cell(source))

    nbclient.execute(notebook, timeout=LONG, cwd=str(tmp_path))

    (shown,) = notebook.cells[1].outputs
    assert WIDGET not in shown["data"]
    assert shown["data"][RUN] == {"version": 1}


def test_questions_are_answered_on_the_card_while_the_cell_waits(page):
    cell = page.cell(f"%%dipeo ask{ASK}")
    card = page.card()
    card.wait_for("input_required")

    reply = card.ask("user_response", node="name", value="Ada")
    assert reply["type"] == "ack"
    page.until(lambda: card.types.count("input_required") == 2)
    refused = card.ask("user_response", node="age", value="old")
    assert refused["type"] == "error"
    assert refused["payload"]["code"] == "invalid_answer"
    card.ask("user_response", node="age", value=37)

    assert page.end(cell)["text/plain"].endswith("end = 37")
    assert not page.client.stdin_channel.msg_ready()


def test_a_card_nobody_looks_at_leaves_its_question_to_the_cell(page):
    page.looks = False
    cell = page.cell(f"%%dipeo ask{ASK}")
    card = page.card()

    assert page.asked() == "[name] Who? "
    page.client.input("Ada")
    assert page.asked() == "[age] How old? "
    page.client.input("37")

    page.end(cell)
    withdrawn, result = page.shown
    assert withdrawn["data"] == {}
    assert result["data"]["text/plain"].endswith("end = 37")
    assert card.types[-1] == "execution_completed"


def test_a_card_that_is_closed_hands_its_question_to_the_cell(page):
    cell = page.cell(f"%%dipeo ask{ASK}")
    card = page.card()
    card.wait_for("input_required")
    page.update(card.model, _view_count=0)

    assert page.asked() == "[name] Who? "

    page.client.input("Ada")
    assert page.asked() == "[age] How old? "
    page.update(card.model, _view_count=1)
    card.ask("user_response", node="age", value=37)  # the page is back, and both may answer
    page.end(cell)


def test_pause_step_and_resume_work_at_once_while_the_cell_is_busy(page, gates):
    cell = page.cell(f"%%dipeo slow{gated(*gates)}")
    card = page.card()
    gates[0].reached()
    took = {}

    def timed(name, type_, **payload):
        began = time.monotonic()
        assert card.ask(type_, **payload)["type"] == "ack"
        took[name] = time.monotonic() - began

    timed("pause", "pause_execution")
    card.wait_for("execution_paused")
    gates[0].let_through("tea")
    page.until(lambda: "node_completed" in card.types)
    timed("step", "step_execution", steps=1)
    gates[1].reached()
    gates[1].let_through("cake")
    page.until(lambda: card.types.count("execution_paused") == 2)
    assert cell not in page.idle  # whoever clicks step goes on with it, and the cell waits
    timed("resume", "resume_execution")

    assert page.end(cell)["text/plain"].endswith("end = cake")
    print({name: f"{seconds * 1000:.1f} ms" for name, seconds in took.items()})
    assert max(took.values()) < PROMPT


def test_a_run_that_stands_when_its_cell_ends_keeps_its_card(page, gates):
    cell = page.cell(f"%%dipeo slow --break end{gated(*gates[:1])}")
    card = page.card()
    gates[0].reached()
    gates[0].let_through("tea")

    shown = page.end(cell)

    assert WIDGET in shown
    assert shown["text/plain"].startswith("Run of slow: paused before end")
    assert card.ask("resume_execution")["type"] == "ack"
    page.until(lambda: WIDGET not in page.shown[0]["data"])
    assert page.shown[0]["data"]["text/plain"].endswith("end = tea")


def test_a_failed_run_goes_on_by_its_card_when_its_cell_has_ended(page, gates):
    code = gates[0].code.replace("return", "word =") + "; return 1 / (word == 'yes')"
    cell = page.cell(f"%%dipeo slow\nnodes: [{{label: wait, type: job, code: {json.dumps(code)}}}]")
    card = page.card()
    gates[0].reached()
    gates[0].let_through("no")
    page.end(cell)
    page.until(lambda: "execution_failed" in card.types)

    assert WIDGET in page.shown[0]["data"]
    assert card.ask("resume_execution")["type"] == "ack"
    gates[0].reached()
    gates[0].let_through("yes")
    page.until(lambda: WIDGET not in page.shown[0]["data"])
    assert page.shown[0]["data"]["text/plain"].startswith("Run of slow: completed")


def test_a_run_that_fails_at_once_has_a_card_to_go_on_with(page):
    page.run("%%dipeo quick\nnodes: [{label: boom, type: job, code: 1 / 0}]")

    assert WIDGET in page.shown[0]["data"]
    assert page.shown[0]["data"]["text/plain"].startswith("Run of quick: failed")


def test_what_is_no_command_gets_an_error_and_does_no_harm(page):
    cell = page.cell(f"%%dipeo ask{ASK}")
    card = page.card()
    before = len(card.messages)
    for said in MALFORMED:
        card.say_just(said)
    deep = {"type": "ping"}
    for _ in range(200):
        deep = {"payload": deep}
    card.say_just(deep)

    def replies():
        return [said for _, said in card.messages[before:] if said["kind"] == "reply"]

    page.until(lambda: len(replies()) == len(MALFORMED) + 1)
    assert {each["type"] for each in replies()} == {"error"}
    assert all(each["payload"]["message"] for each in replies())
    assert "internal" not in {each["payload"]["code"] for each in replies()}
    card.ask("cancel_execution")
    page.end(cell)
    assert page.errors == ["ExecutionFailedError: The run was cancelled."]


def test_two_cards_of_one_run_show_the_same(page):
    page.run(f"run = dipeo.start('''{ASK}''')\nrun")
    page.run("run")
    first, second = page.card(0), page.card(1)

    first.ask("user_response", node="name", value="Ada")
    page.until(lambda: second.types.count("input_required") == 2)
    second.ask("user_response", node="age", value=37)

    for card in (first, second):
        card.wait_for("execution_completed")
    assert first.types == second.types
    page.until(lambda: all(WIDGET not in each["data"] for each in page.shown))


def test_a_page_that_is_loaded_again_is_told_everything(page):
    cell = page.cell(f"%%dipeo ask{ASK}")
    card = page.card()
    card.wait_for("input_required")
    known = card.types
    card.told.clear()
    card.state["snapshot"] = []

    reply = card.ask("subscribe", after_seq=0)

    page.until(lambda: card.types == known)
    assert reply["payload"]["seq"] == len(known)
    card.ask("cancel_execution")
    page.end(cell)


@pytest.fixture
def hasty(page):
    """A kernel that keeps cards for less long than it does, after the end of their runs."""
    page.run("import asyncio\nfrom dipeo_jupyter.notebook.card import showing")
    page.run("FAREWELL, showing.FAREWELL = showing.FAREWELL, 0.3")
    yield page
    page.run("showing.FAREWELL = FAREWELL")


def test_a_card_is_let_go_when_nobody_looks_at_it_any_more(hasty):
    page = hasty
    cell = page.cell(f"%%dipeo ask{ASK}")
    card = page.card()
    card.wait_for("input_required")
    card.ask("cancel_execution")
    page.end(cell)

    page.run("await asyncio.sleep(showing.FAREWELL)")
    assert card.model not in page.closed  # a page that was loaded again has nothing else to show
    page.update(card.model, _view_count=0)

    page.until(lambda: card.model in page.closed)


def fails_unseen(page):
    """A run that has failed, on a card at which nobody looks any more."""
    page.run("%%dipeo quick\nnodes: [{label: boom, type: job, code: 1 / 0}]")
    card = page.card()
    page.update(card.model, _view_count=0)
    return card


def test_the_card_of_a_failed_run_is_let_go_when_nobody_looks_at_it_any_more(hasty):
    page = hasty
    card = fails_unseen(page)
    assert WIDGET in page.shown[0]["data"]

    page.until(lambda: card.model in page.closed)

    assert WIDGET not in page.shown[0]["data"]
    assert page.shown[0]["data"]["text/plain"].startswith("Run of quick: failed")
    assert page.run("dipeo.get(quick.id).status")["text/plain"] == "'failed'"


def test_the_card_of_a_failed_run_stays_while_somebody_looks(hasty):
    page = hasty
    page.run("%%dipeo quick\nnodes: [{label: boom, type: job, code: 1 / 0}]")
    card = page.card()

    page.run("await asyncio.sleep(2 * showing.FAREWELL)")

    assert card.model not in page.closed
    assert WIDGET in page.shown[0]["data"]
    page.update(card.model, _view_count=0)
    page.until(lambda: card.model in page.closed)


def test_a_card_is_never_let_go_while_the_notebook_shows_it(hasty):
    page = hasty
    card = fails_unseen(page)
    page.until(lambda: WIDGET not in page.shown[0]["data"])

    page.run("quick.resume()")  # and it fails again
    page.until(lambda: WIDGET in page.shown[0]["data"])
    page.until(lambda: card.model in page.closed)

    assert WIDGET not in page.shown[0]["data"]


def test_many_events_come_in_few_messages(page):
    page.run(f"{NOISE}run = dipeo.start('''{ASK}''')\nrun")
    card = page.card()

    page.run("await noise(run, 600, 1 / 250)")
    page.until(lambda: card.types.count("broadcast") == 600)

    times = [at for at, said in card.messages if said["kind"] == "entries"]
    seconds = times[-1] - times[0]
    print(f"{600 / seconds:.0f} events/s in {len(times) / seconds:.1f} messages/s")
    assert len(times) / seconds <= 25
    card.ask("cancel_execution")


def test_what_is_kept_of_a_large_run_is_small(page):
    page.run(
        "%%dipeo large\n"
        "nodes:\n"
        '- {label: much, type: job, code: \'return [{"text": "tea " * 1000}] * 300\'}\n'
        "- {label: end, type: endpoint}\n"
        "connections: [{from: much, to: end}]"
    )

    text = page.shown[0]["metadata"][RUN]["run"]
    kept = json.loads(text)
    assert kept["cut"]
    assert len(text) < 220_000
    assert [each["type"] for each in kept["entries"]][-1] == "execution_completed"


@pytest.fixture
def plain(any_page):
    """A page whose kernel has no JavaScript of ours."""
    any_page.run(
        "from pathlib import Path\n"
        "from dipeo_jupyter.notebook.card import showing\n"
        "built, showing.SCRIPT = showing.SCRIPT, Path('nowhere')"
    )
    any_page.clear()
    yield any_page
    any_page.run("showing.SCRIPT = built")


def test_without_our_javascript_there_are_buttons_and_forms(plain):
    page = plain
    cell = page.cell(f"%%dipeo ask{ASK}")
    page.card()

    page.until(lambda: page.count(description="Answer") == 1)
    page.update(page.widget(_model_name="TextModel"), value="Ada")
    page.click("Answer")
    page.until(lambda: page.count(description="Answer") == 2)
    page.update(page.widget(_model_name="IntTextModel"), value=37)
    page.click("Answer")

    assert page.end(cell)["text/plain"].endswith("end = 37")


def test_the_buttons_of_the_plain_card_steer_the_run(plain, gates):
    page = plain
    cell = page.cell(f"%%dipeo slow{gated(*gates)}")
    page.card()
    gates[0].reached()

    page.click("Pause")
    resume = page.widget(description="Resume")
    page.until(lambda: not page.models[resume]["disabled"])
    gates[0].let_through("tea")
    page.click("Resume")
    gates[1].reached()
    gates[1].let_through("cake")

    assert page.end(cell)["text/plain"].endswith("end = cake")
