"""How many texts a second this machine classifies, by the size of the model and by how many are asked at once.

python docs/scale.py

The models have GPT-2's shape in three sizes and random weights, which compute as long as trained ones; they are
exported in int8. The texts are the built-in situations.
"""

import statistics
import tempfile
import time
from pathlib import Path

from buddy.data.builtin import read_builtin
from buddy.inference.classifier import Classifier, load_classifier
from buddy.inference.export import export_model
from buddy.training.backbone import SCRATCH_SHAPES, new_backbone, new_tokenizer
from buddy.training.checkpoint import save_model
from buddy.training.settings import TrainSettings

TEXTS = {"scratch:tiny": 3000, "scratch:small": 1500, "scratch:gpt2": 256}
AT_ONCE = (1, 8, 64, 256)
ROUNDS = 3


def main() -> None:
    """Print both tables."""
    source = read_builtin()
    texts = [example.text for rows in source.examples.values() for example in rows]
    labels = source.labels()
    tokenizer = new_tokenizer((f" {text}" for text in texts), labels, 8192)
    print("| parameters | " + " | ".join(f"{number} at once" for number in AT_ONCE) + " | a million texts |")
    print("| --- | " + "--- | " * (len(AT_ONCE) + 1))
    for name in SCRATCH_SHAPES:
        backbone = new_backbone(name, tokenizer)
        with tempfile.TemporaryDirectory() as folder:
            checkpoint, exported = Path(folder) / "checkpoint", Path(folder) / "exported"
            save_model(checkpoint, backbone, labels, TrainSettings(Path(), Path()))
            export_model(checkpoint, exported)
            rates = [measure(load_classifier(exported), texts[: TEXTS[name]], number) for number in AT_ONCE]
        size = f"{backbone.parameters()[0] / 1e6:.1f}M"
        minutes = 1e6 / rates[-1] / 60
        print(f"| {size} | " + " | ".join(f"{rate:,.0f}/s" for rate in rates) + f" | {minutes:,.0f} min |", flush=True)


def measure(classifier: Classifier, texts: list[str], at_once: int) -> float:
    """Give the texts a second, the median of some rounds after one that warms up."""
    seconds = []
    for _ in range(ROUNDS + 1):
        started = time.perf_counter()
        for start in range(0, len(texts), at_once):
            classifier.probabilities(texts[start : start + at_once])
        seconds.append(time.perf_counter() - started)
    return len(texts) / statistics.median(seconds[1:])


if __name__ == "__main__":
    main()
