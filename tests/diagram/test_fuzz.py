"""Whatever happens to a file, reading it gives a diagram and problems, and never anything else."""

import random
from pathlib import Path

import pytest

from dipeo_jupyter.diagram.files import survey_text
from dipeo_jupyter.diagram.source import Reading
from dipeo_jupyter.errors import DiagramError

FILES = sorted(path for path in (Path(__file__).parent / "diagrams").iterdir() if path.is_file())
TEXTS = [path.read_text(encoding="utf-8") for path in FILES]
TOKENS = ["{", "}", "[", "]", "- ", ": ", ":", "\t", "'", '"', "|", ">", "&a ", "*a", "<<: ", "!x "]
TOKENS += ["? ", "#", "%", "---\n", "\\U", "\r", "\x85", "\x00", "{{x}}", "->", " as ", "~", "\n"]
TOKENS += [
    "null",
    "1e999",
    "0x1",
    "true",
    "[]",
    "{}",
    '"',
    "@(1,2)",
    "_first",
    "[false]",
    "😀",
    ",",
]
ROUNDS, IN_EACH = 20, 100


def flipped(text, rnd):
    data = bytearray(text.encode())
    for _ in range(rnd.randint(1, 5)):
        data[rnd.randrange(len(data))] ^= 1 << rnd.randrange(8)
    return data.decode(errors="replace")


def without_a_part(text, rnd):
    start = rnd.randrange(len(text))
    return text[:start] + text[start + rnd.randint(1, 60) :]


def with_a_part_twice(text, rnd):
    start = rnd.randrange(len(text))
    return text[: start + rnd.randint(1, 200)] + text[start:]


def with_lines_swapped(text, rnd):
    lines = text.split("\n")
    i, j = rnd.randrange(len(lines)), rnd.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return "\n".join(lines)


def truncated(text, rnd):
    return text[: rnd.randrange(len(text))]


def spliced(text, rnd):
    other = rnd.choice(TEXTS)
    return text[: rnd.randrange(len(text))] + other[rnd.randrange(len(other)) :]


def with_a_token(text, rnd):
    at = rnd.randrange(len(text))
    return text[:at] + rnd.choice(TOKENS) + text[at:]


def with_another_value(text, rnd):
    lines = text.split("\n")
    at = rnd.randrange(len(lines))
    key, colon, _ = lines[at].partition(":")
    lines[at] = f"{key}{colon} {rnd.choice(TOKENS)}"
    return "\n".join(lines)


CHANGES = [flipped, without_a_part, with_a_part_twice, with_lines_swapped, truncated, spliced]
CHANGES += [with_a_token, with_another_value]


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_spoiled_file_gives_a_reading_and_its_problems(seed):
    rnd = random.Random(seed)
    for _ in range(IN_EACH):
        number = rnd.randrange(len(TEXTS))
        text = TEXTS[number]
        for change in rnd.choices(CHANGES, k=rnd.randint(1, 3)):
            text = change(text, rnd) or " "
        reading = survey_text(text, FILES[number].name)
        assert isinstance(reading, Reading)
        if reading.errors:
            with pytest.raises(DiagramError):
                reading.checked()
        else:
            assert reading.checked() is reading
