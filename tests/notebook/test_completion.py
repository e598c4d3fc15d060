"""Tab in `%%dipeo` cells, in a shell and in a real kernel. `¦` is where the cursor stands."""

from __future__ import annotations

import pytest
from IPython.core.completer import provisionalcompleter
from jupyter_client.manager import start_new_kernel

from dipeo_jupyter.diagram.completion import complete
from dipeo_jupyter.notebook import completion
from tests.shells import new_shell

LONG = 60
"""Seconds until something that must come is missed."""
DIAGRAM = """
persons:
  Ann: {service: demo}
nodes:
  - {label: start, type: start, custom_data: {topic: 🫖}}
  - {label: talk, type: person_job, person: Ann, prompt: Hello}
  - {label: two words, type: endpoint}
connections:
  - {from: start, to: talk}
"""


class Shell:
    """A shell with `%%dipeo`, asked for completions as a kernel asks."""

    def __init__(self, ip):
        self.ip = ip
        self.ip.run_line_magic("load_ext", "dipeo_jupyter")

    def __call__(self, text):
        before, _, behind = text.partition("¦")
        with provisionalcompleter():
            return list(self.ip.Completer.completions(before + behind, len(before)))

    def offers(self, text):
        return [each.text for each in self(text)]


@pytest.fixture
def shell(tmp_path):
    with new_shell(tmp_path) as ip:
        ip.push({"tea": {"kind": "green"}, "number": 3, "drawn": DIAGRAM})
        yield Shell(ip)


@pytest.fixture(scope="module")
def kernel(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("IPYTHONDIR", str(tmp_path_factory.mktemp("kernel")))
    manager, client = start_new_kernel(kernel_name="python3")
    patch.undo()
    client.execute_interactive("%load_ext dipeo_jupyter\npermission = 1", timeout=LONG)
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)
    manager.cleanup_resources()


@pytest.fixture
def replies(kernel):
    """Ask the kernel; its answer, and the text with each of its matches put in."""

    def ask(text):
        before, _, behind = text.partition("¦")
        reply = kernel.complete(before + behind, len(before), reply=True, timeout=LONG)["content"]
        assert reply["status"] == "ok"
        code, start, end = before + behind, reply["cursor_start"], reply["cursor_end"]
        return reply, [code[:start] + match + code[end:] for match in reply["matches"]]

    return ask


# -- in a kernel --------------------------------------------------------------------------------


def test_a_kernel_replaces_exactly_what_is_typed(replies):
    cell = f"%%dipeo talk{DIAGRAM}  - {{from: talk, to: tw"
    reply, texts = replies(cell + "¦}\n# 🫖")
    assert reply["matches"] == ["two words"]
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(cell) - 2, len(cell))
    assert texts == [f"{cell[:-2]}two words}}\n# 🫖"]


def test_a_kernel_counts_astral_characters_once(replies):
    cell = "%%dipeo\nname: 🫖🫖\nnodes:\n- {label: 🫖, type: cond"
    reply, texts = replies(f"{cell}¦")
    assert (reply["cursor_start"], reply["cursor_end"]) == (len(cell) - 4, len(cell))
    assert texts == [cell + "ition"]


def test_a_kernel_adds_the_quotes_that_are_missing(replies):
    cell = "%%dipeo\nnodes:\n- {label: c, type: condition}\nconnections:\n- {from: "
    assert replies(f"{cell}c[condt¦}}")[1] == [f'{cell}"c[condtrue]"}}']


def test_names_of_python_stay_out_of_a_diagram(replies):
    assert replies("%%dipeo\nnodes:\n- {label: a, perm¦")[0]["matches"] == []
    assert replies("%%dipeo\nnodes:\n- {label: ¦}")[0]["matches"] == []


@pytest.mark.parametrize("cell", ["perm¦", "x = 1\nperm¦", "'%%dipeo'\nperm¦", "%%time\nperm¦"])
def test_other_cells_are_completed_as_ever(replies, cell):
    assert "permission" in replies(cell)[0]["matches"]
    assert "nodes: " not in replies(cell)[0]["matches"]


# -- in a shell ---------------------------------------------------------------------------------


def test_every_suggestion_of_a_diagram_reaches_the_cell(shell):
    from_us = complete(DIAGRAM, len(DIAGRAM), completion._schema())
    offered = shell(f"%%dipeo{DIAGRAM}¦")
    assert [item.text for item in from_us.items] == [each.text for each in offered]
    assert {each.start for each in offered} == {len(f"%%dipeo{DIAGRAM}")}


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("  - {label: n, type: user¦", ["user_response"]),
        ("  - {type: condition, condition_type: det¦", ["detect_max_iterations"]),
        ("  - {type: person_job, memory: GOLD¦", ["GOLDFISH"]),
        ("  - {type: person_job, memory_sel¦", ["memory_selector: "]),
        ("  - {type: person_job, memory_person: A¦", ["Ann"]),
        ("  - {type: person_job, memory: 'of {{top¦", ["topic"]),
        ("  - {type: person_job, at_¦", ["at_most: "]),
        ("  - {type: db, operation: app¦", ["append"]),
        ("  - {type: start, custom_¦", ["custom_data: "]),
        ("  - {type: person_job, retry: {back¦", ["backoff_factor: "]),
        ("  - {type: job, join: ¦", ["all", "any"]),
    ],
)
def test_installed_node_types_are_known(shell, typed, expected):
    diagram = DIAGRAM.replace("connections", f"{typed}\nconnections")
    assert shell.offers(f"%%dipeo{diagram}") == expected


def test_handles_of_installed_node_types_are_known(shell):
    nodes = "nodes:\n- {label: c, type: condition}\n- {label: p, type: person_job}\nconnections:\n"
    assert shell.offers(f"%%dipeo\n{nodes}- from: c¦") == ["c[condtrue]", "c[condfalse]"]
    assert shell.offers(f"%%dipeo\n{nodes}- to: p[¦") == ["p[first]"]


def test_services_are_known(shell):
    assert {"demo", "openai", "claude"} <= {*shell.offers("%%dipeo\npersons: {A: {service: ¦")}


def test_empty_lines_above_the_magic_do_not_matter(shell):
    assert shell.offers("\n\n%%dipeo x\nversion: ¦") == ["light"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("--inp¦", ["--inputs"]),
        ("debate --o¦", ["--out"]),
        ("--out ¦", ["start", "talk"]),
        ("--answers ¦", ["tea"]),
        ("--inputs n¦", ["number"]),
        ("--inputs number to¦", ["topic="]),
        ("--inputs number --n¦", ["--no-wait"]),
        ("--inputs topic=t¦", []),
        ("--no-wait --o¦", []),
        ("--inputs a --inputs¦", []),
    ],
)
def test_the_line_of_a_cell_is_completed(shell, line, expected):
    before, _, behind = line.partition("¦")
    assert shell.offers(f"%%dipeo {before}¦{behind}{DIAGRAM}") == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("che¦", ["check"]),
        ("check dr¦", ["drawn"]),
        ("check m¦", ["my.light.yaml"]),
        ("convert my.light.yaml --to r¦", ["readable"]),
        ("convert my.light.yaml sub/¦", ["sub/picture.svg"]),
        ("draw drawn --a¦", ["--as"]),
        ("diff drawn --p¦", ["--positions"]),
        ("explain unknown_nod¦", ["unknown_node"]),
    ],
)
def test_commands_of_the_line_magic_are_completed(shell, line, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    for name in ("my.light.yaml", "my notes.yaml", "my.txt", ".my.yaml", "sub/picture.svg"):
        (tmp_path / name).touch()
    assert shell.offers(f"%dipeo {line}") == expected
    assert shell.offers(f"x = 1\nfound = %dipeo {line}\ny = 2") == expected


def test_a_failing_completer_leaves_the_others_at_work(shell, monkeypatch, capsys):
    def fail():
        raise RuntimeError("no schema")

    monkeypatch.setattr(completion, "_schema", fail)
    assert "number" in shell.offers("%%dipeo\nnum¦")
    assert capsys.readouterr() == ("", "")


def test_unloading_takes_the_completer_away(shell):
    shell.ip.run_line_magic("reload_ext", "dipeo_jupyter")
    assert len(shell.ip.Completer.custom_matchers) == 1
    shell.ip.run_line_magic("unload_ext", "dipeo_jupyter")
    assert shell.ip.Completer.custom_matchers == []
