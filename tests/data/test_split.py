from collections import Counter, defaultdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.data.split import split_rows
from buddy.errors import UserMistake

FRACTIONS = {"test": 0.1, "valid": 0.1}


def own_groups(labels: list[str]) -> list[str]:
    return [str(number) for number in range(len(labels))]


def test_shares_are_kept_for_every_label():
    labels = ["common"] * 900 + ["rare"] * 100
    names = split_rows(labels, own_groups(labels), {"test": 0.1, "valid": 0.2}, seed=1)
    assert Counter(zip(labels, names, strict=True)) == {
        ("common", "train"): 630, ("common", "valid"): 180, ("common", "test"): 90,
        ("rare", "train"): 70, ("rare", "valid"): 20, ("rare", "test"): 10,
    }  # fmt: skip


def test_seed_decides_and_nothing_else():
    labels = ["sad", "glad"] * 50
    first = split_rows(labels, own_groups(labels), FRACTIONS, seed=13)
    assert first == split_rows(labels, own_groups(labels), FRACTIONS, seed=13)
    assert first != split_rows(labels, own_groups(labels), FRACTIONS, seed=14)


def test_the_division_never_changes():
    labels = ["sad"] * 12
    names = split_rows(labels, own_groups(labels), FRACTIONS, seed=13)
    assert [names.index("test"), names.index("valid")] == [8, 7]


groupings = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 40)), min_size=1, max_size=200)


@given(groupings, st.integers())
def test_no_group_is_in_two_splits_and_labels_reach_all(rows, seed):
    labels = [label for label, _ in rows]
    groups = [f"{label}{group}" for label, group in rows]
    groups_of = defaultdict(set)
    for label, group in zip(labels, groups, strict=True):
        groups_of[label].add(group)
    if min(map(len, groups_of.values())) < 3:
        with pytest.raises(UserMistake, match="different texts or groups"):
            split_rows(labels, groups, FRACTIONS, seed)
        return
    names = split_rows(labels, groups, FRACTIONS, seed)
    assert len(set(zip(groups, names, strict=True))) == len(set(groups))
    assert len(set(zip(labels, names, strict=True))) == 3 * len(groups_of)


def test_mixed_groups_count_for_their_rarest_label():
    labels = ["common"] * 40 + ["rare"] * 4
    groups = [f"person {n % 8}" for n in range(40)] + [f"person {n}" for n in range(4)]
    names = split_rows(labels, groups, FRACTIONS, seed=3)
    assert {name for label, name in zip(labels, names, strict=True) if label == "rare"} == {"train", "valid", "test"}


def test_a_common_label_that_stands_beside_rarer_ones_only_reaches_every_split():
    labels, groups = ["rare"] * 24, [f"person {n}" for n in range(24)]
    labels += ["common"] * 60
    groups += [f"person {n % 3}" for n in range(60)]
    names = split_rows(labels, groups, FRACTIONS, seed=13)
    assert len(set(zip(labels, names, strict=True))) == 6
    assert len(set(zip(groups, names, strict=True))) == 24


def test_a_label_whose_groups_others_need_is_named():
    labels = ["rare", "rare", "rare", "common", "common", "common", "common"]
    groups = ["1", "2", "3", "1", "1", "2", "2"]
    with pytest.raises(UserMistake, match=r"'common' is too rare .*: 2 different .*, which other labels need, too"):
        split_rows(labels, groups, FRACTIONS, seed=1)


@given(st.lists(st.tuples(st.sampled_from("aaabbc"), st.integers(0, 40)), min_size=1, max_size=200), st.integers())
def test_labels_of_mixed_groups_reach_all_splits_or_are_named(rows, seed):
    labels, groups = [label for label, _ in rows], [str(group) for _, group in rows]
    try:
        names = split_rows(labels, groups, FRACTIONS, seed)
    except UserMistake as error:
        assert "is too rare to be split" in str(error)  # noqa: PT017  (either may happen)
    else:
        assert len(set(zip(groups, names, strict=True))) == len(set(groups))
        assert len(set(zip(labels, names, strict=True))) == 3 * len(set(labels))


def test_big_groups_do_not_blow_a_split_up():
    groups = ["crowd"] * 500 + [str(n) for n in range(500)]
    names = split_rows(["sad"] * 1_000, groups, FRACTIONS, seed=5)
    assert Counter(names) == {"train": 800, "valid": 100, "test": 100}


def test_share_of_nothing_means_no_such_split():
    labels = ["sad"] * 10
    assert set(split_rows(labels, own_groups(labels), {"test": 0.0, "valid": 0.1}, 1)) == {"train", "valid"}


def test_rare_labels_are_named():
    labels = ["sad"] * 10 + ["odd", "odd", "rare"]
    with pytest.raises(
        UserMistake, match=r"Label 'odd' is too rare .*: 2 different .*; so are 1 more labels\. .*--test-fraction 0"
    ):
        split_rows(labels, own_groups(labels), FRACTIONS, 1)


@pytest.mark.parametrize(
    "fractions", [{"test": -0.1}, {"test": 1.0}, {"test": 0.5, "valid": 0.5}, {"test": float("nan")}]
)
def test_impossible_shares(fractions):
    with pytest.raises(UserMistake, match=r"[Ss]hare"):
        split_rows(["sad"] * 10, own_groups(["sad"] * 10), fractions, 1)
