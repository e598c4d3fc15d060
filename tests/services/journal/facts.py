"""Entries for tests of journals: small makers, and strategies for events of every kind."""

from hypothesis import strategies as st

from dipeo_jupyter.diagram.model import Diagram
from dipeo_jupyter.protocol import events as e
from tests.diagram.strategies import diagrams

ANSWER = "They are right, but for another reason than they think. " * 9


def run(*events, name="exec_1", first=1):
    """The entries of a run, numbered and dated."""
    return [e.Entry(name, seq, 1000.25 + seq, event) for seq, event in enumerate(events, first)]


def begun(**fields):
    return e.ExecutionStarted(diagram=Diagram(name="debate"), **fields)


def spoken(seen=(), activation=1, answer=ANSWER, **fields):
    message = e.Message(id=f"argue[{activation}].1", sender="Ann", content=answer)
    outputs = {"default": answer}
    given = {"node": "argue", "activation": activation, "outputs": outputs} | fields
    return e.NodeCompleted(person="Ann", messages=(message,), seen=tuple(seen), **given)


def effect(key, value="done", **fields):
    return e.EffectCompleted(
        node="call", activation=1, effect="chat", key=key, value=value, **fields
    )


TEXTS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["$", '"$"', "\ud800", "\ud83d\ude00", "\x00", "日本", '{"$": 1}']),
    st.sampled_from([ANSWER, "é" * 120, '\\"\n' * 60, "🎈" * 97, "x" * 96, "x" * 97]),
)
NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.just(10**40)
KEYS = st.just("$") | TEXTS
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
MAPS = st.dictionaries(KEYS, VALUES, max_size=3)
ERRORS = st.builds(e.ErrorInfo, type=TEXTS, message=TEXTS, details=st.none() | TEXTS)
SEEN = st.lists(st.sampled_from("abcdef"), max_size=8).map(tuple)
MESSAGES = st.lists(st.builds(e.Message, id=TEXTS, sender=st.none() | TEXTS, content=TEXTS))
BREAKPOINTS = st.lists(st.builds(e.Breakpoint, node=TEXTS, visit=st.none() | st.just(2)))
QUESTIONS = st.builds(e.Question, prompt=TEXTS, schema=st.none() | MAPS, timeout=st.none())
COUNTS = st.integers(1, 10**6)
DURATIONS = st.floats(0, 1e9)
USAGES = st.none() | st.builds(e.Usage, input_tokens=COUNTS, cached_tokens=st.integers(0, 3))
NODE = {"node": TEXTS, "activation": COUNTS}
ORIGINS = st.none() | st.builds(e.Origin, execution_id=TEXTS, at=SEEN)
EVENTS = st.one_of(
    st.builds(
        e.ExecutionStarted,
        diagram=diagrams(),
        inputs=MAPS,
        values=MAPS,
        origin=ORIGINS,
        breakpoints=BREAKPOINTS.map(tuple),
    ),
    st.builds(e.ExecutionPaused, interrupted=SEEN, message=st.none() | TEXTS),
    st.builds(e.ExecutionResumed, steps=st.none() | COUNTS),
    st.builds(e.ExecutionRecovered, repeated=SEEN),
    st.builds(e.ExecutionEdited, diagram=diagrams(), inputs=MAPS, values=MAPS),
    st.builds(e.BreakpointsSet, breakpoints=BREAKPOINTS.map(tuple)),
    st.builds(e.ExecutionCompleted, outputs=MAPS),
    st.builds(e.ExecutionFailed, error=ERRORS),
    st.just(e.ExecutionCancelled()),
    st.builds(e.NodeStarted, **NODE, inputs=MAPS),
    st.builds(e.NodePaused, node=TEXTS),
    st.builds(e.NodeResumed, node=TEXTS),
    st.builds(e.SkipRequested, node=TEXTS),
    st.builds(e.EffectStarted, **NODE, effect=TEXTS, key=TEXTS),
    st.builds(e.EffectCompleted, **NODE, effect=TEXTS, key=TEXTS, value=VALUES),
    st.builds(e.NodeProgress, **NODE, message=TEXTS),
    st.builds(
        e.NodeCompleted,
        **NODE,
        outputs=MAPS,
        person=st.none() | st.sampled_from(["Ann", "Bo"]),
        messages=MESSAGES.map(tuple),
        seen=SEEN,
        usage=USAGES,
        cached=st.booleans(),
        duration_ms=DURATIONS,
    ),
    st.builds(e.NodeFailed, **NODE, error=ERRORS, outputs=st.none() | MAPS, duration_ms=DURATIONS),
    st.builds(e.NodeSkipped, node=TEXTS),
    st.builds(e.InputRequired, **NODE, question=QUESTIONS),
    st.builds(e.InputReceived, **NODE, value=VALUES),
    st.builds(e.Broadcast, name=TEXTS, data=VALUES),
)
