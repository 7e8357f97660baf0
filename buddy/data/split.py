"""Dividing rows into train, valid and test: every label in each, no group in two, the same way every time.

scikit-learn has the two halves of this (stratified, and by group) and slowly both at once (StratifiedGroupKFold, in
folds of equal size). What is needed here is short, takes any fractions, and does not change with a library's version.
"""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import product

from buddy.errors import UserMistake, quote


def split_rows(labels: Sequence[str], groups: Sequence[str], fractions: Mapping[str, float], seed: int) -> list[str]:
    """Give each row the name of its split.

    A group goes as a whole and counts for the rarest of its labels, so that rare labels are the ones spread with care.
    Where a commoner label misses a split after that, a group with it moves there.

    Args:
        labels: (N,) the label of each row.
        groups: (N,) rows with the same group end up in the same split.
        fractions: the share of rows of each split but train, such as ``{"valid": 0.1, "test": 0.1}``; what is left
            is train. A share of 0 means no such split.
        seed: another one divides otherwise.

    Returns:
        (N,) "train" or a name from ``fractions``. Each label has at least one group in every split.

    Raises:
        UserMistake: the fractions leave nothing for train, or a label cannot be in every split: it has fewer groups
            than there are splits, or none of them can be moved without taking another label out of a split.

    Example:
        >>> labels = ["sad"] * 10 + ["glad"] * 10
        >>> split = split_rows(labels, [str(row) for row in range(20)], {"valid": 0.2, "test": 0.1}, seed=13)
        >>> [sum(name == split_name for name in split) for split_name in ("train", "valid", "test")]
        [14, 4, 2]
    """
    check_fractions(fractions)
    wanted = {name: share for name, share in fractions.items() if share > 0}
    labels_of: dict[str, set[str]] = defaultdict(set)
    for label, group in zip(labels, groups, strict=True):
        labels_of[group].add(label)
    strata = _groups_by_rarest_label(labels_of, Counter(labels))
    _check_enough_groups(strata, ("train", *wanted))
    sizes = Counter(groups)
    shuffle = random.Random(seed).shuffle  # noqa: S311  (no secret; must give the same order for ever)
    split_of = dict.fromkeys(labels_of, "train")
    for own_groups in strata.values():
        shuffle(own_groups)
        rows = sum(sizes[group] for group in own_groups)
        split_of.update(_deal(own_groups, sizes, {name: round(share * rows) for name, share in wanted.items()}))
    _reach_every_split(split_of, labels_of, sizes, ("train", *wanted))
    return [split_of[group] for group in groups]


def check_fractions(fractions: Mapping[str, float]) -> None:
    """Make sure that shares of the rows leave some for train.

    Raises:
        UserMistake: they do not, or one is no share.
    """
    for name, share in fractions.items():
        if not 0 <= share < 1:
            raise UserMistake(f"The share of the {name} split must be at least 0 and less than 1, not {share}.")
    if sum(fractions.values()) >= 1:
        raise UserMistake(
            f"The shares of {' and '.join(fractions)} leave nothing to train on; they must sum to less than 1."
        )


def _groups_by_rarest_label(labels_of: Mapping[str, set[str]], count: Mapping[str, int]) -> dict[str, list[str]]:
    """Sort groups by the rarest label among their rows; labels go by name, groups in the order of the rows."""
    strata: dict[str, list[str]] = {label: [] for label in sorted(count)}
    for group, own_labels in labels_of.items():
        strata[min(own_labels, key=lambda label: (count[label], label))].append(group)
    return {label: own_groups for label, own_groups in strata.items() if own_groups}


def _check_enough_groups(strata: Mapping[str, Sequence[str]], splits: Sequence[str]) -> None:
    short = [label for label, groups in strata.items() if len(groups) < len(splits)]
    if short:
        others = f"; so are {len(short) - 1} more labels" if len(short) > 1 else ""
        raise _too_rare(short[0], len(strata[short[0]]), others, splits)


def _too_rare(label: str, groups: int, more: str, splits: Sequence[str]) -> UserMistake:
    return UserMistake(
        f"Label {quote(label)} is too rare to be split: {groups} different texts or groups{more}. "
        f"Each of {', '.join(splits)} needs one: add rows, rename the label to a commoner one, or leave a split out "
        "with --test-fraction 0 or --valid-fraction 0."
    )


def _reach_every_split(
    split_of: dict[str, str], labels_of: Mapping[str, set[str]], sizes: Mapping[str, int], splits: Sequence[str]
) -> None:
    """Move groups to the splits that lack one of their labels: the smallest of those that no label needs elsewhere."""
    count = Counter((split_of[group], label) for group, own in labels_of.items() for label in own)  # of groups
    for label, split in product(sorted(set().union(*labels_of.values())), splits):
        if count[split, label]:
            continue
        holders = [group for group, own in labels_of.items() if label in own]
        movable = [group for group in holders if all(count[split_of[group], own] > 1 for own in labels_of[group])]
        if not movable:
            raise _too_rare(label, len(holders), ", which other labels need, too", splits)
        group = min(movable, key=lambda group: sizes[group])
        count.subtract((split_of[group], own) for own in labels_of[group])
        count.update((split, own) for own in labels_of[group])
        split_of[group] = split


def _deal(groups: Sequence[str], sizes: Mapping[str, int], targets: Mapping[str, int]) -> dict[str, str]:
    """Hand out groups until each split has about its number of rows; every split and train get at least one."""
    dealt: dict[str, str] = {}
    for served, (name, target) in enumerate(targets.items()):
        left = [group for group in groups if group not in dealt]
        splits_still_to_serve = len(targets) - served  # the later ones, and train
        chosen = _take(left, sizes, target, at_most=len(left) - splits_still_to_serve)
        dealt.update(dict.fromkeys(chosen, name))
    return dealt


def _take(groups: Sequence[str], sizes: Mapping[str, int], target: int, at_most: int) -> list[str]:
    chosen: list[str] = []
    for group in groups:
        if sizes[group] <= target and len(chosen) < at_most:
            chosen.append(group)
            target -= sizes[group]
    return chosen or [min(groups, key=lambda group: sizes[group])]
