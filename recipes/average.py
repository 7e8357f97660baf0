"""Average runs that began at the same base, and tell how each of them, and the average, names emotions.

    python -m recipes.average data/ed-recipe runs/companion-* --out runs/companion-0-8e-4/best

The average may take the place of the `best/` of one of the runs, as above, so that `buddy evaluate` and `buddy export`
take it for that run's own. Runs that began at the same weights end near each other, and their mean is often better than
any of them. What is printed is of the validation split: accuracy of situations, their surprise (NLL), and accuracy of
whole conversations.

Source: Wortsman et al. 2022, "Model soups: averaging weights of multiple fine-tuned models improves accuracy without
increasing inference time", algorithm of the uniform soup.
"""

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from buddy.data.prepared import PreparedData, read_prepared
from buddy.files import atomic_folder
from buddy.inference.classifier import load_classifier
from buddy.records import Dialogue

WEIGHTS = "model.safetensors"


def average(runs: Sequence[Path], out: Path) -> None:
    """Write a checkpoint with the mean of the last weights of some runs."""
    weights = [load_file(run / "last" / WEIGHTS) for run in runs]
    mean = {name: torch.stack([one[name] for one in weights]).mean(dim=0) for name in weights[0]}
    with atomic_folder(out) as temporary:
        for file in (runs[0] / "last").iterdir():
            if file.is_file():
                shutil.copy(file, temporary)
        save_file(mean, temporary / WEIGHTS, metadata={"format": "pt"})


def score(checkpoint: Path, data: PreparedData) -> str:
    """Tell how a model does on the validation split."""
    model = load_classifier(checkpoint)
    examples, talks = data.examples("valid"), data.dialogues("valid")
    answers = model.probabilities([example.text for example in examples])
    truth = np.array([model.labels.index(example.label) for example in examples])
    surprise = -np.log(answers[np.arange(len(truth)), truth]).mean()
    felt = model.conversation_probabilities([_up_to_speaker(talk) for talk in talks]).argmax(axis=1)
    right_of_talks = np.mean(felt == [model.labels.index(talk.emotion) for talk in talks])
    right = np.mean(answers.argmax(axis=1) == truth)
    return f"situations {right:.1%}, NLL {surprise:.3f}; conversations {right_of_talks:.1%}"


def _up_to_speaker(talk: Dialogue) -> Sequence[str]:
    return talk.turns if len(talk.turns) % 2 else talk.turns[:-1]


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("runs", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    data = read_prepared(given.data)
    average(given.runs, given.out)
    for checkpoint in (*(run / "last" for run in given.runs), given.out):
        print(f"{checkpoint}: {score(checkpoint, data)}", flush=True)


if __name__ == "__main__":
    main()
