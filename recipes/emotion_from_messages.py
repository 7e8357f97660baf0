"""Choose of which messages of a conversation an emotion is read.

    python -m recipes.emotion_from_messages companion data/ed-recipe

On the validation conversations of a slice of train with two messages of the speaker or more: how often the emotion is
named rightly from the last message, from the last two, from all. *At a change* is the first message after another
conversation, like somebody who talks of something else now; *after* it, that conversation's last message.
"""

import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from buddy.data.prepared import read_prepared
from buddy.inference.classifier import Classifier, load_classifier
from buddy.inference.folder import find_model_folder
from buddy.inference.labels import Scores

Turns = Sequence[str]
Way = Callable[[Sequence[Turns]], Scores]


def main(model: str, data: Path) -> None:
    """Print a line for each way of reading."""
    companion = load_classifier(find_model_folder(Path(model)))
    dialogues = [one for one in read_prepared(data).dialogues("valid") if len(one.turns) >= 3]
    truth = [companion.labels.index(one.emotion) for one in dialogues]
    talks = [one.turns if len(one.turns) % 2 else one.turns[:-1] for one in dialogues]
    others = random.Random(0).sample(talks, len(talks))  # noqa: S311
    at_change = [[*other, "Oh.", talk[0]] for other, talk in zip(others, talks, strict=True)]
    after = [[*other, "Oh.", *talk] for other, talk in zip(others, talks, strict=True)]
    print(f"{len(talks)} conversations: right; right at a change, and after it (%)")
    for name, way in ways(companion).items():
        shares = [100 * float((way(some).argmax(axis=1) == truth).mean()) for some in (talks, at_change, after)]
        print(f"{name:28}" + "".join(f"{share:6.1f}" for share in shares), flush=True)


def ways(companion: Classifier) -> dict[str, Way]:
    """Give the ways of reading; messages stand in the even places of a conversation."""

    def messages(most: int) -> Way:
        return lambda talks: companion.probabilities([" ".join(talk[::2][-most:]) for talk in talks])

    def more_certain(one: Way, other: Way) -> Way:
        def way(talks: Sequence[Turns]) -> Scores:
            a, b = one(talks), other(talks)
            return np.where(a.max(axis=1, keepdims=True) >= b.max(axis=1, keepdims=True), a, b)

        return way

    def both(one: Way, other: Way) -> Way:
        return lambda talks: np.sqrt(one(talks) * other(talks))

    def mean(share: float, one: Way, other: Way) -> Way:
        return lambda talks: share * one(talks) + (1 - share) * other(talks)

    conversation = companion.conversation_probabilities

    return {
        "last message": messages(1),
        "last two messages": messages(2),
        "the more certain of these": more_certain(messages(1), messages(2)),
        "all messages": messages(1000),
        "conversation with replies": conversation,
        "its last three turns": lambda talks: conversation([talk[-3:] for talk in talks]),
        "it or the last message": more_certain(messages(1), conversation),
        "it and the last message": both(messages(1), conversation),
        **{f"mean, message {share}": mean(share, messages(1), conversation) for share in (0.2, 0.3, 0.4, 0.5)},
    }


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
