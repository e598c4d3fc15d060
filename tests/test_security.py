"""SECURITY.md against the tests: its figures are theirs."""

from tests import security_measured, security_tables


def test_the_tables_are_those_of_the_tests():
    text = security_tables.FILE.read_text(encoding="utf-8")

    assert security_tables.written(text) == text, "run `python -m tests.security_tables`"


def test_what_was_measured_is_all_that_is_tried_now():
    """Where it was measured: a machine that has less walls than that one is no reason to fail."""
    kept = security_measured.kept()
    passed = {
        (name, language): number
        for name, walls in kept.walls.items()
        for language, number in walls.passed.items()
    }

    assert passed == security_measured.attacks(), "run `python -m tests.security_measured`"
    assert [each.trouble for each in kept.walls.values()] == [None] * len(kept.walls)
