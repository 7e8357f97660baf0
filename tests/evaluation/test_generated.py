import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.evaluation.generated import compare_with_references, describe_replies, distinct

ASKED = "My cat ran away last night and I cannot find her"


def traits(*replies, answered=ASKED):
    return describe_replies(replies, [answered] * len(replies))


def test_distinct_counts_over_all_replies():
    found = traits("I am sorry.", "I am glad!")
    assert found.distinct_1 == 4 / 6  # i am sorry glad
    assert found.distinct_2 == 3 / 4  # i-am am-sorry am-glad; no pair across replies
    assert found.words == 3


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=6), max_size=8), st.integers(1, 3))
def test_distinct_is_what_counting_by_hand_gives(texts, n):
    runs = [" ".join(words[i : i + n]) for words in texts for i in range(len(words)) if i + n <= len(words)]
    assert distinct(texts, n) == (len(set(runs)) / len(runs) if runs else 0)


@pytest.mark.parametrize(
    ("reply", "loops"),
    [
        ("I am so sorry, I am so sorry", True),
        ("I know I know I know", True),
        ("no no no no no", True),
        ("no no no no", False),
        ("Very very very good", False),
        ("I am so sorry. So am I.", False),
        ("", False),
    ],
)
def test_a_loop_is_four_words_twice(reply, loops):
    assert traits(reply).loops == loops


def test_the_same_reply_elsewhere_is_counted_each_time():
    assert traits("I'm sorry!", "im sorry", "Oh no", "", "").repeated == 2 / 5


@pytest.mark.parametrize(
    ("reply", "echoes"),
    [
        ("Why cannot you find her", False),
        ("Oh, my cat ran away last, too", True),
        ("MY CAT RAN AWAY LAST!", True),
        ("Ran away?", True),
        ("Cat?", False),
        ("Your cat ran away last", False),
        ("cat ran away last summer", False),
        ("", False),
    ],
)
def test_an_echo_is_five_words_or_the_whole_reply(reply, echoes):
    assert traits(reply).echoes == echoes


@pytest.mark.parametrize(
    ("reply", "empty"), [("", 1), ("  ", 1), ("...?!", 1), ("😀", 0), ("5", 0), ("ok", 0), ("好", 0)]
)
def test_empty_is_nothing_or_punctuation(reply, empty):
    assert traits(reply).empty == empty


def test_special_tokens_are_found_as_a_person_would_see_them():
    assert traits("Hi <SPEAKER> you", "Hi <|endoftext|>", "Hi <EMOTION_TYPE> sad", "Hi <LISTENER>").special_tokens == 1
    assert traits("a < b > c", "speaker").special_tokens == 0


def test_no_replies_are_refused():
    with pytest.raises(ValueError, match="no replies"):
        describe_replies([], [])


def test_the_same_words_are_as_near_as_can_be():
    same = ["I am so sorry to hear that.", "What a wonderful day you had!"]
    near = compare_with_references(same, same)
    assert near.bleu_4 == pytest.approx(100)
    assert near.chrf == pytest.approx(100)
    assert "version:" in near.bleu_signature
    assert near.chrf_signature.startswith("nrefs:1")


def test_bleu_by_hand():
    """Five of five words match, four of four pairs, three, two; it is one word shorter: exp(1 - 6/5)."""
    near = compare_with_references(["a b c d e"], ["a b c d e f"])
    assert near.bleu_4 == pytest.approx(100 * 2.718281828 ** (1 - 6 / 5), rel=1e-6)


def test_other_words_are_far_and_empty_replies_do_no_harm():
    far = compare_with_references(["", "xyz"], ["I am sorry to hear that.", "Good for you, my friend."])
    assert far.bleu_4 == 0
    assert far.chrf < 5
