"""Where an emotion lies: between unpleasant and pleasant (valence), and between calm and excited (arousal).

People rated single words on two scales from 1 to 9; here 5, the middle, becomes 0, and the ends -1 and 1. These are the
ratings of the 32 emotions of EmpatheticDialogues. Four labels are rated by their base form ("care" for caring), and for
devastated, which nobody rated, "devastating" stands in: it says what devastates, not who is devastated.

Source: Warriner, Kuperman and Brysbaert 2013, "Norms of valence, arousal, and dominance for 13,915 English lemmas",
Behavior Research Methods 45, 1191-1207. Their list is not part of buddy; the means of these words are quoted from it.
"""

from collections.abc import Mapping
from typing import NamedTuple

MIDDLE, REACH = 5, 4
"""Of the scale on which words were rated: from 1 to 9."""

EVEN = 0.1
"""So near to the middle it is neither: neither pleasant nor unpleasant, neither calm nor excited."""

Affects = Mapping[str, tuple[float, float]]
"""Valence and arousal of each label, both between -1 and 1."""


class Rating(NamedTuple):
    """What people said of a word: the mean of about twenty answers for each scale, from 1 to 9."""

    valence: float
    arousal: float
    word: str = ""
    """What was rated, where it is not the label itself."""


class Affect(NamedTuple):
    """How pleasant and how excited, both between -1 and 1."""

    valence: float
    arousal: float


RATINGS: Mapping[str, Rating] = {
    "afraid": Rating(2.25, 5.12),
    "angry": Rating(2.53, 6.20),
    "annoyed": Rating(2.80, 5.29),
    "anticipating": Rating(6.00, 5.70, "anticipate"),
    "anxious": Rating(3.80, 6.20),
    "apprehensive": Rating(3.32, 4.77),
    "ashamed": Rating(2.52, 5.65),
    "caring": Rating(7.64, 2.67, "care"),
    "confident": Rating(7.56, 4.62),
    "content": Rating(6.70, 3.17),
    "devastated": Rating(2.09, 5.50, "devastating"),
    "disappointed": Rating(2.65, 4.47),
    "disgusted": Rating(2.68, 4.89),
    "embarrassed": Rating(3.51, 5.38),
    "excited": Rating(8.11, 6.43),
    "faithful": Rating(7.95, 4.48),
    "furious": Rating(2.57, 6.09),
    "grateful": Rating(7.50, 4.29),
    "guilty": Rating(3.09, 4.65),
    "hopeful": Rating(7.44, 4.84),
    "impressed": Rating(6.66, 4.90),
    "jealous": Rating(2.38, 5.90),
    "joyful": Rating(8.21, 5.53),
    "lonely": Rating(2.67, 4.37),
    "nostalgic": Rating(6.68, 4.37),
    "prepared": Rating(5.32, 4.15, "prepare"),
    "proud": Rating(7.00, 5.55),
    "sad": Rating(2.10, 3.49),
    "sentimental": Rating(6.27, 2.95),
    "surprised": Rating(6.57, 5.95),
    "terrified": Rating(2.51, 6.10),
    "trusting": Rating(7.24, 4.30, "trust"),
}

AFFECTS: Affects = {
    label: Affect((rating.valence - MIDDLE) / REACH, (rating.arousal - MIDDLE) / REACH)
    for label, rating in RATINGS.items()
}


def expected_affect(probabilities: Mapping[str, float], affects: Affects = AFFECTS) -> Affect | None:
    """Tell how pleasant and how excited it is on average, each emotion counting with its probability.

    Args:
        probabilities: of every label; they should sum to 1, and are divided by their sum.
        affects: where each label lies.

    Returns:
        ``None`` if a label has no place: the others alone would shift the mean to one side.

    Example:
        >>> affect = expected_affect({"cheerful": 0.75, "bored": 0.25}, {"cheerful": (0.8, 0.4), "bored": (-0.4, -0.8)})
        >>> round(affect.valence, 2), round(affect.arousal, 2)
        (0.5, 0.1)
    """
    total = sum(probabilities.values())
    if not total or any(label not in affects for label in probabilities):
        return None
    valence, arousal = (
        sum(share * affects[label][axis] for label, share in probabilities.items()) / total for axis in (0, 1)
    )
    return Affect(valence, arousal)


def affect_in_words(affect: Affect) -> str:
    """Say how pleasant and how excited something is.

    Example:
        >>> affect_in_words(Affect(0.4, -0.2)), affect_in_words(Affect(-0.4, 0.2)), affect_in_words(Affect(0.0, 0.0))
        ('pleasant and calm', 'unpleasant and tense', 'neither pleasant nor unpleasant')
    """
    pleasant = side(affect.valence, "unpleasant", "pleasant")
    excited = side(affect.arousal, "calm", "tense" if pleasant == "unpleasant" else "excited")
    if not pleasant:
        return ", ".join(filter(None, ("neither pleasant nor unpleasant", excited)))
    return " and ".join(filter(None, (pleasant, excited)))


def side(value: float, below: str, above: str) -> str:
    """Name the side of the middle on which a value lies; nothing for what is as near to it as ``EVEN``."""
    if abs(value) <= EVEN:
        return ""
    return above if value > 0 else below
