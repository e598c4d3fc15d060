"""Templates: what they write, what they refuse, and that a value is never read as a template."""

from __future__ import annotations

import copy
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.template import check, names_in, render
from dipeo_jupyter.errors import TemplateError

NAMES = {
    "topic": "tea",
    "score": 4,
    "price": 1.5,
    "yes": True,
    "none": None,
    "user": {"name": "Ann", "odd key": 7, "none": None, "sure?": "very"},
    "items": [3, 1, 2],
    "rows": [{"k": "a", "in": ["p", "q"]}, {"k": "b", "in": []}],
    "empty": [],
    "story": "one\ntwo\n",
    "Ask User": "hi",
    "done?": "D",
    "v1.2": "dotted",
    "Step [x]": "bracket",
    "don't-stop_me~1": "odd",
    "größe": "XL",
}
QUICK = settings(max_examples=300)


def complaint(template: str, names: Mapping[str, object] = NAMES) -> str:
    with pytest.raises(TemplateError) as caught:
        render(template, names)
    return str(caught.value)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("no braces at all", "no braces at all"),
        ("{{topic}} and {{ topic }}", "tea and tea"),
        ("{{user.name}}{{rows[1].k}}{{rows.0.in[-1]}}", "Annbq"),
        ("{{user[\"odd key\"]}} {{user['odd key']}}", "7 7"),
        ("{{topic[:2]}} {{topic[1:]}}", "te ea"),
        ("{{Ask User}} {{done?}} {{größe}} {{don't-stop_me~1}}", "hi D XL odd"),
        ("{{v1.2}} {{Step [x]}}", "dotted bracket"),
        ("{{user.sure?}}", "very"),
        ("{{score}} {{price}} {{yes}} [{{none}}]", "4 1.5 true []"),
        ("{topic} ${topic} $(topic) {0} %s }} {", "{topic} ${topic} $(topic) {0} %s }} {"),
        ("a{{! remark }}b{{!-- {{topic}} --}}c", "abc"),
        (r"\{{topic}} \\{{topic}} C:\dir", r"{{topic}} \tea C:\dir"),
        ('{"a": {{score}}} {{{score}}}', '{"a": 4} {4}'),
        ("{{\n topic\n}}", "tea"),
    ],
)
def test_a_path_is_replaced_by_its_value(template, text):
    assert render(template, NAMES) == text


def test_lists_and_objects_are_written_as_json():
    names = {"it": {"ä": [1, None, True], "e": {}}}
    assert render("{{it}}", names) == '{\n  "ä": [\n    1,\n    null,\n    true\n  ],\n  "e": {}\n}'
    assert render("{{it | json}}", names) == '{"ä": [1, null, true], "e": {}}'
    assert render("{{it.ä[:2]}}", names) == json.dumps([1, None], indent=2)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{nope?}}|{{user.nope?}}|{{items[9]?}}|{{user.none.x?}}|{{ nope ? }}", "||||"),
        ("{{topic?}} {{user.name?}} {{items[0]?}}", "tea Ann 3"),
        ("{{nope? | upper}}|{{nope? | length}}", "|"),
        ("{{nope | default('x')}} {{none | default(3)}} {{topic | default('x')}}", "x 3 tea"),
        ("{{nope | upper | default('x') | upper}}", "X"),
        ("{{nope? | default('a|}}b')}}", "a|}}b"),
        ("{{#if nope?}}a{{else}}b{{/if}}{{#each nope?}}a{{else}}b{{/each}}", "bb"),
    ],
)
def test_a_question_mark_or_default_allows_absence(template, text):
    assert render(template, NAMES) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{topic | upper}} {{ topic|upper|lower }}", "TEA tea"),
        ("[{{story | trim}}]", "[one\ntwo]"),
        ("{{story | lines | last}} {{story | lines | length}}", "two 2"),
        ("{{items | first}} {{items | last}} {{topic | first}} [{{empty | first}}]", "3 2 t []"),
        ("{{items | length}} {{topic | length}} {{user | length}}", "3 3 4"),
        ("{{items | join}} {{items | join(' - ')}}", "3, 1, 2 3 - 1 - 2"),
        (r"{{items | join('\n')}} {{items | join('\'\"\\')}}", "3\n1\n2 3'\"\\1'\"\\2"),
        ("{{topic | truncate(2)}} {{topic | truncate(3)}} {{score | truncate(9)}}", "t… tea 4"),
        ("{{story | json}} {{none | json}}", '"one\\ntwo\\n" null'),
        ("{{empty | first | default('none')}}", "none"),
    ],
)
def test_filters_change_a_value_one_after_another(template, text):
    assert render(template, NAMES) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{#if score}}a{{else}}b{{/if}}{{#if empty}}a{{else}}b{{/if}}", "ab"),
        ("{{#unless none}}a{{/unless}}{{#unless score}}a{{else}}b{{/unless}}", "ab"),
        ("{{#if none}}a{{else if empty}}b{{else if score}}c{{else}}d{{/if}}!", "c!"),
        ("{{#if none}}a{{else if empty}}b{{else}}d{{/if}}!", "d!"),
        ("{{# if user.name }}{{#if none}}x{{else}}y{{/if}}{{/ if }}", "y"),
        ("{{#if\n  items | length}}some{{/if}}", "some"),
        ("{{#each items}}{{this}},{{/each}}", "3,1,2,"),
        ("{{#each rows}}{{@index}}{{this.k}}{{@first}} {{/each}}", "0atrue 1bfalse "),
        ("{{#each rows}}{{#each this.in}}{{this}}{{else}}-{{/each}}{{this.k}}{{/each}}", "pqa-b"),
        ("{{#each user}}{{@key}}={{this}};{{/each}}", "name=Ann;odd key=7;none=;sure?=very;"),
        ("{{#each items}}{{@key}}{{topic}} {{/each}}", "0tea 1tea 2tea "),
        ("{{#each empty}}a{{else}}b{{/each}}{{#each none}}a{{/each}}", "b"),
        ("{{#each items}}{{#if @last}}and {{/if}}{{this}} {{/each}}", "3 1 and 2 "),
        ("{{#each items}}{{! nothing }}{{/each}}", ""),
    ],
)
def test_blocks_choose_and_repeat_their_content(template, text):
    assert render(template, NAMES) == text


def test_keys_of_this_are_not_spread():
    names = {"rows": [{"k": 1}], "k": "outer"}
    assert render("{{#each rows}}{{k}}{{this.k}}{{/each}}", names) == "outer1"
    assert "Write `{{this.q}}`" in complaint("{{#each r}}{{q}}{{/each}}", {"r": [{"q": 1}]})


def test_inside_a_loop_this_hides_a_name():
    assert render("{{this}}{{#each xs}}{{this}}{{/each}}", {"this": "o", "xs": ["i"]}) == "oi"


def test_a_whole_name_wins_over_a_path():
    names = {"a.b": "whole", "a": {"b": "part"}, "a?": "asked"}
    assert render('{{a.b}} {{a?}} {{a["b"]}}', names) == "whole asked part"


def test_only_the_names_that_are_used_are_looked_up():
    class Lazy(Mapping[str, str]):
        def __getitem__(self, key: str) -> str:
            return {"a": "A"}[key]

        def __iter__(self) -> Iterator[str]:
            raise AssertionError

        def __len__(self) -> int:
            raise AssertionError

    assert render("{{a}}{{b?}}{{#if a}}{{else}}{{c}}{{/if}}", Lazy()) == "A"


HOSTILE_VALUES = [
    "{{topic}}",
    "{{#each items}}{{this}}{{/each}}",
    "{{/if}}",
    "{{",
    "}}",
    "\\{{topic}}",
    "{{! remark",
    "${topic} $(id) `id` {0.__class__} %s {topic}",
    "{% for x in y %}{% endfor %}",
    "{{ ''.__class__ }}",
]


@pytest.mark.parametrize("value", HOSTILE_VALUES)
@pytest.mark.parametrize(
    "template",
    ["{{it}}", "{{#each xs}}{{this}}{{/each}}", "{{xs[0]}}", "{{no | default('')}}{{it | trim}}"],
)
def test_what_was_put_in_is_never_rendered_again(value, template):
    text = value
    for _ in range(3):
        text = render(template, {"it": text, "xs": [text], "topic": "SECRET", "items": [1]})
    assert text == value


@pytest.mark.parametrize("opening", ["{", "{{", "\\"])
def test_two_values_never_make_a_tag_together(opening):
    names = {"a": opening, "b": "{{topic}}", "topic": "SECRET"}
    assert render("{{a}}{{b}}", names) == opening + "{{topic}}"


@pytest.mark.parametrize(
    ("template", "part"),
    [
        ("{{topc}}", "`topc` is not known here. Did you mean 'topic'?"),
        ("{{nothing like it}}", "Write `{{nothing like it?}}` if it may be missing"),
        ("{{user.nmae}}", "`user` has no 'nmae'. Did you mean 'name'?"),
        ("{{user.name.first}}", "`user.name` is text and has no 'first'."),
        ("{{user.none.x}}", "`user.none` is nothing (None) and has no 'x'."),
        ("{{rows[0].in[5]}}", "`rows[0].in` has 2 items, so there is none at 5."),
        ("{{score[1:]}}", "is a number and has no slices"),
        ("{{items.length}}", "Write `{{items | length}}`."),
        ("{{#if quite absent}}{{/if}}", "Write `{{quite absent?}}`"),
        ("{{this}}", "inside `{{#each}}` alone"),
        ("{{topic | uper}}", "Did you mean 'upper'?"),
        ("{{topic | truncate}}", "`truncate(200)`"),
        ("{{topic | truncate('x')}}", "cannot take this value"),
        ("{{topic | upper(1)}}", "cannot take this value"),
        ("{{topic | default}}", '`default("text")`'),
        ("{{topic | }}", "cannot be read after `|`"),
        ("{{topic | upper lower}}", "cannot be read after `|`"),
        ("{{score | first}}", "`first` needs a list, not a number."),
        ("{{score | length}}", "`length` needs text, a list or an object, not a number."),
        ("{{topic | join}}", "`join` needs a list, not text."),
        ("{{#each topic}}{{/each}}", "goes over a list or an object, not text"),
        ("{{#eahc items}}{{/eahc}}", "Did you mean 'each'?"),
        ("{{#if}}{{/if}}", "names nothing"),
        ("{{}}", "names nothing"),
        ("{{ | upper}}", "names nothing"),
        ("{{#if topic}}", "`{{#if topic}}` is never closed."),
        ("{{#if none}}{{else if topic}}", "is never closed"),
        ("{{#if topic}}{{/each}}", "`{{/each}}` where `{{/if}}` is due."),
        ("{{/if}}", "closes nothing"),
        ("{{else}}", "belongs to no block"),
        ("{{#if topic}}{{else}}{{else}}{{/if}}", "belongs to no block"),
        ("{{topic", "never closed. Write `\\{{` for two braces."),
        ("{{! remark", "never closed by `}}`"),
        ("{{!-- remark }}", "never closed by `--}}`"),
        ("{{items[a]}}", "cannot be read at `[a]`"),
        ("{{items[a]?}}", "cannot be read at `[a]`"),
        ("{{.x}}", "does not begin with a name"),
    ],
)
def test_a_mistake_is_explained_in_words(template, part):
    assert part in complaint(template)


def test_a_name_that_nothing_gives_says_who_could_give_it():
    with pytest.raises(TemplateError, match=r"Give it to the run, or .* There is 'start'\."):
        render("{{topic}}", {"start": {}})


@pytest.mark.parametrize(
    ("template", "line", "column"),
    [
        ("{{nope}}", 1, 1),
        ("äöü {{topic}}\n  {{nope}}", 2, 3),
        ("a\n{{#each items}}\n b {{nope}}{{/each}}", 3, 4),
        ("a\n {{#each score}}{{/each}}", 2, 2),
        ("\n\n{{#if topic}}\n", 3, 1),
        ("\n{{#if topic}}\n  {{/each}}", 3, 3),
        ("{{topic}}\n{{topic", 2, 1),
        ("{{topic}}\n{{{topic", 2, 2),
        ("{{topic}}\n {{! x", 2, 2),
        ("{{topic}}\n {{topic | nope}}", 2, 2),
    ],
)
def test_an_error_knows_its_line_and_column(template, line, column):
    with pytest.raises(TemplateError) as caught:
        render(template, NAMES)
    assert (caught.value.line, caught.value.column) == (line, column)


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("{{a}} {{b.c[0]}} {{Ask User | upper}}", {"a", "b", "Ask User"}),
        ("{{a?}} {{b | default('x')}} {{c.d?}}", set()),
        ("{{#if a}}{{b}}{{else}}{{c}}{{/if}}", {"a", "b", "c"}),
        ("{{#each xs}}{{this.k}}{{@index}}{{@key}}{{y}}{{else}}{{z}}{{/each}}", {"xs", "y", "z"}),
        ("{{#each xs}}{{/each}}{{this}}", {"xs", "this"}),
        ("{{#if a?}}{{a.b}}{{else}}{{c}}{{/if}}", {"c"}),
        ("{{#unless a?}}{{a}}{{/unless}}", {"a"}),
        ("{{! a }} \\{{b}} {c} ${d}", set()),
        ("{{done?.score}}", {"done?"}),
    ],
)
def test_names_in_gives_the_names_a_template_needs(template, names):
    assert names_in(template) == names


def test_check_needs_no_values_but_knows_the_grammar():
    check("{{missing.key[0] | upper}}{{#each xs}}{{this}}{{/each}}")
    for wrong in (
        "{{x",
        "{{#if x}}",
        "{{x | nope}}",
        "a\n{{items[a]}}",
        "{{#if x}}{{x[b]}}{{/if}}",
    ):
        with pytest.raises(TemplateError) as caught:
            check(wrong)
        assert caught.value.line == 1 + wrong.count("\n")


ATTACKS = """\
{{topic.__class__}}
{{topic.__class__.__mro__[1].__subclasses__}}
{{user.__class__.__init__.__globals__}}
{{user.items}}
{{user.keys()}}
{{user.pop('name')}}
{{items.append(4)}}
{{items.sort}}
{{score.real}}
{{''.__class__}}
{{[].__class__}}
{{().__class__}}
{{"x" * 1000000000}}
{{9**9**9}}
{{7*7}}
{{topic + topic}}
{{range(1000000000)}}
{{lipsum.__globals__}}
{{cycler.__init__.__globals__.os.popen('id')}}
{{self.__init__}}
{{config}}
{{request.application}}
{{import os}}
{{open('/etc/passwd').read()}}
{{@root}}
{{../topic}}
{{constructor.constructor('return process')()}}
{{user.constructor}}
{{user.__proto__}}
{{lookup user "name"}}
{{#with user}}{{name}}{{/with}}
{{> partial}}
{{& topic}}
{{#if score > 3}}yes{{/if}}
{{topic | attr('__class__')}}
{{topic | format(1)}}
{{topic | map(attribute='x')}}
{{topic | eval}}
{{items | join(topic)}}
{{items[topic]}}
{{items["__len__"]}}
{{user[__class__]}}
{{topic | truncate(99999999999)}}
{{items[99999999999999]}}
{{secrets.key}}
{{env.HOME}}
{{__builtins__}}
{{names}}
{{_names}}
"""


@pytest.mark.parametrize("template", ATTACKS.splitlines())
def test_attacks_end_in_an_error_and_change_nothing(template):
    names = copy.deepcopy(NAMES)
    complaint(template, names)
    assert names == NAMES


@pytest.mark.parametrize(
    "template", ["{% for i in x %}", "<%= 1 %>", "#{1}", "${{1}", "{0.__class__}"]
)
def test_tags_of_other_languages_are_plain_text(template):
    if "{{" in template:
        complaint(template)
    else:
        assert render(template, NAMES) == template


def test_python_objects_are_refused_by_name():
    class Thing:
        secret = 1

    names = {"it": Thing(), "box": [Thing()]}
    assert "is a Python Thing, not a JSON value" in complaint("{{it}}", names)
    for template in (
        "{{it.secret}}",
        "{{box}}",
        "{{box[0]}}",
        "{{#if it}}{{/if}}",
        "{{box | json}}",
    ):
        complaint(template, names)


def deep(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value, 1]
    return value


def doubled(depth: int) -> list[object]:
    value: list[object] = [1]
    for _ in range(depth):
        value = [value, value]
    return value


ROUND: list[object] = []
ROUND.append(ROUND)
BOMB_NAMES = {
    "many": list(range(10_000)),
    "long": "x" * 1_000_000,
    "newlines": "\n" * 1_000_000,
    "rows": list(range(300_000)),
    "deep": deep(900),
    "deeper": deep(20_000),
    "dag": doubled(60),
    "round": ROUND,
    "huge": 10**5000,
}
BOMBS = [
    "{{#each many}}{{#each many}}{{/each}}{{/each}}",
    "{{#each many}}{{#each many}}x{{/each}}{{/each}}",
    "{{#each many}}{{#each many}}{{#each many}}{{this}}{{/each}}{{/each}}{{/each}}",
    "{{#each many}}{{long}}{{/each}}",
    "{{#each many}}{{#if long | upper | lower}}{{/if}}{{/each}}",
    "{{#each many}}{{#if newlines | lines}}{{/if}}{{/each}}",
    "{{#each many}}{{#if rows | json | truncate(1)}}{{/if}}{{/each}}",
    "{{#each many}}{{#if rows[:30000] | truncate(1)}}{{/if}}{{/each}}",
    "{{#each many}}{{#if rows[:]}}{{/if}}{{/each}}",
    "{{#each many}}{{#if rows | join}}{{/if}}{{/each}}",
    "{{many | join('" + "x" * 1000 + "')}}",
    "{{long}}{{long}}{{long}}",
    "{{long}}" * 4000,
    "{{rows}}",
    "{{deep}}",
    "{{deeper}}",
    "{{deeper | json}}",
    "{{dag}}",
    "{{dag | json}}",
    "{{dag | join}}",
    "{{round}}",
    "{{round | json}}",
    "{{huge}}",
    "x" * 2_000_000 + "{{many}}",
]


@pytest.mark.parametrize("template", BOMBS, ids=lambda text: text[:50])
def test_bombs_end_soon_with_an_error(template):
    began = time.process_time()
    complaint(template, BOMB_NAMES)
    assert time.process_time() - began < 3


PARSER_BOMBS = [
    "{{" * 400_000,
    "{{ " * 300_000,
    "{" * 999_999,
    "{{a}}" * 190_000,
    '{{["' * 200_000,
    '{{["}}' * 160_000,
    "{{!--" * 200_000,
    "{{!-- }}" * 120_000,
    "{{#if a}}" * 100_000,
    "{{#if a}}" + "{{else if a}}" * 70_000,
    "{{a" + "|upper" * 100_000 + "}}",
    "{{a" + ".b" * 300_000 + "}}",
    "{{a" + "[0]" * 300_000 + "}}",
    "{{a" + "[" * 900_000 + "}}",
    "{{a" + '["' + '\\"' * 400_000 + "}}",
    "{{a" + " " * 900_000 + "}}",
    "\\" * 999_000 + "{{",
    "x" * 1_000_001,
]


@pytest.mark.parametrize("template", PARSER_BOMBS, ids=lambda text: text[:20])
def test_texts_made_for_the_parser_are_refused_soon(template):
    began = time.process_time()
    complaint(template, {})
    assert time.process_time() - began < 2


def test_a_large_text_goes_through_untouched():
    text = "x{{topic}}" * 150_000
    assert render("{{text}}", {"text": text}) == text


@QUICK
@given(st.text(max_size=60) | st.text("{}#/|!\\.[]()\"'? \nabeifls@this0", max_size=60))
def test_arbitrary_templates_give_text_or_template_errors(template):
    names = copy.deepcopy(NAMES)
    with suppress(TemplateError):
        names_in(template)
        assert isinstance(render(template, names), str)
    assert names == NAMES


TAGS = """\
{{topic}} {{#if score}} {{#each rows}} {{#each items}} {{#unless none}} {{else}} {{else if none}}
{{/if}} {{/each}} {{/unless}} {{this}} {{@index}} {{nope?}} {{items|join}} {{! }} \\{{ { } text
"""
PIECES = st.sampled_from(re.findall(r"\{\{[^}]+\}\}|\S+", TAGS))


@QUICK
@given(st.lists(PIECES, max_size=12))
def test_any_order_of_tags_gives_text_or_errors(pieces):
    with suppress(TemplateError):
        assert isinstance(render(" ".join(pieces), NAMES), str)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@QUICK
@given(JSON_VALUES)
def test_json_values_survive_the_way_through_text(value):
    assert json.loads(render("{{it | json}}", {"it": value})) == value
    if isinstance(value, dict | list):
        assert json.loads(render("{{it}}", {"it": value})) == value


@QUICK
@given(st.text())
def test_a_text_is_put_in_byte_by_byte(text):
    assert render("<{{it}}>{{#each xs}}{{this}}{{/each}}", {"it": text, "xs": [text]}) == (
        f"<{text}>{text}"
    )
