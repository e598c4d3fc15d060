"""Markdown becomes blocks of Notion."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from dipeo_jupyter.errors import ServiceError
from dipeo_jupyter.services.notion.blocks import fitted_blocks, portions
from dipeo_jupyter.services.notion.markdown import blocks_of
from tests.notion_server import check_blocks


def shown(blocks: list[dict[str, Any]]) -> list[Any]:
    """Types and texts, with what stands below."""
    found: list[Any] = []
    for block in blocks:
        kind = block["type"]
        text = "".join(each["text"]["content"] for each in block[kind].get("rich_text", []))
        below = block[kind].get("children")
        found.append((kind, text, shown(below)) if below else (kind, text))
    return found


@pytest.mark.parametrize(
    ("text", "blocks"),
    [
        ("one\ntwo\n\nthree", [("paragraph", "one\ntwo"), ("paragraph", "three")]),
        ("# a\n## b\n##### c", [("heading_1", "a"), ("heading_2", "b"), ("heading_3", "c")]),
        ("- a\n- b", [("bulleted_list_item", "a"), ("bulleted_list_item", "b")]),
        ("1. a\n2. b", [("numbered_list_item", "a"), ("numbered_list_item", "b")]),
        ("- [ ] a\n- [x] b", [("to_do", "a"), ("to_do", "b")]),
        ("> a\n>\n> b", [("quote", "a", [("paragraph", "b")])]),
        ("---", [("divider", "")]),
        ("    code\n", [("code", "code")]),
        ("<b>x</b>", [("paragraph", "<b>x</b>")]),
        ("", []),
        (
            "- a\n  - b\n    1. c\n\n  p",
            [
                (
                    "bulleted_list_item",
                    "a",
                    [
                        ("bulleted_list_item", "b", [("numbered_list_item", "c")]),
                        ("paragraph", "p"),
                    ],
                )
            ],
        ),
    ],
)
def test_each_part_of_a_text_has_its_block(text: str, blocks: list[Any]) -> None:
    assert shown(blocks_of(text)) == blocks


def test_a_task_knows_whether_it_is_done() -> None:
    assert [each["to_do"]["checked"] for each in blocks_of("- [ ] a\n- [X] b")] == [False, True]


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("python", "python"),
        ("py", "python"),
        ("C++ x", "c++"),
        ("brainfuck", "plain text"),
        ("", "plain text"),
    ],
)
def test_code_has_a_language_that_notion_knows(written: str, language: str) -> None:
    (block,) = blocks_of(f"```{written}\na = 1\n\nb\n```")
    assert block["code"]["language"] == language
    assert block["code"]["rich_text"][0]["text"]["content"] == "a = 1\n\nb"


def test_looks_and_links_are_those_of_the_text() -> None:
    (block,) = blocks_of("a **b *c*** `d` ~~e~~ [f *g*](https://e.org)")
    found = [
        (each["text"]["content"], sorted(each.get("annotations", ())), "link" in each["text"])
        for each in block["paragraph"]["rich_text"]
    ]
    assert found == [
        ("a ", [], False),
        ("b ", ["bold"], False),
        ("c", ["bold", "italic"], False),
        (" ", [], False),
        ("d", ["code"], False),
        (" ", [], False),
        ("e", ["strikethrough"], False),
        (" ", [], False),
        ("f ", [], True),
        ("g", ["italic"], True),
    ]


@pytest.mark.parametrize("address", ["chapter/2.md", "#top", "javascript:alert(1)"])
def test_a_link_that_notion_refuses_is_its_text(address: str) -> None:
    (block,) = blocks_of(f"see [here]({address})")
    assert "link" not in str(block)
    assert "see " in str(block)
    assert "here" in str(block)


def test_a_table_has_its_rows_below() -> None:
    (block,) = blocks_of("|a|b|\n|-|-|\n|1|*2*|")
    rows = block["table"]["children"]
    assert (block["table"]["table_width"], block["table"]["has_column_header"]) == (2, True)
    cells = [[cell[0]["text"]["content"] for cell in row["table_row"]["cells"]] for row in rows]
    assert cells == [["a", "b"], ["1", "2"]]


def test_a_picture_stands_on_its_own() -> None:
    text, picture = blocks_of("before ![a cat](https://e.org/cat.png)")
    assert text["paragraph"]["rich_text"][0]["text"]["content"] == "before "
    assert picture["image"]["external"] == {"url": "https://e.org/cat.png"}


def test_a_picture_from_elsewhere_is_its_words() -> None:
    assert shown(blocks_of("![a cat](cat.png)")) == [("paragraph", "a cat")]


def test_a_long_text_is_one_that_notion_takes() -> None:
    text = "\n\n".join(
        f"## {n}\n\n{'word ' * 900}\n\n- a\n  - b\n    - c\n      - d" for n in range(80)
    )
    for portion in portions(fitted_blocks(blocks_of(text))):
        check_blocks({"children": portion.blocks})


def test_without_the_reader_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "markdown_it", None)
    with pytest.raises(ServiceError, match=r"pip install 'dipeo_jupyter\[notion\]'"):
        blocks_of("x")
