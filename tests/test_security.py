"""SECURITY.md against the tests: its figures are theirs."""

from tests import security_tables


def test_the_tables_are_those_of_the_tests():
    text = security_tables.FILE.read_text(encoding="utf-8")

    assert security_tables.written(text) == text, "run `python -m tests.security_tables`"
