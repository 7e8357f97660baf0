"""A model that can be asked for emotions.

Shapes: `N` texts, `E` labels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from buddy.errors import UserMistake, install
from buddy.files import whole_folder
from buddy.inference.engine import Engine
from buddy.inference.folder import Facts, is_exported, read_facts
from buddy.inference.labels import LabelTrie, Scores, label_trie, log_softmax
from buddy.text.render import EMOTION_TYPE, Piece, render_conversation, render_emotion_question
from buddy.text.tokenizer import Codec

if TYPE_CHECKING:
    from torch import nn

    from buddy.training.device import Device


@dataclass(frozen=True)
class Classifier:
    """A model, its tokenizer, and the labels that it tells apart.

    Attributes:
        engine: what computes, with the model's tokenizer.
        labels: in the order of the columns of every answer.
        temperature: scores are divided by it before they become probabilities; fitted on validation data.
        max_tokens: of a longer text only the end is read.
        task: what the model was trained for.
    """

    engine: Engine
    labels: tuple[str, ...]
    temperature: float
    max_tokens: int
    task: str = "emotion"

    @property
    def codec(self) -> Codec:
        """The tokenizer."""
        return self.engine.codec

    def log_scores(self, texts: Sequence[str]) -> Scores:
        """Give each text's log-probability of each label, before the temperature.

        Args:
            texts: any number, of any length, in any order; the result does not depend on their company.

        Returns:
            (N, E) rows whose exponentials sum to 1.
        """
        return self._ask([render_emotion_question(text) for text in texts])

    def probabilities(self, texts: Sequence[str]) -> Scores:
        """Give each text's calibrated probability of each label: (N, E), rows sum to 1."""
        return self._temper(self.log_scores(texts))

    def conversation_probabilities(self, conversations: Sequence[Sequence[str]]) -> Scores:
        """Give the probabilities of what the speaker feels after the last turn of each conversation.

        The temperature is that of single texts.

        Args:
            conversations: the turns so far, the speaker's first and last.

        Returns:
            (N, E) rows that sum to 1.
        """
        ask = Piece(EMOTION_TYPE, special=True)
        questions = [(*render_conversation(turns), ask) for turns in conversations]
        return self._temper(self._ask(questions))

    @cached_property
    def _trie(self) -> LabelTrie:
        return label_trie(self.codec, self.labels)

    def _ask(self, questions: Sequence[Sequence[Piece]]) -> Scores:
        return self.engine.score_labels(self.codec.encode(questions, self.max_tokens - self._trie.room), self._trie)

    def _temper(self, log_scores: Scores) -> Scores:
        return np.exp(log_softmax(log_scores / self.temperature))


def score_texts(
    model: "nn.Module",
    texts: Sequence[str],
    codec: Codec,
    trie: LabelTrie,
    device: "Device",
    max_tokens: int,
    tokens_per_pass: int = 0,
) -> Scores:
    """Ask a model that is in training for the emotion of texts.

    Args:
        model: in evaluation mode.
        texts: any number.
        codec: its tokenizer.
        trie: of the labels.
        device: where the model is.
        max_tokens: of a longer text only the end is read.
        tokens_per_pass: as for ``torch_labels.score_labels``.

    Returns:
        (N, E) log-probabilities over the labels of ``trie``.
    """
    from buddy.inference.torch_labels import score_labels

    questions = codec.encode([render_emotion_question(text) for text in texts], max_tokens - trie.room)
    return score_labels(model, questions, trie, device, tokens_per_pass)


def load_classifier(folder: Path, device: str = "auto", number_format: str = "auto") -> Classifier:
    """Load a model to ask it for emotions.

    Args:
        folder: a checkpoint of a run (``RUN/best``), or what `buddy export` made of one.
        device: as for ``choose_device``; an exported model runs on the CPU unless it is told ``"cuda"``.
        number_format: as for ``choose_device``; an exported model keeps the one it was exported in.

    Raises:
        UserMistake: the folder is none of buddy's, its weights are damaged or missing, or it needs PyTorch and
            that is not installed.
    """
    folder = whole_folder(folder)
    facts = read_facts(folder)
    engine, max_tokens = (
        _load_exported(folder, facts, device)
        if is_exported(folder)
        else _load_checkpoint(folder, facts, device, number_format)
    )
    return Classifier(engine, facts.labels, facts.temperature, max_tokens, facts.task)


def _load_exported(folder: Path, facts: Facts, device: str) -> tuple[Engine, int]:
    """Load what `buddy export` made, and tell how many tokens it can read."""
    from buddy.inference.ctranslate2_engine import load_ctranslate2_engine

    return load_ctranslate2_engine(folder, facts, device), facts.max_tokens


def _load_checkpoint(folder: Path, facts: Facts, device: str, number_format: str) -> tuple[Engine, int]:
    """Load what `buddy train` wrote, and tell how many tokens it can read."""
    try:
        from buddy.inference.torch_engine import load_torch_engine
    except ImportError as error:
        raise UserMistake(f"{folder} needs PyTorch: {install('train')}, or name what `buddy export` made.") from error
    engine, positions = load_torch_engine(folder, device, number_format)
    return engine, min(facts.max_tokens, positions)
