"""`diff_patch`: a diff is applied as a whole or not at all, where it fits, and nowhere outside."""

from __future__ import annotations

import asyncio
import difflib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from dipeo_jupyter.engine.node import Inputs
from dipeo_jupyter.errors import DipeoError, NodeError
from dipeo_jupyter.nodes.diff_patch import DiffPatch
from dipeo_jupyter.nodes.patches import apply, read_diff
from dipeo_jupyter.services.files import LocalFiles
from tests.nodes.context import FakeContext, services

OLD = "".join(f"line {number}\n" for number in range(1, 21))
NEW = OLD.replace("line 5\n", "line five\nand more\n").replace("line 15\n", "")


def diff_of(old: str, new: str, name: str = "a.txt", lines: int = 3) -> str:
    """What `diff -u` says."""
    both = (old.splitlines(keepends=True), new.splitlines(keepends=True))
    said = difflib.unified_diff(*both, f"a/{name}", f"b/{name}", n=lines)
    unended = "\n\\ No newline at end of file\n"
    return "".join(line if line.endswith("\n") else line + unended for line in said)


DIFF = diff_of(OLD, NEW)


def patched(text: str, diff: str, **settings: Any) -> str:
    node = DiffPatch(diff="{{d}}", **settings)
    ctx = FakeContext(services=services(), names={"d": diff})
    return asyncio.run(node.run(Inputs(default=text), ctx)).outputs["default"]


def change(root: Path, diff: str = DIFF, **settings: Any) -> Any:
    node = DiffPatch(**{"target_path": "a.txt", **settings})
    ctx = FakeContext(services=services(files=LocalFiles(root)), names={"n": "a"})
    return asyncio.run(node.run(Inputs(default=diff), ctx)).outputs["default"]


def refused(text: str, diff: str, **settings: Any) -> str:
    with pytest.raises(NodeError) as caught:
        patched(text, diff, **settings)
    return str(caught.value)


@pytest.fixture
def root(tmp_path):
    (tmp_path / "a.txt").write_text(OLD)
    return tmp_path


# Texts --------------------------------------------------------------------------------------------


def test_a_text_is_changed_and_changed_back():
    assert patched(OLD, DIFF) == NEW
    assert patched(NEW, DIFF, apply_mode="reverse") == OLD


TEXTS = st.lists(
    st.sampled_from(["a", "b", "", " ", "-", "--", "-- ", "+", "@@", "\\ x", "ä"])
).map("\n".join)


@given(TEXTS, TEXTS, st.booleans(), st.booleans(), st.integers(0, 3))
def test_what_a_diff_says_comes_out_whatever_the_texts(old, new, ends, then_ends, lines):
    old, new = old + "\n" * ends, new + "\n" * then_ends
    diff = diff_of(old, new, lines=lines)
    if not diff:
        return
    (patch,) = read_diff(diff, strict=True)
    assert apply(old, patch, 0).text == new
    assert apply(new, patch.reversed(), 0).text == old


PATCH = shutil.which("patch")


@pytest.mark.skipif(PATCH is None, reason="there is no `patch` here")
@pytest.mark.parametrize("moved", [0, 1, 7])
def test_a_moved_place_is_found_as_by_patch(root, moved):
    text = "new\n" * moved + OLD
    (root / "a.txt").write_text(text)
    subprocess.run([PATCH, "-s", "a.txt"], input=DIFF, cwd=root, text=True, check=True)
    assert patched(text, DIFF) == (root / "a.txt").read_text()


def test_lines_around_may_differ_as_much_as_is_allowed():
    text = OLD.replace("line 2\n", "line two\n")
    assert patched(text, DIFF).startswith("line 1\nline two\nline 3\nline 4\nline five\n")
    assert "Hunk 1 of 2 does not fit" in refused(text, DIFF, fuzz_factor=0)
    text = text.replace("line 4\n", "line four\n")
    assert "Hunk 1 of 2 does not fit: 'line 2'" in refused(text, DIFF)


def test_ends_of_lines_stay_as_they_are():
    assert patched(OLD.replace("\n", "\r\n"), DIFF) == NEW.replace("\n", "\r\n")
    assert patched(OLD, DIFF.replace("\n", "\r\n")) == NEW


def test_spaces_may_differ_if_allowed():
    text = OLD.replace("line", "   line")
    result = patched(text, DIFF, ignore_whitespace=True)
    assert result.splitlines()[3:6] == ["   line 4", "line five", "and more"]
    assert "does not fit" in refused(text, DIFF)


def test_a_diff_in_a_block_of_markdown_is_read():
    assert patched(OLD, f"```diff\n{DIFF}```\n") == NEW


def test_wrong_counts_are_refused_or_overlooked():
    wrong = DIFF.replace("@@ -2,7 +2,8 @@", "@@ -2,9 +2,9 @@")
    assert "Line 3 of the diff says 9 lines before and 9 after" in refused(OLD, wrong)
    assert patched(OLD, wrong, validate_patch=False) == NEW


def test_empty_lines_without_their_space_are_lines():
    old, new = "a\n\nb\n", "a\n\nc\n"
    diff = diff_of(old, new).replace("\n \n", "\n\n")
    assert patched(old, diff) == new
    assert patched(old, diff + "\n\n", validate_patch=False) == new


@pytest.mark.parametrize(
    ("diff", "expected"),
    [
        ("", "no unified diff"),
        ("hello", "no unified diff"),
        ("5c5\n< a\n---\n> b\n", "Make it with `diff -u`"),
        ("***************\n*** 1 ****\n", "Make it with `diff -u`"),
        (diff_of(OLD, NEW, "a") + diff_of(OLD, NEW, "b"), "several files (a, b)"),
        ("@@ -1 +1 @@\n-a\n+b\n" * 3000, "more than 2,000 hunks"),
    ],
)
def test_what_is_no_diff_of_one_text_is_refused(diff, expected):
    assert expected in refused(OLD, diff)


def test_a_diff_that_was_applied_already_is_said():
    assert "It seems to be in the text already." in refused(NEW, DIFF)


# Files --------------------------------------------------------------------------------------------


def test_a_file_is_changed_and_kept_as_it_was(root):
    report = change(root)
    assert report == {
        "path": "a.txt",
        "applied": 2,
        "rejected": [],
        "moved": 0,
        "backup": "a.txt.orig",
    }
    assert ((root / "a.txt").read_text(), (root / "a.txt.orig").read_text()) == (NEW, OLD)


def test_where_the_old_file_goes_may_be_said(root):
    assert change(root, backup_dir="old/{{n}}")["backup"] == "old/a/a.txt.orig"
    assert "backup" not in change(root, apply_mode="reverse", backup=False)
    assert (root / "a.txt").read_text() == OLD


def test_a_dry_run_changes_nothing(root):
    report = change(root, apply_mode="dry-run")
    assert report["text"] == NEW
    assert [each.name for each in root.iterdir()] == ["a.txt"]
    assert (root / "a.txt").read_text() == OLD


def test_all_of_it_fits_or_nothing_is_changed(root):
    text = OLD.replace("line 15\n", "line fifteen\n")
    (root / "a.txt").write_text(text)
    with pytest.raises(NodeError, match="Hunk 2 of 2 does not fit"):
        change(root)
    assert (root / "a.txt").read_text() == text
    report = change(root, apply_mode="force", reject_file="rejected.diff")
    assert (report["applied"], report["rejected"], report["rejects"]) == (1, [2], "rejected.diff")
    assert "line five" in (root / "a.txt").read_text()
    rejected = (root / "rejected.diff").read_text()
    assert "line five" not in rejected
    assert apply(OLD, read_diff(rejected, strict=True)[0], 0).text == OLD.replace("line 15\n", "")


def test_what_force_leaves_out_is_told():
    ctx = FakeContext(services=services(), names={"d": DIFF})
    text = OLD.replace("line 15\n", "line fifteen\n")
    node = DiffPatch(diff="{{d}}", apply_mode="force")
    assert "line five" in asyncio.run(node.run(Inputs(default=text), ctx)).outputs["default"]
    assert ctx.progressed == ["1 hunks applied; these do not fit: 2"]


def test_a_file_may_be_made(root):
    diff = diff_of("", "a\nb\n", "new.txt")
    with pytest.raises(DipeoError, match="no file"):
        change(root, diff, target_path="new.txt")
    change(root, diff, target_path="new.txt", create_missing=True)
    change(root, diff.replace("a/new.txt", "/dev/null"), target_path="other.txt")
    for name in ("new.txt", "other.txt"):
        assert (root / name).read_text() == "a\nb\n"


def test_of_several_files_the_one_that_is_named_is_changed(root):
    change(root, diff_of("x\n", "y\n", "b.txt") + DIFF)
    assert (root / "a.txt").read_text() == NEW


@pytest.mark.parametrize(
    "path", ["../a.txt", "/etc/passwd", ".env", "link.txt", "sitecustomize.py", ""]
)
def test_no_file_outside_is_changed(root, path):
    (root / "link.txt").symlink_to(root / "a.txt")
    (root / "sitecustomize.py").write_text(OLD)
    with pytest.raises(DipeoError):
        change(root, target_path=path)
    with pytest.raises(DipeoError):
        change(root, backup_dir="..")
    assert (root / "a.txt").read_text() == (root / "sitecustomize.py").read_text() == OLD


def test_what_was_cut_short_behind_the_change_is_not_done_again(root):
    """The plan is in the journal, and the file is as it says; its change is not."""

    class Repeating(FakeContext):
        async def effect(self, request, work, policy=None, name=""):
            done = await super().effect(request, work, policy, name)
            return done if name else await super().effect(request, work, policy)

    ctx = Repeating(services=services(files=LocalFiles(root)))
    node = DiffPatch(target_path="a.txt", backup=False)
    report = asyncio.run(node.run(Inputs(default=DIFF), ctx)).outputs["default"]
    assert report["applied"] == 2
    assert (root / "a.txt").read_text() == NEW


@pytest.mark.parametrize(
    ("settings", "inputs", "expected"),
    [
        ({}, {"default": OLD}, "Which `diff`?"),
        ({"diff": DIFF}, {}, "no text to change"),
        ({"target_path": "a.txt"}, {}, "no diff"),
        ({"target_path": "a.txt"}, {"default": 3}, "no diff"),
    ],
)
def test_what_is_missing_is_said(root, settings, inputs, expected):
    ctx = FakeContext(services=services(files=LocalFiles(root)))
    with pytest.raises(NodeError, match=expected):
        asyncio.run(DiffPatch(**settings).run(Inputs(inputs), ctx))


@pytest.mark.parametrize("form", ["context", "ed", "normal"])
def test_other_formats_are_refused_with_what_to_do(form):
    with pytest.raises(ValidationError, match="make a unified one"):
        DiffPatch(format=form)
