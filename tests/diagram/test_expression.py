"""Conditions: what they can say, what they refuse, and that nothing gets out or grows."""

from __future__ import annotations

import copy
import re
import time
import tracemalloc
from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dipeo_jupyter.diagram.expression import check, evaluate, names_in
from dipeo_jupyter.errors import ExpressionError

NAMES = {
    "a": 3,
    "z": 0,
    "f": 1.5,
    "text": "Hello",
    "items": [3, 1, 2],
    "words": ["b", "a"],
    "user": {"name": "Ann", "tags": ["x"], "deep": {"n": [1, 2]}},
    "none": None,
    "flag": True,
    "big": "x" * 60_000,
    "many": list(range(6_000)),
}
PLAIN = {
    "len": len, "min": min, "max": max, "any": any, "all": all, "sum": sum, "abs": abs,
    "round": round, "int": int, "float": float, "str": str, "bool": bool, "sorted": sorted,
    "lower": str.lower, "upper": str.upper, "strip": str.strip,
    "startswith": str.startswith, "endswith": str.endswith,
    "contains": lambda whole, wanted: wanted in whole,
    "true": True, "false": False, "null": None,
}  # fmt: skip
QUICK = settings(max_examples=300)


def iterations(label: str) -> int:
    return {"argue": 2}[label]


def complaint(text: str, names: Mapping[str, object] = NAMES) -> str:
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, names, {"iterations": iterations})
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a > 2 and 'ell' in text", True),
        ("not flag or none is None", True),
        ("none is not None", False),
        ("1 < a <= 3 != 4", True),
        ("a not in items", False),
        ("'name' in user", True),
        ("-a + 2 * (f - 0.5) / 2 // 1 % 2", -2.0),
        ("'Hel' + 'lo' == text", True),
        ("[1] + [2, 3]", [1, 2, 3]),
        ("text if flag else none", "Hello"),
        ("items[0] + items[-1]", 5),
        ("text[1:3] + text[::-1]", "elolleH"),
        ("user.deep.n[1] == user['deep']['n'][1]", True),
        ("{'k': 1, 2: [None, (1, 2)]}", {"k": 1, 2: [None, (1, 2)]}),
        ("none or 'default'", "default"),
        ("z and missing", 0),
        ("\n  a >\n  2  # more\n", True),
        ("iterations('argue') >= 2", True),
        ("'a' 'b'", "ab"),
        ("'e'in text and(a)", 3),
        ("'e' in'Hello'", True),
        ('"""two\nlines"""', "two\nlines"),
    ],
)
def test_expressions_mean_what_they_mean_in_python(text, value):
    assert evaluate(text, NAMES, {"iterations": iterations}) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("len(text) + len(items) + len(user)", 11),
        ("min(items) + max(4, 9)", 10),
        ("any([z, flag]) and all([])", True),
        ("sum(items) + abs(-1)", 7),
        ("round(f) + round(1.26, 1)", 3.3),
        ("int('12') + float('0.5') + int(2.9)", 14.5),
        ("str(a) + str(items) + str(none)", "3[3, 1, 2]None"),
        ("bool(words) and bool(z) is False", True),
        ("sorted(words)", ["a", "b"]),
        ("lower(text) + upper(text) + strip(' x ')", "helloHELLOx"),
        ("contains(text, 'ell') and contains(items, 3) and contains(user, 'name')", True),
        ("startswith(text, 'He') and endswith(text, 'lo')", True),
        ("matches(text, 'H?l*') and matches('a\\nb', '*b') and matches('b', '[ab]')", True),
        ("matches(text, 'ell') or matches(text, 'h*')", False),
    ],
)
def test_each_built_in_function_does_its_work(text, value):
    assert evaluate(text, NAMES) == value


def test_json_words_are_known_until_a_name_hides_them():
    assert evaluate("[true, false, null]", {}) == [True, False, None]
    assert evaluate("true", {"true": "mine"}) == "mine"


def test_only_the_names_that_are_used_are_looked_up():
    class Lazy(Mapping[str, int]):
        def __getitem__(self, key: str) -> int:
            return {"a": 1}[key]

        def __iter__(self) -> Iterator[str]:
            raise AssertionError

        def __len__(self) -> int:
            raise AssertionError

    assert evaluate("a == 1 or b", Lazy()) is True


def test_large_values_of_others_may_be_read():
    names = {"report": "x" * 500_000 + "DONE", "rows": [0] * 500_000}
    assert evaluate("'DONE' in report and len(rows) > 10000 and rows[-1] == 0", names)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("a && flag", "Write `and`."),
        ("a || flag", "Write `or`."),
        ("a === 3", "Write `==`."),
        ("a !== 3", "Write `!=`."),
        ("!flag", "Write `not`."),
        ("a = 3", "Write `==`"),
        ("a AND flag", "Write `and`."),
        ("{{a}}", "without braces"),
        ("${a}", "without `$`"),
        ("“a”", "plain quotes"),
        ("user.get('name')", "Write `user['name']`."),
        ("text.lower()", "Write `lower(text)`."),
        ("text.startsWith('H')", "Write `startswith(text, 'H')`."),
        ("items.length", "Write `len(items)`."),
        ("items.append(4)", "there is no `.append()`"),
        ("aa > 3", "Did you mean 'a'?"),
        ("user.nmae", "`user` has no 'nmae'. Did you mean 'name'?"),
        ("user['deep']['m']", "`user['deep']` has no 'm'. There is 'n'."),
        ("items[3]", "`items` has 3 items, so there is none at 3."),
        ("text.size", "`text` is text and has no 'size'."),
        ("lenn(text)", "Did you mean 'len'?"),
        ("len > 3", "write `len(…)`"),
        ("frobnicate(1)", "There are abs, all,"),
        ("len(text, text)", "len() takes 1 value, not 2."),
        ("min()", "at least 1 value"),
        ("round(1, 2, 3)", "1 or 2 values"),
        ("'3' > 2", "`>` cannot compare text with a number. Write float(x)"),
        ("none < 3", "cannot compare nothing (None) with a number"),
        ("'a' + 1", "Write str(x) around the number."),
        ("'a' * 3", "`*` cannot take text and a number."),
        ("a / z", "divided by zero"),
        ("int('many')", "no number"),
        ("lower(3)", "lower() needs text, not a number."),
        ("max([])", "max() of an empty list"),
        ("sorted([1, 'a'])", "numbers only, or texts only"),
        ("text is 'Hello'", "Write `==`."),
        ("iterations('nobody')", "iterations() cannot answer"),
        ("iterations()", "iterations() cannot answer"),
        ("'\\d'", "written twice"),
        ("user.class", 'x["class"]'),
        ("", "empty"),
        ("# only a remark", "empty"),
        ("(a", "`(` is never closed."),
        ("a]", "`]` closes nothing."),
        ("'a", "never closed"),
        ("a >", "at its end"),
        ("a b", "cannot be understood near `"),
    ],
)
def test_a_mistake_is_explained_in_words(text, part):
    assert part in complaint(text)


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("aa", 1, 1),
        ("a > 1 and bb", 1, 11),
        ("'äöü€' in text or\n  bb", 2, 3),
        ("'äöü€' in bb", 1, 11),
        ("a &&\n b", 1, 3),
        ("a\r\n&& b", 2, 1),
        ("'''\r''' + aa", 2, 7),
        ("len(text) > 'a'", 1, 1),
        ("a >", 1, 4),
        ("a and\n(a", 2, 1),
    ],
)
def test_an_error_knows_its_line_and_column(text, line, column):
    with pytest.raises(ExpressionError) as caught:
        evaluate(text, NAMES)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_names_in_gives_free_names_without_functions():
    text = "len(items) > limit and user.name == true and iterations('argue')"
    assert names_in(text) == {"items", "limit", "user"}


def test_check_needs_no_values_but_knows_the_grammar():
    check("missing.key > 3 and iterations('argue')")
    with pytest.raises(ExpressionError):
        check("missing &&")


def test_check_finds_unknown_functions_when_told_the_known():
    check("iterations('argue')", {"iterations"})
    with pytest.raises(ExpressionError, match="Did you mean 'iterations'") as caught:
        check("1 +\n iteration('argue')", {"iterations"})
    assert (caught.value.line, caught.value.column) == (2, 2)


ESCAPES = """\
().__class__
''.__class__.__mro__[1].__subclasses__()
text.__class__
user.__class__
user['__class__']
user.deep.__init__.__globals__
len.__self__
iterations.__globals__['os']
iterations.__code__
(lambda: 1)()
lambda: 1
[x for x in items]
{x for x in items}
{x: 1 for x in items}
(x for x in items)
any(x > 1 for x in items)
__import__('os').system('id')
open('/etc/passwd').read()
eval('1 + 1')
exec('a = 1')
compile('1', '', 'eval')
globals()
locals()
vars()
dir()
getattr(user, 'name')
setattr(user, 'name', 1)
type(user)
id(user)
object
__builtins__
__name__
print(1)
breakpoint()
input()
range(3)
user.update({'a': 1})
user.pop('name')
items.append(4)
items.sort()
items.clear()
items.__setitem__(0, 1)
'{0.__class__}'.format(user)
text.format_map(user)
'%s' % user
f'{user}'
f'{user.__class__}'
b'bytes'
rb'bytes'
(x := 1)
x = 1
items[0] = 1
items += [1]
del items[0]
import os
await a
yield a
(yield)
(yield from items)
return 1
raise a
assert a
{**user}
[*items]
len(*items)
sorted(items, key=len)
sorted(items, reverse=True)
user | {'a': 1}
a @ a
a ^ 1
~a
...
1j
str.mro()
(len)(text).__class__
(text, items)[0].__class__
[len][0](text)
user[len]
user[items]
{[1]: 2}
[1] in user
items['__len__']
items[1:2, 0]
a.real
a.bit_length()
f.hex()
text.join(words)
none.__class__
flag.__class__.__base__
\u212f
__import__
\uff4cen
"""


@pytest.mark.parametrize("text", ESCAPES.splitlines())
def test_no_way_out_and_no_way_to_change(text):
    names = copy.deepcopy(NAMES)
    with pytest.raises(ExpressionError):
        evaluate(text, names, {"iterations": iterations})
    assert names == NAMES


class Trap:
    hidden = "s"

    def __getattribute__(self, name: str) -> object:
        assert name == "__class__"
        return Trap

    def __eq__(self, other: object) -> bool:
        raise AssertionError

    def __hash__(self) -> int:
        raise AssertionError

    __bool__ = __len__ = __str__ = __repr__ = __hash__
    __lt__ = __add__ = __eq__


ASKING = """\
it
it.hidden
not it
it == 1
it or 1
it is None
len(it)
[it]
1 if it else 2
1 in box
box == [1]
box[0]
str(box)
any(box)
max(box)
sum(box)
shut.it
shut == {}
"""


@pytest.mark.parametrize("text", ASKING.splitlines())
def test_python_objects_are_never_asked_anything(text):
    names = {"it": Trap(), "box": [Trap()], "shut": {"it": Trap()}}
    with pytest.raises(ExpressionError):
        evaluate(text, names)


def doubled(depth: int) -> list[object]:
    value: list[object] = [1]
    for _ in range(depth):
        value = [value, value]
    return value


def nested(depth: int) -> list[object]:
    value: list[object] = []
    for _ in range(depth):
        value = [value]
    return value


def round_and_round() -> list[object]:
    value: list[object] = []
    value.append(value)
    return value


BOMB_NAMES = {
    **NAMES,
    "n70": 10**70,
    "huge": 10**5000,
    "dag": doubled(100),
    "dag2": doubled(100),
    "deep": nested(5000),
    "deep2": nested(5000),
    "round": round_and_round(),
    "round2": round_and_round(),
    "alike": ["x" * 50_000 + str(i) for i in range(5_000)],
    "as_": "a" * 100_000,
}
BOMBS = [
    "9**9**9",
    "2 ** 99999",
    "1 << 999999999",
    "'a' * 10000000000",
    "10000000000 * 'a'",
    "[0] * 10000000000",
    "many * 999999",
    "'%0999999999d' % 1",
    "'{:>999999999}'.format(1)",
    "text.ljust(1000000000)",
    "text.replace('l', 'llll')",
    "round(5, -999999999)",
    "round(5, 999999999)",
    "int('9' + big)",
    "int('9' * 5000)",
    "float(big)",
    "n70 * n70 * n70 * n70 * n70",
    "int(1e300)",
    "huge",
    "huge == 1",
    "str(huge)",
    "big + big",
    "many + many",
    "[" + ", ".join(["big + ''"] * 300) + "]",
    "[" + ", ".join(["many[:]"] * 300) + "]",
    " or ".join(["lower(big) == 1"] * 150),
    " or ".join(["sorted(many) == 1"] * 150),
    "str([big, big, big])",
    "str([[many, many], [many, many]])",
    "str(dag)",
    "str(deep)",
    "str(round)",
    "dag == dag2",
    "deep == deep2",
    "deep in deep2",
    "round == round2",
    "round in round2",
    "dag in [dag2]",
    "sorted(alike)",
    "max(alike)",
    "'x' in alike",
    "matches(as_, '*a*a*a*a*a*a*a*a*a*a*b')",
    "matches(as_, as_)",
    "range(1000000000)",
    "sum(range(1000000000))",
]


@pytest.mark.parametrize("text", BOMBS, ids=lambda text: text[:40])
def test_bombs_end_soon_and_stay_small(text):
    began = time.process_time()
    tracemalloc.start()
    try:
        complaint(text, BOMB_NAMES)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000
    assert time.process_time() - began < 2


PARSER_BOMBS = [
    *(left * 2000 + "1" + right * 2000 for left, right in ("()", "[]", "{}")),
    *(left * 5000 for left in "([{"),
    *(left * 60 + "1" + right * 60 for left, right in ("()", "[]")),
    "(" * 50 + "1 1" + ")" * 50,
    "len(" * 50 + "1 1" + ")" * 50,
    "{1:" * 50 + "1 1" + "}" * 50,
    "-" * 4000 + "1",
    "- " * 2000 + "1",
    "not " * 1000 + "1",
    "+-" * 2000 + "1",
    "1" + "+1" * 2000,
    "a" + ".b" * 2000,
    "a" + "[0]" * 1300,
    "a" + "(1)" * 1300,
    "1 if 1 else " * 300 + "1",
    "1 if 1 else " * 300 + "1 1",
    "9" * 4000,
    "1e" + "9" * 4000,
    "1_" * 2000 + "1",
    "a" * 100_000,
    "a <= " * 800 + "'b'",
    "1,2 " * 1000,
    "'" * 4001,
    '"' * 4001,
    "'\\" * 2000,
    "\\" * 4000,
    "#" * 4000,
    "\x00",
    "a\x00b",
    "'\x00'",
    "'\ud800'",
    "\ud800",
    "\ufeffa",
    "a\x0cb",
    "'\\N{NOTHING LIKE THIS}'",
    "'\\xZZ'",
    "'\\777'",
    "0777",
    "1if a else 2",
    "0x" + "f" * 3000,
    "a\n\n" * 1000,
    "a;b",
    "a\\\n+1 b",
]


@pytest.mark.parametrize("text", PARSER_BOMBS, ids=lambda text: ascii(text[:20]))
def test_texts_made_for_the_parser_are_refused_soon(text):
    began = time.process_time()
    complaint(text)
    assert time.process_time() - began < 1


def test_the_stack_of_the_caller_does_not_matter():
    text = "+1" * 90 + " + a.b"

    def below(depth: int) -> str:
        return below(depth - 1) if depth else complaint(text)

    assert below(400)


def expressions() -> st.SearchStrategy[str]:
    plain = "a z f text items words user none flag 0 1 -2 0.5 'lo' '' [] [1,2] {'k':2} true null"
    atoms = st.sampled_from([*plain.split(), "user.name", "user.deep.n", "(1, 'a')"])
    signs = "+ - * / // % == != < <= > >= in and or"
    binary = st.sampled_from([*signs.split(), "not in"])
    function = st.sampled_from(sorted(PLAIN.keys() - {"true", "false", "null"}))

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({} {} {})".format, inner, binary, inner),
            st.builds("({} < {} <= {})".format, inner, inner, inner),
            st.builds("({} if {} else {})".format, inner, inner, inner),
            st.builds("(not {})".format, inner),
            st.builds("{}[{}]".format, inner, inner),
            st.builds("{}[{}:{}]".format, inner, inner, inner),
            st.builds("{}({})".format, function, inner),
            st.builds("{}({}, {})".format, function, inner, inner),
            st.builds("[{}, {}]".format, inner, inner),
        )

    return st.recursive(atoms, larger, max_leaves=12)


@QUICK
@given(expressions())
def test_a_value_is_python_s_own_or_refused(text):
    try:
        ours = evaluate(text, NAMES)
    except ExpressionError:
        return
    python = re.sub(r"(?<=[a-z])[.](\w+)", r"['\1']", text)
    assert repr(ours) == repr(eval(python, {"__builtins__": {}}, {**PLAIN, **NAMES}))  # noqa: S307


@QUICK
@given(st.text(max_size=60) | st.text("()[]{}'\"\\.,:+-*/%<>=!&| \n#ab01_", max_size=60))
def test_arbitrary_text_gives_values_or_expression_errors(text):
    names = copy.deepcopy(NAMES)
    with suppress(ExpressionError):
        names_in(text)
        evaluate(text, names)
    assert names == NAMES
