import pytest

from buddy.inference.engine import Sampling, silent_ids
from buddy.text.render import END, SPEAKER, SPECIAL_TOKENS
from tests.inference.greedy import GREEDY


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("top_p", 0),
        ("top_p", 1.1),
        ("top_k", -1),
        ("max_tokens", 0),
        ("repetition_penalty", 0),
        ("no_repeat_ngram", -1),
        ("seed", -1),
        ("seed", 2**31),
    ],
)
def test_sampling_that_no_engine_can_do_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} cannot be"):
        Sampling(**{name: value})


def test_greedy_is_what_leaves_nothing_to_chance():
    assert [s.is_greedy for s in (GREEDY, Sampling(top_k=1), Sampling(top_k=2), Sampling())] == [
        True,
        True,
        False,
        False,
    ]


class TestSilentTokens:
    def test_are_the_special_ones_but_the_stops(self, codec):
        size = codec.backend.get_vocab_size()
        stops = {codec.special_ids[SPEAKER], codec.special_ids[END]}
        assert set(silent_ids(codec, size, ())) == set(codec.special_ids.values())
        assert set(silent_ids(codec, size, stops)) == set(codec.special_ids.values()) - stops
        assert len(silent_ids(codec, size, stops)) == len(SPECIAL_TOKENS) - 2

    def test_are_also_rows_without_a_token_and_never_more_than_there_are_rows(self, codec):
        size = codec.backend.get_vocab_size()
        assert silent_ids(codec, size + 3, ())[-3:] == [size, size + 1, size + 2]
        assert silent_ids(codec, 2, ()) == [0, 1]
