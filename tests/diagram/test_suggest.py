"""The nearest right name, however many or long the names are."""

import time

from dipeo_jupyter.diagram.suggest import did_you_mean, nearest


def test_the_likest_name_is_found_whatever_its_case():
    assert nearest("PROMT", ["person", "prompt", "label"]) == "prompt"
    assert nearest("prompt", ["PROMPT", "prompts"]) == "PROMPT"


def test_a_name_that_is_like_none_has_no_nearest():
    assert nearest("xyz", ["person", "prompt"]) is None
    assert nearest("promt", ["prompt"], likeness=0.95) is None


def test_the_likest_of_many_alike_is_found():
    names = [f"node number {i}" for i in range(400)]
    assert nearest("node numbr 377", names) == "node number 377"


def test_of_few_names_all_are_listed_when_none_is_near():
    assert did_you_mean("xyz", ["a", "b"]) == "There is 'a', 'b'."
    assert did_you_mean("xyz", [f"name {i}" for i in range(9)]) is None


def test_looking_for_a_name_is_never_slow():
    alike = [f"node number {i}" for i in range(10_000)]
    start = time.perf_counter()
    for name in ("node numbr 9", "ab" * 5_000, "node numbr"):
        did_you_mean(name, alike)
        did_you_mean(name, ["ab" * 5_000 + str(i) for i in range(300)])
    assert time.perf_counter() - start < 1
