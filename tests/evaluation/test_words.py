import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.evaluation.words import split_words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I'm sorry.", "I 'm sorry ."),
        ("Don't! It isn't, can't, won't", "Do n't ! It is n't , ca n't , wo n't"),
        ("She’d've gone; they're we've he'll John's", "She 'd 've gone ; they 're we 've he 'll John 's"),
        ("cannot Cannot cannots", "can not Can not cannots"),
        ("gonna gotta wanna lemme gimme", "gon na got ta wan na lem me gim me"),
        ("o'clock well-known and/or u.s. 3.5", "o'clock well-known and/or u.s . 3.5"),
        ("1,000 at 7:30, 8: yes,no", "1,000 at 7:30 , 8 : yes , no"),
        ("Well... what?! -- nothing", "Well ... what ? ! -- nothing"),
        ('"Hi" (there) 50% $5 #1 @you', '" Hi " ( there ) 50 % $ 5 # 1 @ you'),
        ("the dogs' 'quoted' '90s", "the dogs ' ' quoted ' ' 90s"),
        ("café naïve Ünï 日本", "café naïve Ünï 日本"),
        ("so 😀😀 good", "so 😀 😀 good"),
        ("cafe\u0301 nai\u0308ve", "café naïve"),
        ("नमस्ते दुनिया, कैसे हो?", "नमस्ते दुनिया , कैसे हो ?"),
        ("தமிழ் மொழி", "தமிழ் மொழி"),
        ("q\u0307's caq\u0307not", "q\u0307 's caq\u0307not"),
        ("\u0301a 1\ufe0f ❤\ufe0f", "\u0301 a 1 \ufe0f ❤ \ufe0f"),
        ("  \n\t ", ""),
        ("n't 's", "n't 's"),
        ("I wasn't'nt", "I was n't ' nt"),
    ],
)
def test_words_are_those_of_the_treebank(text, words):
    assert split_words(text) == words.split()


@given(st.text())
def test_nothing_is_lost_and_no_word_has_white_space(text):
    words = split_words(text)
    assert "".join(words) == "".join(unicodedata.normalize("NFC", text.replace("’", "'")).split())
    assert all(words)


@given(st.lists(st.sampled_from(["I'm", "don't", "know", ",", "...", "well-known", "7:30", "cannot", "?", "😀"])))
def test_words_count_alike_whatever_stands_beside_them(parts):
    assert len(split_words(" ".join(parts))) == sum(len(split_words(part)) for part in parts)


def test_a_long_text_takes_no_longer_than_its_length_asks():
    assert len(split_words("'" * 100_000)) == 100_000
    assert len(split_words("a-" * 100_000)) == 2
