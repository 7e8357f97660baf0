"""Judge the replies that `buddy chat` gives, beside those of people in the same places.

    python -m recipes.judge_replies companion data/empathetic-dialogues

In 500 places of ED's validation conversations the companion replies, the best of its candidates; nothing was chosen on
them. Counted is what must not be: empty, special tokens, echoes, loops, repeated runs of four words; and distinct-2.
"""

import random
import sys
from dataclasses import asdict, replace
from pathlib import Path

from buddy.companion.reply import TO_CHOOSE_FROM, Replies, best_reply
from buddy.data.prepared import read_prepared
from buddy.evaluation.companion import places_of
from buddy.evaluation.generated import compare_with_references, describe_replies
from buddy.inference.classifier import load_classifier
from buddy.inference.folder import find_model_folder
from buddy.progress import progress

PLACES = 500


def main(model: str, data: Path) -> None:
    """Print what the replies are like, and what people's are like."""
    companion = load_classifier(find_model_folder(Path(model)))
    places = places_of(read_prepared(data).dialogues("valid"))
    random.Random(1).shuffle(places)  # noqa: S311
    places = places[:PLACES]
    replies = []
    with progress("replying", total=len(places), unit="replies") as bar:
        for seed, place in enumerate(places):
            replies.append(best_reply(companion, place.context, Replies(replace(TO_CHOOSE_FROM, seed=seed))))
            bar.advance(1)
    answered, references = [place.context[-1] for place in places], [place.reference for place in places]
    ours, people = describe_replies(replies, answered), describe_replies(references, answered)
    for name, value in asdict(ours).items():
        print(f"{name:16}{value:8.3f}   people {getattr(people, name):.3f}")
    print(f"distinct-2 over people's: {ours.distinct_2 / people.distinct_2:.1%}")
    print(compare_with_references(replies, references))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
