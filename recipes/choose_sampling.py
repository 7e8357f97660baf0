"""Choose how replies are sampled: written replies under several settings, beside those of people.

    python -m recipes.choose_sampling buddy/models/companion data/ed-recipe

People's replies are the measure: a setting is good if its replies vary as theirs do and still have much in common with
theirs (chrF). Both cannot be had: what is likelier has more in common, and repeats itself. The replies are those that
`buddy chat` gives, the best of four candidates.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from buddy.companion.reply import Replies, best_reply
from buddy.data.prepared import read_prepared
from buddy.evaluation.companion import places_of
from buddy.evaluation.generated import compare_with_references, describe_replies
from buddy.inference.classifier import Classifier, load_classifier
from buddy.inference.engine import Sampling
from buddy.progress import progress

CONVERSATIONS = 200
SETTINGS = [Sampling(temperature=t, top_p=p) for t in (0.6, 0.8, 1.0) for p in (0.9, 0.95)]


def main(model: Path, data: Path) -> None:
    """Print a line for each setting, and one for people."""
    companion = load_classifier(model)
    places = places_of(read_prepared(data).dialogues("valid")[:CONVERSATIONS])
    contexts, references = [place.context for place in places], [place.reference for place in places]
    written = {f"{s.temperature} {s.top_p}": _replies(companion, contexts, s) for s in SETTINGS}
    print("temperature, top_p: distinct-1, distinct-2, words, said elsewhere, echoes, loops; BLEU-4, chrF")
    for name, replies in {**written, "people": references}.items():
        traits = describe_replies(replies, [context[-1] for context in contexts])
        print(name, traits, compare_with_references(replies, references))


def _replies(companion: Classifier, contexts: Sequence[Sequence[str]], sampling: Sampling) -> list[str]:
    """Reply after each context, with another seed at each."""
    replies = []
    with progress(f"{sampling.temperature} {sampling.top_p}", total=len(contexts), unit="replies") as bar:
        for seed, context in enumerate(contexts):
            replies.append(best_reply(companion, context, Replies(replace(sampling, seed=seed))))
            bar.advance(1)
    return replies


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
