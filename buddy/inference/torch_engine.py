"""The engine for checkpoints as `buddy train` writes them: PyTorch and Hugging Face's models, on any device.

Shapes: `B` rows, `T` tokens of the longest row, `S` tokens chosen so far, `V` vocabulary.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import (
    LogitsProcessorList,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    SuppressTokensLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from buddy.inference.engine import Sampling, Written, score_answers, silent_ids, split_by_length
from buddy.inference.labels import LabelTrie, Scores
from buddy.inference.torch_labels import LOGITS_AT_ONCE, score_labels
from buddy.text.batches import pad
from buddy.text.tokenizer import Codec, Tokens
from buddy.training.device import Device, choose_device, keep_freed_memory
from buddy.training.forward import Question, next_token_logits, reads_masks

TOKENS_SCORED_AT_ONCE = 1024
"""Or fewer, where the vocabulary is so large that their logits are more than ``LOGITS_AT_ONCE``."""

ROWS_WRITTEN_AT_ONCE = 64

CACHES = ("past_key_values", "cache_params")
"""What models call that which they keep of the tokens that they have read."""


@dataclass(frozen=True)
class TorchEngine:
    """A Hugging Face causal language model in evaluation mode, its tokenizer, and where it runs."""

    model: nn.Module
    codec: Codec
    device: Device

    def score_labels(self, questions: Sequence[Tokens], trie: LabelTrie) -> Scores:
        return score_labels(self.model, questions, trie, self.device)

    def score_tokens(self, documents: Sequence[Tokens]) -> list[Scores]:
        scores = [np.zeros(0)] * len(documents)
        long_enough = [i for i, document in enumerate(documents) if len(document) > 1]
        most = min(TOKENS_SCORED_AT_ONCE, LOGITS_AT_ONCE[self.device.name] // _vocabulary(self.model))
        for rows in split_by_length([documents[i] for i in long_enough], most):
            indices = [long_enough[row] for row in rows]
            found = self._score_pass([documents[i] for i in indices])  # (B, T - 1)
            for i, row in zip(indices, found, strict=True):
                scores[i] = row[: len(documents[i]) - 1]
        return scores

    def generate(self, prefixes: Sequence[Tokens], sampling: Sampling, stop_ids: Collection[int]) -> list[list[int]]:
        answers: list[list[int]] = [[] for _ in prefixes]
        random = _generator(sampling, self.device)  # one for all passes: each would draw the same again
        for rows in self._rows_written_together(prefixes):
            running = set(rows)
            for chosen in self._write([prefixes[i] for i in rows], sampling, stop_ids, random):
                for i, token in zip(rows, chosen, strict=True):
                    if token in stop_ids:
                        running.discard(i)
                    if i in running:
                        answers[i].append(token)
                if not running:
                    break
        return answers

    def write(
        self, prefix: Tokens, count: int, sampling: Sampling, stop_ids: Collection[int], end: int
    ) -> list[Written]:
        return score_answers(self, prefix, self.generate([prefix] * count, sampling, stop_ids), end)

    def stream(self, prefix: Tokens, sampling: Sampling, stop_ids: Collection[int]) -> Iterator[int]:
        for (token,) in self._write([prefix], sampling, stop_ids, _generator(sampling, self.device)):
            if token in stop_ids:
                return
            yield token

    def _rows_written_together(self, prefixes: Sequence[Tokens]) -> Iterator[list[int]]:
        """Cut prefixes into passes; one that reads no masks would take the padding on the left for text."""
        for rows in split_by_length(prefixes, ROWS_WRITTEN_AT_ONCE * max(map(len, prefixes), default=1)):
            if reads_masks(self.model):
                yield rows
            else:
                yield from (list(alike) for _, alike in groupby(rows, key=lambda i: len(prefixes[i])))

    @torch.inference_mode()
    def _score_pass(self, documents: Sequence[Tokens]) -> Scores:
        """Give the log-probability of every token but the first of each row: (B, T - 1)."""
        batch = pad(documents)
        columns = np.tile(np.arange(batch.input_ids.shape[1] - 1), (len(documents), 1))
        logits = next_token_logits(
            self.model, Question(batch.input_ids, batch.positions, None, columns), self.device
        )  # (B, T - 1, V)
        following = torch.from_numpy(batch.input_ids[:, 1:, None]).to(self.device.name)
        chosen = logits.float().log_softmax(dim=-1).gather(2, following)[..., 0]
        return chosen.cpu().double().numpy()

    def _write(
        self,
        prefixes: Sequence[Tokens],
        sampling: Sampling,
        stop_ids: Collection[int],
        random: torch.Generator | None,
    ) -> Iterator[list[int]]:
        """Give the next token of every row, step by step; rows that have stopped go on and are ignored."""
        ids, mask = _pad_left(prefixes, self.device)  # (B, T)
        rules = self._rules(sampling, stop_ids)
        cache: dict[str, Any] = {}
        written = ids[:, :0]  # (B, S)
        for _ in range(sampling.max_tokens):
            chosen, cache = self._step(ids, mask, cache, rules, written, random)  # (B, 1)
            yield chosen[:, 0].tolist()
            ids = chosen if cache else torch.cat([ids, chosen], dim=1)  # a model that keeps nothing reads all again
            written = torch.cat([written, chosen], dim=1)
            mask = torch.cat([mask, torch.ones_like(chosen)], dim=1)

    @torch.inference_mode()  # not around the loop: its caller would be in it, too, between two steps
    def _step(
        self,
        ids: Tensor,
        mask: Tensor,
        cache: dict[str, Any],
        rules: LogitsProcessorList,
        written: Tensor,
        random: torch.Generator | None,
    ) -> tuple[Tensor, dict[str, Any]]:
        """Read the newest tokens of each row and choose the next, (B, 1), without ``random`` the likeliest.

        Also gives what the model keeps for the next step, in the form that it chooses.
        """
        padding: dict[str, Tensor] = {}
        if reads_masks(self.model):
            positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -ids.shape[1] :]
            padding = {"attention_mask": mask, "position_ids": positions}
        with self.device.autocast():
            model: Any = self.model
            answer = model(input_ids=ids, **padding, **cache, use_cache=True, logits_to_keep=1)
        kept = {name: answer[name] for name in CACHES if answer.get(name) is not None}
        allowed = rules(written, answer.logits[:, -1].float())  # type: ignore[arg-type]
        if random is None:
            return allowed.argmax(dim=1, keepdim=True), kept
        return torch.multinomial(allowed.softmax(dim=1), 1, generator=random), kept

    def _rules(self, sampling: Sampling, stop_ids: Collection[int]) -> LogitsProcessorList:
        """Build what changes the logits before a token is chosen; Hugging Face's, which see the answer alone."""
        silent = silent_ids(self.codec, _vocabulary(self.model), stop_ids)
        rules: list[Any] = [SuppressTokensLogitsProcessor(silent, device=self.device.name)]
        if sampling.repetition_penalty != 1:
            rules.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
        if sampling.no_repeat_ngram:
            rules.append(NoRepeatNGramLogitsProcessor(sampling.no_repeat_ngram))
        if not sampling.is_greedy:
            rules.append(TemperatureLogitsWarper(float(sampling.temperature)))
            rules += [TopKLogitsWarper(sampling.top_k)] if sampling.top_k else []
            rules += [TopPLogitsWarper(sampling.top_p)] if sampling.top_p < 1 else []
        return LogitsProcessorList(rules)


def load_torch_engine(folder: Path, device: str = "auto", number_format: str = "auto") -> tuple[TorchEngine, int]:
    """Load a checkpoint.

    Args:
        folder: as `buddy train` writes it.
        device: as for ``choose_device``.
        number_format: as for ``choose_device``.

    Returns:
        The engine, and how many tokens its model can read.

    Raises:
        UserMistake: the folder holds no causal language model with safetensors, or there is no such device.
    """
    from buddy.training.backbone import load_backbone, quiet_transformers

    quiet_transformers()
    keep_freed_memory()
    backbone = load_backbone(str(folder))
    place = choose_device(device, number_format)
    model: nn.Module = backbone.model
    return TorchEngine(model.to(place.name).eval(), backbone.codec, place), backbone.positions


def _pad_left(prefixes: Sequence[Tokens], device: Device) -> tuple[Tensor, Tensor]:
    """Put prefixes side by side so that all end in the last column; the mask is 0 where nothing stands."""
    width = max(map(len, prefixes))
    ids, mask = np.zeros((2, len(prefixes), width), np.int64)
    for row, prefix in enumerate(prefixes):
        ids[row, width - len(prefix) :] = prefix.ids
        mask[row, width - len(prefix) :] = 1
    return torch.from_numpy(ids).to(device.name), torch.from_numpy(mask).to(device.name)


def _generator(sampling: Sampling, device: Device) -> torch.Generator | None:
    """Give what draws the tokens; ``None`` if nothing is left to chance."""
    if sampling.is_greedy:
        return None
    random = torch.Generator(device.name)
    if sampling.seed is None:
        random.seed()
    else:
        random.manual_seed(sampling.seed)
    return random


def _vocabulary(model: Any) -> int:
    return int(model.get_output_embeddings().weight.shape[0])
