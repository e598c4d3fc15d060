"""Which texts have most to do with a few words, by the words alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dipeo_jupyter.nodes.lexical import scores, words_of
from dipeo_jupyter.nodes.recall import best, likeness, numbers_in

TEXTS = [
    "The weather is fine today.",
    "Our budget is 500 dollars, and not a dollar more.",
    "Anna likes the blue one.",
    "Budgets are made in autumn.",
]


def ranked(wanted, texts=TEXTS):
    found = scores(wanted, texts)
    return sorted((place for place, each in enumerate(found) if each), key=lambda x: -found[x])


def test_texts_with_the_words_come_first_and_others_not_at_all():
    assert ranked("budget") == [3, 1]
    assert ranked("what does anna like?") == [2]
    assert ranked("nothing of that kind") == []


def test_a_rare_word_counts_more_than_one_that_all_have():
    texts = ["the tea", "the milk", "the bread", "the salt"]
    assert ranked("the bread", texts)[0] == 2


def test_words_that_say_nothing_count_only_when_there_are_no_others():
    texts = ["What was that about?", "The tea is cold."]
    assert ranked("what was said about the tea", texts) == [1]
    assert ranked("what was that about everything", texts) == [0]


def test_words_count_by_their_beginnings_whatever_the_case():
    assert words_of("Budgets BUDGETING “budget”") == ["budget"] * 3


def test_scripts_without_spaces_are_compared_by_pairs_of_letters():
    assert words_of("東京都へgo") == ["東京", "京都", "都へ", "go"]
    assert ranked("東京 の話", ["大阪は晴れ", "東京都は雨"]) == [1]


@pytest.mark.parametrize("texts", [[], [""], ["", "!"], ["a" * 100_000]])
def test_odd_texts_have_a_score_all_the_same(texts):
    assert len(scores("a b", texts)) == len(texts)
    assert set(scores("", texts)) <= {0.0}


@given(st.text(), st.lists(st.text(), max_size=6))
def test_equal_texts_have_equal_scores_and_none_is_below_zero(wanted, texts):
    found = scores(wanted, texts)
    assert found == scores(wanted, texts)
    assert all(each >= 0 for each in found)
    assert len(set(scores(wanted, [*texts, *texts])[: len(texts)])) <= len(set(texts) | {""})


def test_the_best_stand_in_their_order_and_of_equal_ones_the_newest():
    assert best({0: 1.0, 1: 3.0, 2: 1.0, 3: 0.5}, 2) == [1, 2]
    assert best({}, 2) == []


def test_vectors_are_alike_by_their_direction():
    assert likeness([1, 0], [5, 0]) == pytest.approx(1.0)
    assert likeness([1, 0], [0, 3]) == pytest.approx(0.0)
    assert likeness([0, 0], [1, 1]) == pytest.approx(0.0)


@pytest.mark.parametrize(
    ("answer", "numbers"),
    [
        ("[2, 0]", [0, 2]),
        ("Of [these] I take:\n```json\n[1]\n```", [1]),
        ("[]", []),
        ("[7, 1, 1, 99999999999999]", [1]),
    ],
)
def test_numbers_are_read_from_what_a_model_says(answer, numbers):
    assert numbers_in(answer, 3) == numbers
