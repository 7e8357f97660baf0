import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.data.normalise import clean, comparison_key


@given(st.text())
def test_clean_text_is_one_line_and_stays_as_it_is(text):
    once = clean(text)
    assert clean(once) == once
    assert "\n" not in once
    assert once.encode("utf-8").decode("utf-8") == once


def test_half_surrogates_can_be_written_afterwards():
    assert clean("cut \ud83d off") == "cut ? off"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("I'm  SAD.", "im sad"),
        ("It’s over", "it's over"),
        ("well , no", "well, no!"),
        ("ﬁne", "fine"),
        ("\u202bשלום\u202c", "שלום"),
    ],
)
def test_same_text_in_other_dress(first, second):
    assert comparison_key(first) == comparison_key(second)


@pytest.mark.parametrize(("first", "second"), [("great 😀", "great 😡"), ("कि", "की"), ("?!", "..."), ("a 1", "a 2")])
def test_other_texts_stay_apart(first, second):
    assert comparison_key(first) != comparison_key(second)


@given(st.text(min_size=1))
def test_key_is_never_empty(text):
    assert comparison_key(text)


@given(st.text(st.characters(max_codepoint=127)))
def test_the_quick_way_for_plain_english_is_the_same_as_the_long_one(text):
    assert comparison_key(text) == (comparison_key(f"é {text}").removeprefix("é").strip() or text)
