"""`run`, `run_sync`, `start`: the same from Python, in any program."""

from __future__ import annotations

import asyncio

import pytest

import dipeo_jupyter as dipeo

BOTH_MODES = True

DOUBLE = """
nodes:
- {label: start, type: start}
- {label: double, type: job, code: return 2 * n}
- {label: end, type: endpoint}
connections: [{from: start, to: double}, {from: double, to: end}]
"""
ASK = """
nodes:
- {label: start, type: start}
- {label: name, type: user_response, prompt: "Who?"}
connections: [{from: start, to: name}]
"""
pytestmark = pytest.mark.usefixtures("kernel")


def test_run_is_awaited_and_gives_the_finished_run():
    run = asyncio.run(dipeo.run(DOUBLE, {"n": 21}))

    assert isinstance(run, dipeo.Run)
    assert run.output == 42


def test_run_sync_works_inside_a_running_loop_too():
    async def main():
        return dipeo.run_sync(DOUBLE, {"n": 21}).output

    assert asyncio.run(main()) == 42


def test_start_comes_back_at_once_and_can_be_paused():
    run = dipeo.start(DOUBLE, {"n": 21}, paused=True)

    assert run.status == "paused"
    run.resume()
    assert run.wait().output == 42


def test_many_runs_go_on_side_by_side():
    async def main():
        return await asyncio.gather(*(dipeo.run(DOUBLE, {"n": n}) for n in range(4)))

    assert [run.output for run in asyncio.run(main())] == [0, 2, 4, 6]


def test_a_diagram_is_a_text_a_file_or_a_diagram(tmp_path):
    file = tmp_path / "double.light.yaml"
    file.write_text(DOUBLE)

    for diagram in (DOUBLE, str(file), file, dipeo.load(DOUBLE)):
        assert dipeo.run_sync(diagram, {"n": 1}).output == 2


def test_a_file_gives_its_run_a_name(tmp_path):
    file = tmp_path / "double.light.yaml"
    file.write_text(DOUBLE)

    assert dipeo.run_sync(file, {"n": 1}).name == "double"
    assert dipeo.run_sync(DOUBLE, {"n": 1}).name is None


def test_a_failure_carries_its_run():
    with pytest.raises(dipeo.ExecutionFailedError, match="line 4, node 'double'") as caught:
        asyncio.run(dipeo.run(DOUBLE, {"n": None}))

    assert caught.value.run["start"].status == "completed"


def test_answers_are_taken_from_the_call():
    assert dipeo.run_sync(ASK, answers={"name": "Ada"}).output == "Ada"


def test_what_is_not_answered_is_asked_by_input(monkeypatch, capsys):
    monkeypatch.setattr("builtins.input", lambda text: f"Ada, asked {text!r}")

    assert dipeo.run_sync(ASK).output == "Ada, asked '[name] Who? '"


def test_without_input_the_error_holds_the_waiting_run():
    with pytest.raises(dipeo.NoAnswerError, match=r"answers={'name': …}") as caught:
        asyncio.run(dipeo.run(ASK))

    run = caught.value.run
    assert run.waiting == {"name": "Who?"}
    run.answer("name", "Ada")
    assert run.wait().output == "Ada"


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda: dipeo.start(DOUBLE, [3]), "Inputs are a dict, name → value, and this is a list"),
        (lambda: dipeo.start(DOUBLE, {"n": 1}, breakpoints="dubble"), "Did you mean 'double'?"),
        (lambda: dipeo.convert(DOUBLE, "nativ"), "no format 'nativ'. Did you mean 'native'?"),
    ],
)
def test_what_is_given_wrongly_is_named(act, words):
    with pytest.raises(dipeo.CommandError) as caught:
        act()
    assert words in str(caught.value)
