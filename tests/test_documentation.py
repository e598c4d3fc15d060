"""The README against the program: what it says exists, and what exists it says."""

from __future__ import annotations

import ast
import re
import shlex
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

import dipeo_jupyter
from dipeo_jupyter import cli
from dipeo_jupyter.cli import terminal
from dipeo_jupyter.client.remote import RemoteClient
from dipeo_jupyter.diagram import light
from dipeo_jupyter.diagram.edit import Document
from dipeo_jupyter.diagram.problems import codes_table
from dipeo_jupyter.nodes import load_node_types
from dipeo_jupyter.notebook import magics
from dipeo_jupyter.protocol.commands import Ack
from dipeo_jupyter.protocol.events import Entry
from dipeo_jupyter.services.observing import genai
from dipeo_jupyter.services.observing.metrics import Instruments
from dipeo_jupyter.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, text in BLOCKS if kind == "bash" for line in text.splitlines()]
TRY = [line for line in COMMANDS if "jupyter lab" in line]
TEST = [line for line in COMMANDS if "pytest" in line]


OWNERS = {
    "Path": Path,
    "ack": Ack,
    "client": RemoteClient,
    "entry": Entry,
    "dipeo": dipeo_jupyter,
    "run": dipeo_jupyter.Run,
    "document": Document,
}


def blocks(kind):
    return [text for each, text in BLOCKS if each == kind]


def options_of(parser):
    return {name for action in parser._actions for name in action.option_strings} - {"-h", "--help"}


def subcommands():
    (commands,) = [
        each for each in cli.parser()._actions if hasattr(each, "choices") and each.choices
    ]
    return commands.choices


def parts():
    """A name that the README must have, once for each kind of thing."""
    node_types = {each.type for each in load_node_types().values()}
    variables = set(
        re.findall(
            r"\"(DIPEO_[A-Z_]+)\"",
            Path(dipeo_jupyter.__file__).with_name("settings.py").read_text(),
        )
    )
    for option in options_of(magics.cell_options()):
        yield "option of %%dipeo", option
    for name, parser in subcommands().items():
        yield "command", f"dipeo {name}"
        for option in options_of(parser) - {"--input"}:
            yield f"option of dipeo {name}", option
    yield from (("node type", f"| `{name}` |") for name in node_types)
    registry = CollectorRegistry()
    Instruments(registry)
    for metric in registry.collect():
        suffix = "_total" if metric.type == "counter" else ""
        yield "metric", f"| `{metric.name}{suffix}` |"
    for name in vars(genai).values():
        if isinstance(name, str) and name.startswith(("gen_ai.", "dipeo.", "error.")):
            yield "attribute", f"`{name}`"
    yield from (("setting", f"`{name}`") for name in variables if name != "DIPEO_")


@pytest.mark.parametrize(("kind", "name"), sorted(set(parts())))
def test_the_readme_names_everything_there_is(kind, name):
    assert name in README, f"the {kind} {name} is not in the README"


def test_the_readme_names_no_setting_that_does_not_exist():
    named = set(re.findall(r"`(DIPEO_\w+)`", README))
    words = {"DIPEO_CASSETTE_MODE": "replay", "DIPEO_RESPONSE_CACHE": "on", "DIPEO_METRICS": "on"}
    words |= {"DIPEO_SANDBOX": "off", "DIPEO_SANDBOX_READ": "/opt"}
    words |= {"DIPEO_SANDBOX_PRIVATE_NETWORK": "on", "DIPEO_PYODIDE": "/opt"}
    words |= {"DIPEO_TRUST": "all"}

    for name in named:
        value = words.get(name, "7")
        assert Settings.from_environment({name: value}) != Settings.from_environment({})


def test_the_readme_explains_every_exit_code():
    (codes,) = re.findall(r"Exit codes: (.*?)\.\n", README, re.DOTALL)

    explained = [int(code) for code in re.findall(r"\d+", codes)]
    assert explained == [
        terminal.DONE,
        terminal.FAILED,
        terminal.WRONG,
        terminal.WAITING,
        terminal.INTERRUPTED,
    ]


def test_every_option_of_the_cell_in_the_readme_exists():
    (line,) = re.findall(r"^%%dipeo \[name\].*$", README, re.MULTILINE)

    known = options_of(magics.cell_options())
    assert set(re.findall(r"--[\w-]+", line)) == known


@pytest.mark.parametrize("text", [each for each in blocks("yaml") if each.startswith("%%dipeo")])
def test_diagrams_in_the_readme_are_right(text):
    magic, diagram = text.split("\n", 1)

    magics.cell_options().parse_args(shlex.split(magic)[1:])
    run = dipeo_jupyter.load(diagram)

    assert {node.type for node in run.nodes} <= set(load_node_types())


def test_arrows_in_the_readme_are_read_as_edges():
    (arrows,) = [each for each in blocks("yaml") if each.startswith("edges:")]
    labels = "nodes: [start, argue, done?, verdict, result]"
    nodes = re.sub(r"([\w?]+)(?=[,\]])", r"{label: \1, type: start}", labels)

    assert len(light.loads(f"{nodes}\n{arrows}").edges) == 5


def test_the_edit_in_the_readme_changes_what_it_says(tmp_path, monkeypatch, capsys):
    (edit,) = [each for each in blocks("python") if "Document" in each]
    (tmp_path / "debate.light.yaml").write_text(blocks("yaml")[0].split("\n", 1)[1])
    monkeypatch.chdir(tmp_path)

    exec(edit, {})  # noqa: S102 - the README's own words

    said = capsys.readouterr().out
    assert "Argue against: {{pro}}" in said
    assert 'prompt: "Who won, and why?"' in said


@pytest.mark.parametrize("text", blocks("python"))
def test_python_in_the_readme_compiles_and_names_what_exists(text):
    tree = compile(text, "README.md", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)

    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            owner = OWNERS[node.value.id]
            known = {*dir(owner), *getattr(owner, "__annotations__", {})}
            assert node.attr in known, node.attr


@pytest.mark.parametrize("line", [line for line in COMMANDS if line.startswith("dipeo ")])
def test_command_lines_in_the_readme_are_understood(line):
    options = cli.parser().parse_args(shlex.split(line, comments=True)[1:])

    assert callable(options.command)


def test_the_debate_of_the_readme_runs_from_a_terminal(tmp_path, monkeypatch, capsys):
    (tmp_path / "debate.light.yaml").write_text(blocks("yaml")[0].split("\n", 1)[1])
    monkeypatch.chdir(tmp_path)

    assert cli.main(["run", "debate.light.yaml", "-i", "topic=tea"]) == 0
    assert capsys.readouterr().out.startswith("[demo] ")


def debate():
    return dipeo_jupyter.run_sync(blocks("yaml")[0].split("\n", 1)[1], {"topic": "tea"})


def review():
    answers = {"your say[1]": "shorter please", "your say[2]": "publish it"}
    return dipeo_jupyter.run_sync(ROOT / "notebooks" / "review.light.yaml", answers=answers)


def research():
    return dipeo_jupyter.run_sync(ROOT / "notebooks" / "research.light.yaml")


@pytest.mark.parametrize("ran", [debate, review, research], ids=lambda ran: ran.__name__)
def test_a_picture_in_the_readme_is_that_of_a_run(ran):
    saved = (ROOT / "notebooks" / f"{ran.__name__}.svg").read_text(encoding="utf-8")

    assert ran().picture() == saved, "save the `picture()` of the run there"


def test_the_readme_has_the_table_of_all_codes():
    (table,) = re.findall(r"<!-- codes:.*?-->\n(.*?)<!-- end of codes -->", README, re.DOTALL)

    assert table.strip() == codes_table().strip(), "put what `dipeo explain` prints there"


def test_there_is_one_command_to_try_it_and_one_to_test():
    assert (len(TRY), len(TEST)) == (1, 1)
    assert (ROOT / re.search(r"notebooks/\S+\.ipynb", TRY[0])[0]).exists()


def test_the_ci_runs_the_test_command_to_the_letter():
    assert TEST[0] in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_every_link_inside_the_project_leads_somewhere(target):
    assert (ROOT / target).exists()


def test_every_notebook_is_in_the_readme():
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        assert f"notebooks/{path.name}" in README


def test_what_the_readme_shows_of_light_yaml_is_written_back_the_same():
    diagram = dipeo_jupyter.load(blocks("yaml")[0].split("\n", 1)[1])

    assert light.loads(light.dumps(diagram)) == diagram


def test_collections_of_the_readme_keep_and_find_rows(tmp_path, monkeypatch):
    (text,) = [each for each in blocks("yaml") if "collection: cities" in each]
    monkeypatch.chdir(tmp_path)

    assert dipeo_jupyter.run_sync(text)["result"].output == [{"name": "Rome"}]
