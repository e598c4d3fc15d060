"""The terminal: diagrams checked, converted, compared and drawn without being run."""

from __future__ import annotations

import json
import os

import jsonschema
import pytest

from dipeo_jupyter.diagram.files import FORMATS, SUFFIXES, load
from dipeo_jupyter.diagram.problems import CODES

from .conftest import ECHO

SHORTER = ECHO.replace("code: return default", "code: return 1")


@pytest.fixture
def other(folder):
    (folder / "other.light.yaml").write_text(SHORTER)
    return folder / "other.light.yaml"


def test_check_finds_what_reading_and_compiling_find_at_once(dipeo):
    called = dipeo("check wrong.light.yaml --json")

    assert called.code == 2
    assert {"unknown_type", "unknown_node"} <= {each["code"] for each in json.loads(called.out)}
    assert {each["line"] for each in json.loads(called.out)} == {4, 5}


def test_several_files_are_checked_in_one_go(dipeo):
    called = dipeo("check echo.light.yaml wrong.light.yaml missing.yaml")

    assert called.code == 2
    assert called.out == "echo.light.yaml: no problems\n"
    assert "wrong.light.yaml: error: line 4:" in called.err
    assert "missing.yaml: error:" in called.err


def test_a_diagram_may_come_from_standard_input(dipeo):
    assert dipeo("check -", stdin=ECHO).out == "-: no problems\n"


@pytest.mark.parametrize("to", FORMATS)
def test_a_converted_file_holds_the_same_diagram(dipeo, folder, to):
    target = folder / f"copy{SUFFIXES[to]}"

    assert dipeo(f"convert echo.light.yaml {target}").code == 0

    was, now = load(folder / "echo.light.yaml"), load(target)
    assert now.nodes == was.nodes
    assert now.edges == was.edges


def test_a_format_can_be_asked_for_and_printed(dipeo):
    called = dipeo("convert echo.light.yaml --to native")

    assert (called.code, called.err) == (0, "")
    assert {"nodes", "arrows"} <= json.loads(called.out).keys()


def test_nothing_is_overwritten_unless_asked_for(dipeo, folder):
    (folder / "copy.native.json").write_text("mine")

    refused = dipeo("convert echo.light.yaml copy.native.json")

    assert refused.code == 2
    assert "--force" in refused.err
    assert (folder / "copy.native.json").read_text() == "mine"
    assert dipeo("convert echo.light.yaml copy.native.json --force").code == 0
    assert sorted(each.name for each in folder.glob("*copy*")) == ["copy.native.json"]


def test_a_wrong_diagram_is_not_converted(dipeo, folder):
    called = dipeo("convert wrong.light.yaml copy.native.json")

    assert called.code == 2
    assert "wrong.light.yaml: error: line 5:" in called.err
    assert not (folder / "copy.native.json").exists()


def test_a_name_that_says_no_format_is_asked_about(dipeo):
    called = dipeo("convert echo.light.yaml copy.txt")

    assert called.code == 2
    assert "--to native" in called.err


def test_a_folder_that_is_not_there_is_said(dipeo):
    called = dipeo("convert echo.light.yaml nowhere/copy.native.json")

    assert called.code == 2
    assert "No such file or directory" in called.err


@pytest.mark.usefixtures("other")
def test_diff_exits_as_diff_does(dipeo):
    same = dipeo("diff echo.light.yaml echo.light.yaml")
    different = dipeo("diff echo.light.yaml other.light.yaml")
    trouble = dipeo("diff echo.light.yaml missing.yaml")

    assert (same.code, different.code, trouble.code) == (0, 1, 2)
    assert (same.out, trouble.out) == ("", "")
    assert "text.code" in different.out


def test_a_converted_file_differs_in_nothing(dipeo):
    dipeo("convert echo.light.yaml copy.native.json")

    assert dipeo("diff echo.light.yaml copy.native.json").code == 0


@pytest.mark.usefixtures("other")
def test_changes_can_be_had_as_json(dipeo):
    called = dipeo("diff echo.light.yaml other.light.yaml --json")

    assert called.code == 1
    assert json.loads(called.out)


def test_a_picture_is_svg_unless_its_name_says_mermaid(dipeo, folder):
    dipeo("draw echo.light.yaml echo.svg")
    dipeo("draw echo.light.yaml echo.mmd")

    assert (folder / "echo.svg").read_text().startswith("<svg ")
    assert (folder / "echo.mmd").read_text().startswith("flowchart ")
    assert dipeo("draw echo.light.yaml --as mermaid").out.startswith("flowchart ")


def test_the_schema_is_a_json_schema_that_takes_diagrams(dipeo):
    schema = json.loads(dipeo("schema").out)

    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    assert validator(schema).is_valid({"nodes": [{"label": "a", "type": "start"}]})


def test_every_code_is_listed_and_explained(dipeo):
    listed = dipeo("explain").out

    for code in CODES:
        assert code in listed
        assert code in dipeo(f"explain {code}").out


def test_a_code_that_does_not_exist_gets_the_nearest_one(dipeo):
    called = dipeo("explain unkown_type")

    assert called.code == 2
    assert "unknown_type" in called.err


def test_there_are_only_two_kinds_of_pictures(dipeo, folder):
    called = dipeo("draw echo.light.yaml echo.png")

    assert called.code == 2
    assert ".svg" in called.err
    assert not (folder / "echo.png").exists()


def test_comments_that_get_lost_are_mentioned(dipeo, folder):
    (folder / "noted.light.yaml").write_text(f"# mine{ECHO}")

    assert "comments" in dipeo("convert noted.light.yaml --to readable").err
    assert "comments" not in dipeo("convert echo.light.yaml --to readable").err


@pytest.mark.parametrize("file", ["pipe", "/dev/zero", "."])
def test_what_may_never_end_is_not_read(dipeo, folder, file):
    os.mkfifo(folder / "pipe")

    assert dipeo(f"check {file}").code == 2
    assert dipeo(f"run echo.light.yaml --inputs-json {file}").code == 2


def test_a_chain_with_an_unknown_node_is_told_once(dipeo, folder):
    (folder / "chain.light.yaml").write_text(f"{ECHO}edges: [start -> lost -> end]\n")

    assert dipeo("check chain.light.yaml").err.count("'lost'") == 1


def test_edges_under_a_wrong_name_make_no_other_noise(dipeo, folder):
    (folder / "name.light.yaml").write_text(ECHO.replace("connections", "connection"))

    (line,) = dipeo("check name.light.yaml").err.splitlines()
    assert "Did you mean 'connections'?" in line


def test_wrong_code_of_a_job_is_found_without_running_it(dipeo, folder):
    (folder / "code.light.yaml").write_text(ECHO.replace("return default", "return (1"))

    called = dipeo("check code.light.yaml")

    assert called.code == 2
    assert "line 4" in called.err
    assert "was never closed" in called.err
