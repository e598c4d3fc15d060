"""What is kept for the folders that runs go on in."""

from __future__ import annotations

import gc
import weakref

from dipeo_jupyter.app import MOST_PLACES, Folders
from dipeo_jupyter.settings import Settings


def test_a_folder_has_the_same_services_each_time(tmp_path):
    (tmp_path / "a").mkdir()
    folders = Folders(Settings(root=tmp_path))

    assert folders.at("a") is folders.at("a")
    assert folders.at("a") is not folders.at("")
    assert folders.at("a", {"OPENAI_API_KEY": "one"}) is not folders.at("a")


def test_keys_that_are_changed_again_and_again_do_not_fill_the_memory(tmp_path):
    folders = Folders(Settings(root=tmp_path))
    usual = folders.at("")
    let_go = weakref.ref(folders.at("", {"OPENAI_API_KEY": "key 0"}).tools)
    held = folders.at("", {"OPENAI_API_KEY": "key 1"})

    for number in range(2, MOST_PLACES + 5):
        folders.at("", {"OPENAI_API_KEY": f"key {number}"})
        assert folders.at("") is usual, "what is used is kept"
    gc.collect()

    assert let_go() is None
    assert folders.at("", {"OPENAI_API_KEY": "key 1"}) is not held, "a run keeps its own"
