from collections import Counter
from itertools import chain, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.text.batches import Batch, pack, pad, plan_epoch, split_by_tokens
from buddy.text.tokenizer import Tokens

LENGTHS = st.lists(st.integers(1, 12), min_size=1, max_size=30)


def numbered(lengths: list[int]) -> list[Tokens]:
    """Documents in which no token occurs twice, so that a lost or doubled one shows."""
    starts = np.cumsum([1, *lengths])
    return [
        Tokens(np.arange(start, start + n), np.linspace(0.5, 1.0, n, dtype=np.float32))
        for start, n in zip(starts, lengths, strict=False)
    ]


def read_back(batch: Batch) -> list[tuple[list[int], list[float], list[int]]]:
    """Take the documents out of a packed batch again: ids, weights, positions."""
    assert batch.documents is not None
    found = []
    for row in range(len(batch.input_ids)):
        for number in range(batch.documents[row].max() + 1):
            here = batch.documents[row] == number
            found.append(tuple(part[row][here].tolist() for part in (batch.input_ids, batch.weights, batch.positions)))
    return found


class TestPad:
    @given(LENGTHS)
    def test_every_row_is_one_document_and_nothing_else(self, lengths):
        documents = numbered(lengths)
        batch = pad(documents)
        assert batch.documents is None
        assert batch.input_ids.shape == (len(lengths), max(lengths))
        for row, document in enumerate(documents):
            n = len(document)
            assert batch.input_ids[row, :n].tolist() == document.ids.tolist()
            assert batch.weights[row, 1:n].tolist() == document.weights[1:].tolist()
            assert batch.positions[row, :n].tolist() == list(range(n))
            assert not batch.weights[row, n:].any(), "padding is never learned"
            assert batch.weights[row, 0] == 0, "nothing stands before the first token"


class TestPack:
    @given(LENGTHS, st.integers(12, 40))
    def test_no_token_is_lost_or_doubled(self, lengths, width):
        documents = numbered(lengths)
        batch = pack(documents, width)
        expected = [
            (d.ids.tolist(), [0.0, *d.weights[1:].tolist()], list(range(len(d))))
            for d in sorted(documents, key=lambda d: -len(d))
        ]
        assert sorted(read_back(batch)) == sorted(expected)
        outside = batch.documents == -1
        assert not batch.input_ids[outside].any()
        assert not batch.weights[outside].any()
        assert batch.input_ids.shape[1] <= width

    @given(LENGTHS, st.integers(12, 40))
    def test_rows_are_filled(self, lengths, width):
        rows_used = [sum(map(bool, row)) for row in pack(numbered(lengths), width).input_ids.tolist()]
        assert sum(used <= width / 2 for used in rows_used) <= 1, "two half-empty rows would have fitted into one"

    def test_a_document_longer_than_a_row_is_refused(self):
        with pytest.raises(ValueError, match="13 tokens does not fit a row of 12"):
            pack(numbered([3, 13]), width=12)


class TestPlanOfAnEpoch:
    @given(st.lists(st.integers(1, 300), max_size=200), st.integers(1, 40), st.integers(0, 9), st.integers(0, 9))
    def test_visits_every_document_once_in_full_steps(self, lengths, batch_size, seed, epoch):
        plan = plan_epoch(lengths, batch_size, seed, epoch)
        assert Counter(chain.from_iterable(plan)) == Counter(range(len(lengths)))
        assert len(plan) == -(-len(lengths) // batch_size)
        assert all(len(step) <= batch_size for step in plan)

    @pytest.mark.parametrize("documents", [100, 1000])
    def test_is_a_pure_function_that_differs_by_epoch_and_seed(self, documents):
        lengths = list(range(1, documents + 1))
        plans = [plan_epoch(lengths, 8, seed, epoch) for seed, epoch in [(1, 0), (1, 0), (1, 1), (2, 0)]]
        assert plans[0] == plans[1]
        as_sets = [{frozenset(step) for step in plan} for plan in plans]
        assert as_sets[0] != as_sets[2], "another epoch must mix other documents, not only other steps"
        assert as_sets[0] != as_sets[3]

    def test_similar_lengths_stand_together_but_steps_are_not_sorted(self):
        random = np.random.default_rng(0)
        lengths = np.clip(random.lognormal(3.0, 0.5, 5000), 4, 256).astype(int).tolist()  # as in EmpatheticDialogues
        plan = plan_epoch(lengths, 32, seed=1, epoch=0)
        padded = sum(max(lengths[i] for i in step) * len(step) for step in plan)
        assert 1 - sum(lengths) / padded < 0.10
        shuffled = random.permutation(len(lengths)).reshape(-1, 50)
        assert 1 - sum(lengths) / sum(max(lengths[i] for i in step) * len(step) for step in shuffled) > 0.4
        longest = [lengths[step[0]] for step in plan]
        assert abs(np.corrcoef(longest, range(len(longest)))[0, 1]) < 0.3


class TestPassesOfAStep:
    @given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 200))
    def test_hold_every_document_once_in_order_and_keep_to_the_budget(self, lengths, max_tokens):
        passes = list(split_by_tokens(range(len(lengths)), lengths, max_tokens))
        assert list(chain.from_iterable(passes)) == list(range(len(lengths)))
        for indices in passes:
            padded = max(lengths[i] for i in indices) * len(indices)
            assert padded <= max_tokens or len(indices) == 1

    @given(st.lists(st.integers(1, 50), min_size=1, max_size=40), st.integers(1, 200))
    def test_are_as_few_as_the_order_allows(self, lengths, max_tokens):
        passes = list(split_by_tokens(range(len(lengths)), lengths, max_tokens))
        for indices, following in pairwise(passes):
            joined = [*indices, following[0]]
            assert max(lengths[i] for i in joined) * len(joined) > max_tokens
