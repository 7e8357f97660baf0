"""A checkpoint that can be asked for emotions."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from torch import nn

from buddy.errors import UserMistake, quote
from buddy.files import recover_folder, write_json
from buddy.inference.labels import LabelTrie, make_trie, score_labels
from buddy.text.render import END, LAYOUT_VERSION, render_emotion_question
from buddy.text.tokenizer import Codec
from buddy.training.device import Device, choose_device, keep_freed_memory


@dataclass(frozen=True)
class Classifier:
    """A model, its tokenizer, and the labels that it tells apart.

    Attributes:
        model: a Hugging Face causal language model in evaluation mode.
        codec: its tokenizer.
        labels: in the order of the columns that ``log_scores`` gives.
        device: where the model is.
        temperature: scores are divided by it before they become probabilities; fitted on validation data.
        max_tokens: of a longer text only the end is read.
    """

    model: nn.Module
    codec: Codec
    labels: tuple[str, ...]
    device: Device
    temperature: float
    max_tokens: int

    def log_scores(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Give each text's log-probability of each label, before the temperature.

        Args:
            texts: any number, of any length, in any order; the result does not depend on their company.

        Returns:
            (N, E) rows whose exponentials sum to 1.
        """
        return score_texts(self.model, texts, self.codec, self.trie(), self.device, self.max_tokens)

    def probabilities(self, texts: Sequence[str]) -> npt.NDArray[np.float64]:
        """Give each text's calibrated probability of each label: (N, E), rows sum to 1."""
        scaled = self.log_scores(texts) / self.temperature
        exponentials = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        probabilities: npt.NDArray[np.float64] = exponentials / exponentials.sum(axis=1, keepdims=True)
        return probabilities

    def trie(self) -> LabelTrie:
        """Give the labels' tokens as a trie."""
        return label_trie(self.codec, self.labels)


def label_trie(codec: Codec, labels: Sequence[str]) -> LabelTrie:
    """Arrange labels in a trie as the tokenizer spells them.

    Raises:
        UserMistake: the tokenizer spells two labels alike, such as Sad and sad when it knows no capitals.
    """
    spelled: dict[tuple[int, ...], str] = {}
    for label in labels:
        tokens = codec.encode_label(label)
        if tokens in spelled:
            raise UserMistake(
                f"The model cannot tell the labels {quote(spelled[tokens])} and {quote(label)} apart; rename one."
            )
        spelled[tokens] = label
    return make_trie(list(spelled), codec.special_ids[END])


def score_texts(
    model: nn.Module, texts: Sequence[str], codec: Codec, trie: LabelTrie, device: Device, max_tokens: int
) -> npt.NDArray[np.float64]:
    """Ask a model for the emotion of texts: (N, E) log-probabilities over the labels of ``trie``."""
    questions = codec.encode([render_emotion_question(text) for text in texts], max_tokens - trie.room)
    return score_labels(model, questions, trie, device)


def load_classifier(checkpoint: Path, device: str = "auto", number_format: str = "auto") -> Classifier:
    """Load a checkpoint of a run (``RUN/best``) to ask it for emotions.

    Args:
        checkpoint: a folder that ``buddy train`` wrote.
        device: as for ``choose_device``.
        number_format: as for ``choose_device``.

    Raises:
        UserMistake: the folder is no checkpoint of buddy's, or one of another layout: it would answer nonsense.
    """
    from buddy.training.backbone import load_backbone, quiet_transformers

    quiet_transformers()
    keep_freed_memory()
    recover_folder(checkpoint)
    facts = _read_facts(checkpoint)
    backbone = load_backbone(str(checkpoint))
    place = choose_device(device, number_format)
    model: nn.Module = backbone.model
    return Classifier(
        model.to(place.name).eval(),
        backbone.codec,
        tuple(facts["labels"]),
        place,
        float(facts["temperature"]),
        min(facts["max_tokens"], backbone.positions),
    )


def save_temperature(checkpoint: Path, temperature: float) -> None:
    """Write a fitted temperature into a checkpoint."""
    write_json(checkpoint / "buddy.json", {**_read_facts(checkpoint), "temperature": temperature})


def _read_facts(checkpoint: Path) -> dict[str, Any]:
    file = checkpoint / "buddy.json"
    try:
        facts = json.loads(file.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError, RecursionError) as error:
        raise UserMistake(
            f"{checkpoint} is no checkpoint of buddy's (no readable buddy.json); `buddy train` makes one."
        ) from error
    if not isinstance(facts, dict) or facts.get("layout_version") != LAYOUT_VERSION:
        raise UserMistake(f"{checkpoint} was trained on another text layout; train it again with this version.")
    if not _are_sound(facts):
        raise UserMistake(f"{file} is damaged; train the model again.")
    return facts


def _are_sound(facts: dict[str, Any]) -> bool:
    """Tell whether a checkpoint's facts are of their kinds: wrong ones would give answers, and nonsense."""
    labels, temperature, max_tokens = (facts.get(name) for name in ("labels", "temperature", "max_tokens"))
    return (
        isinstance(labels, list)
        and all(isinstance(label, str) for label in labels)
        and len(labels) == len(set(labels)) > 1
        and isinstance(temperature, int | float)
        and 0 < temperature < math.inf
        and isinstance(max_tokens, int)
        and max_tokens >= 16
    )
