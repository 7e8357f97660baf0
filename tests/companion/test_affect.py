import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from buddy.companion.affect import AFFECTS, RATINGS, Affect, affect_in_words, expected_affect, side
from buddy.models import find_model

GLASGOW = {
    "afraid": 2.206,
    "angry": 2.394,
    "anxious": 2.657,
    "ashamed": 1.844,
    "confident": 7.813,
    "disappointed": 2.441,
    "disgusted": 2.029,
    "excited": 8.143,
    "faithful": 7.800,
    "grateful": 7.182,
    "guilty": 2.294,
    "hopeful": 7.529,
    "jealous": 2.294,
    "joyful": 7.971,
}
"""Mean valence, from 1 to 9, by other people. Source: Scott et al. 2019, "The Glasgow Norms: Ratings of 5,500 words on
nine scales", Behavior Research Methods 51 (CC BY 4.0)."""

PLEASANT = (
    "anticipating caring confident content excited faithful grateful hopeful impressed joyful nostalgic prepared proud "
    "sentimental surprised trusting"
)

shares = st.dictionaries(st.sampled_from(sorted(AFFECTS)), st.floats(0.01, 1), min_size=1)


def test_every_emotion_of_the_companion_has_a_place():
    folder = find_model("companion")
    assert folder
    assert set(AFFECTS) == set(json.loads((folder / "buddy.json").read_text("utf-8"))["labels"])


def test_other_people_find_the_same_emotions_pleasant():
    ours = [RATINGS[label].valence for label in GLASGOW]
    assert np.corrcoef(ours, list(GLASGOW.values()))[0, 1] > 0.98


def test_emotions_are_on_the_side_that_anybody_would_say():
    assert " ".join(sorted(label for label, (valence, _) in AFFECTS.items() if valence > 0)) == PLEASANT


def test_calm_and_excited_are_told_apart():
    calmest = sorted(AFFECTS, key=lambda label: AFFECTS[label][1])
    assert set(calmest[:4]) == {"caring", "sentimental", "content", "sad"}
    assert {"excited", "angry", "anxious", "terrified", "furious"} <= set(calmest[-6:])


def test_ends_of_the_scale_become_one():
    assert AFFECTS["joyful"] == pytest.approx((3.21 / 4, 0.53 / 4))
    assert AFFECTS["sad"] == pytest.approx((-2.9 / 4, -1.51 / 4))


def test_labels_that_were_rated_by_another_form_say_so():
    assert {label: rating.word for label, rating in RATINGS.items() if rating.word} == {
        "anticipating": "anticipate",
        "caring": "care",
        "devastated": "devastating",
        "prepared": "prepare",
        "trusting": "trust",
    }


def test_the_documentation_has_the_same_values():
    page = (Path(__file__).parents[2] / "docs" / "mood.md").read_text("utf-8")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in page.splitlines() if line.count("|") == 7]
    shown = {label: (word.strip("“”"), *map(float, numbers)) for label, word, *numbers in rows[2:]}
    assert shown == {
        label: (rating.word, rating.valence, rating.arousal, *(round(value, 2) for value in AFFECTS[label]))
        for label, rating in RATINGS.items()
    }


def test_an_expectation_by_hand():
    own = {"bored": (-0.5, -1.0), "cheerful": (1.0, 0.5), "calm": (0.0, -0.5)}
    found = expected_affect({"bored": 0.5, "cheerful": 0.25, "calm": 0.25}, own)
    assert found == pytest.approx((-0.25 + 0.25 + 0, -0.5 + 0.125 - 0.125))


def test_a_label_without_a_place_leaves_none():
    assert expected_affect({"sad": 0.9, "bored": 0.1}) is None
    assert expected_affect({}) is None


@given(shares, st.floats(0.1, 10))
def test_a_mean_lies_between_what_it_is_made_of_and_does_not_depend_on_the_sum(some, factor):
    found = expected_affect(some)
    assert found
    for axis in (0, 1):
        values = [AFFECTS[label][axis] for label in some]
        assert min(values) - 1e-9 <= found[axis] <= max(values) + 1e-9
    assert expected_affect({label: factor * share for label, share in some.items()}) == pytest.approx(found)


@pytest.mark.parametrize(
    ("valence", "arousal", "words"),
    [
        (0.5, 0.5, "pleasant and excited"),
        (0.5, 0.0, "pleasant"),
        (0.5, -0.5, "pleasant and calm"),
        (-0.5, 0.5, "unpleasant and tense"),
        (-0.5, 0.0, "unpleasant"),
        (-0.5, -0.5, "unpleasant and calm"),
        (0.1, 0.1, "neither pleasant nor unpleasant"),
        (-0.05, 0.2, "neither pleasant nor unpleasant, excited"),
    ],
)
def test_a_place_in_words(valence, arousal, words):
    assert affect_in_words(Affect(valence, arousal)) == words


def test_the_middle_is_on_no_side():
    assert [side(value, "below", "above") for value in (-0.11, -0.1, 0.0, 0.1, 0.11)] == ["below", "", "", "", "above"]
