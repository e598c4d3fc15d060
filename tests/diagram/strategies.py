"""Diagrams of every kind, for property tests: all the model can hold, odd texts above all."""

from hypothesis import strategies as st

from dipeo_jupyter.diagram.labels import label_fault
from dipeo_jupyter.diagram.light.writing import RESERVED
from dipeo_jupyter.diagram.model import Diagram, Edge, NodeSpec, Person, Position
from dipeo_jupyter.diagram.older import person_fields

HANDLES = ["default", "first", "condtrue", "condfalse", "success", "error", "results"]
HANDLES += ["odd handle", "Zwei", "a_b", "a.b"]
FEW, MANY = 12, 200
TRICKY = [
    *("", " ", "yes", "no", "on", "y", "null", "~", "true", "True", "012", "1:30", "1e3", "-0"),
    *("2024-01-01", "0x1f", ".inf", "+5", "a: b", "a #b", "# x", "- a", "? a", "a:", ": a", "<<"),
    *("&a", "*a", "!a", "%a", "@a", "`a`", "{{x}}", "[a]", "a[b]", "---", "...", "|", ">", "="),
    *("'", '"', "it's", 'say "hi"', "C:\\temp", "\\n", "a\nb", "a\nb\n", "a\n\n", "\na"),
    *(" a\nb", "a\n b", "a\n\tb", "\ta", "a\t", "a \nb", "a\n  ", "a\n   \nb", "a\r\nb", "a\rb"),
    *("a\x85b", "a\u2028b", "\ufeffa", "a\ufeff", "\x00", "\x1b[0m", "\x7f", "\ufffe", "日本"),
    *("a\n---\nb", "a\n...\n", "a\n# b", "a\nb: c", "x" * 1500, "word " * 300, "a\xa0"),
    *("\xa0a\nb", "\U0001f469\u200d\U0001f680"),
]
TEXTS = st.sampled_from(TRICKY) | st.text(max_size=20)
TEXTS |= st.lists(TEXTS, max_size=4).map("\n".join)
ALIKE = ["a", "a[first]", "a_first", "a[first ]", "a_b", "a b", "a~1", "a.first", "a b[first]"]
LABELS = (
    st.sampled_from(ALIKE) | st.text("ab_ []~:'\"é.-> first", min_size=1, max_size=12) | TEXTS
).filter(lambda label: label_fault(label) is None)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=8,
)
NAMES = st.sampled_from(["prompt", "label", "type", "props", "a.b", ".", "__x", "x:1"]) | TEXTS
MAPS = st.dictionaries(NAMES, VALUES, max_size=4)
COORDINATES = st.floats(allow_nan=False, allow_infinity=False)
POSITIONS = st.none() | st.builds(Position, x=COORDINATES, y=COORDINATES)
OPTIONAL = st.none() | TEXTS
TYPES = st.sampled_from(
    ["start", "person_job", "CODE_JOB", "Sub_Diagram", "api_job", "hook", "diff_patch", "no", "1"]
)


def _is_parameter(name):
    return name not in Person.model_fields and person_fields({name: 0}) == {name: 0}


# What a person may be called further is anything but a known name, old or new.
PARAMETERS = MAPS.map(lambda fields: {key: fields[key] for key in fields if _is_parameter(key)})


@st.composite
def persons(draw):
    known = draw(st.dictionaries(st.sampled_from(list(Person.model_fields)), OPTIONAL))
    return Person.model_validate(draw(PARAMETERS) | known)


@st.composite
def diagrams(draw):
    labels = draw(st.lists(LABELS, unique=True, max_size=FEW))
    if draw(st.integers(0, 19)) == 0:
        more = draw(st.integers(0, MANY - FEW))
        labels = list(dict.fromkeys([*labels, *(f"node {i}" for i in range(more))]))
    ends, handles = st.sampled_from(labels or ["?"]), st.sampled_from(HANDLES)
    edges = st.builds(
        Edge,
        source=ends,
        target=ends,
        source_handle=handles,
        target_handle=handles,
        label=OPTIONAL,
        content_type=OPTIONAL,
        data=MAPS,
    )
    return Diagram(
        name=draw(OPTIONAL),
        description=draw(OPTIONAL),
        nodes=[
            NodeSpec(label=label, type=draw(TYPES), props=draw(MAPS), position=draw(POSITIONS))
            if i < FEW
            else NodeSpec(label=label, type="job", props={"i": i})
            for i, label in enumerate(labels)
        ],
        edges=draw(st.lists(edges, max_size=8)) if labels else (),
        persons=draw(st.dictionaries(LABELS, persons(), max_size=3)),
        extra=draw(st.dictionaries(TEXTS.filter(lambda key: key not in RESERVED), VALUES)),
    )
