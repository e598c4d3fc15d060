"""Files that are the old one or the new one at any moment."""

from __future__ import annotations

import os

import pytest

from dipeo_jupyter.atomic import write_file

posix = pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")


@pytest.fixture
def file(tmp_path):
    return tmp_path / "kept.json"


def test_the_new_content_takes_the_place_of_the_old_and_no_draft_is_left(file):
    file.write_text("old and longer")

    write_file(file, b"new\r\n")

    assert file.read_bytes() == b"new\r\n"
    assert list(file.parent.iterdir()) == [file]


def test_what_cannot_take_the_place_leaves_all_as_it_was(file):
    file.mkdir()

    with pytest.raises(OSError, match="irectory"):
        write_file(file, b"new")

    assert list(file.parent.iterdir()) == [file]


@posix
def test_a_file_keeps_the_permissions_that_it_had(file):
    file.touch(mode=0o640)

    write_file(file, b"new")

    assert file.stat().st_mode & 0o777 == 0o640


@posix
def test_a_private_file_is_closed_to_others_whatever_it_was(file):
    file.touch(mode=0o644)

    write_file(file, b"new", private=True)

    assert file.stat().st_mode & 0o777 == 0o600
