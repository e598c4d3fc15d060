"""`dipeo doctor`: a table, JSON, and an exit code."""

from __future__ import annotations

import json


def test_a_table_says_what_was_found(dipeo):
    code, out, err = dipeo("doctor")

    assert (code, err) == (0, "")
    head, *rows = out.splitlines()
    assert head.split() == ["check", "verdict", "found"]
    assert any(row.startswith("ipykernel") and " ok " in row for row in rows)


def test_programs_get_json(dipeo):
    rows = json.loads(dipeo("doctor --json").out)

    assert all(set(row) == {"check", "verdict", "found", "mend"} for row in rows)
    assert "in this process" in next(row["found"] for row in rows if row["check"] == "mode")


def test_what_is_broken_is_in_the_exit_code(dipeo, monkeypatch):
    monkeypatch.setenv("DIPEO_MAX_ROUNDS", "none")
    code, out, _ = dipeo("doctor")

    assert code == 1
    assert "DIPEO_MAX_ROUNDS" in out
