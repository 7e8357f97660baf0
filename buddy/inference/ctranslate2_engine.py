"""The engine for models that `buddy export` made: CTranslate2, quantized, on a CPU, without PyTorch.

A pass of a small model is over in a millisecond or two. Two threads that share one pass wait for each other more than
they compute, so every pass has one thread, and several passes run at the same time (decision 0011).

Shapes: `N` texts, `T` tokens of each, `E` labels, `K` inner nodes of the labels' trie, `V` vocabulary, `D` width.
"""

import json
import os
import re
import secrets
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from ctranslate2 import AsyncScoringResult, GenerationResult, Generator, set_random_seed
from tokenizers import Tokenizer

from buddy.errors import UserMistake, quote
from buddy.inference.engine import Sampling, Written, score_answers, silent_ids
from buddy.inference.folder import Facts
from buddy.inference.label_head import FloatArray, OutputLayer, with_few_tokens, with_hidden_states
from buddy.inference.labels import ROOT, LabelTrie, Scores, add_up, log_softmax
from buddy.text.tokenizer import Codec, Tokens, make_codec

LOGITS_AT_ONCE = 2**22
"""Where every token of the vocabulary gets a number, so many are computed at once: 16 MB."""

STATES_AT_ONCE = 2**26
"""So many numbers of hidden states are kept until they are made logits: 256 MB."""

TOKENS_AT_ONCE = 512
"""In one pass: enough to keep a core busy, few enough that all cores get a share of a few hundred texts."""

TOKENS_OF_A_QUESTION_PASS = 160
"""The same where a small model reads questions: measured to be a tenth quicker (decision 0011)."""

LARGE = 2**26
"""A model whose file has so many bytes is no small one: its layers are read anew in every pass, so fewer are better."""

WAYS_PER_LEVEL = 2
"""If a trie has more ways down than that, it is quicker to read each text alone, once for each level, than batches of
texts, once for each way."""

AGAIN = "export the model again"

WIDE_INSTRUCTIONS = frozenset(("avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"))

SEEDING = threading.Lock()
"""The library has one seed for the whole process."""


@dataclass(frozen=True)
class CTranslate2Engine:
    """An exported model and its tokenizer.

    Attributes:
        folder: of the model.
        generator: the model; it queues what several threads ask.
        codec: the tokenizer.
        words: the vocabulary as the model knows it, by id.
        device: ``"cpu"`` or ``"cuda"``.
    """

    folder: Path
    generator: Generator
    codec: Codec
    words: tuple[str, ...]
    device: str = "cpu"
    _making: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    def score_labels(self, questions: Sequence[Tokens], trie: LabelTrie) -> Scores:
        scores = np.empty((len(questions), len(trie.paths)))
        with self._making:  # several threads that ask first at the same time would each make a model
            hidden = self._hidden if trie.tokens else None
            few = None if trie.tokens else self._model_for(tuple(token for ((_, token),) in trie.paths))
        if hidden:
            model, layer = hidden
            at_once = max(1, STATES_AT_ONCE // ((1 + len(trie.tokens)) * layer.weights.shape[1]))
            for some in _slices(len(questions), at_once):
                scores[some] = self._score_along_paths(model, layer, trie, questions[some])
            return scores
        score = partial(_choose, few) if few else partial(_score_with_all_tokens, self.generator, trie)

        def score_group(group: list[int]) -> None:
            scores[group] = score([questions[i].ids.tolist() for i in group])

        self._at_the_same_time(score_group, _equally_long(questions, self._tokens_of_a_question_pass))
        return scores

    def score_tokens(self, documents: Sequence[Tokens]) -> list[Scores]:
        running: dict[int, AsyncScoringResult] = {}
        for group in _equally_long(documents):
            asked = [self._spell(documents[i].ids.tolist()) for i in group]
            found = self.generator.score_batch(asked, max_input_length=0, asynchronous=True)
            running.update(zip(group, found, strict=True))
        return [np.array(running[i].result().log_probs, np.float64) for i in range(len(documents))]

    def generate(self, prefixes: Sequence[Tokens], sampling: Sampling, stop_ids: Collection[int]) -> list[list[int]]:
        generator, options = self._generator_for(sampling), self._options(sampling, stop_ids)
        answers: list[list[int]] = [[] for _ in prefixes]
        for group in _equally_long(prefixes):  # of a longer row the library would take the rest for its answer
            asked = [self._spell(prefixes[i].ids.tolist()) for i in group]
            for i, one in zip(group, _go_on(generator, asked, **options), strict=True):
                answers[i] = list(one.sequences_ids[0])
        return answers

    def write(
        self, prefix: Tokens, count: int, sampling: Sampling, stop_ids: Collection[int], end: int
    ) -> list[Written]:
        generator, options = self._generator_for(sampling), self._options(sampling, stop_ids)
        *before, last = self._spell(prefix.ids.tolist())
        if before:  # read once for all answers; kept, the library would never forget it
            options |= {"static_prompt": before, "cache_static_prompt": False}
        options["return_logits_vocab"] = True  # as they are before anything is chosen
        answers = []
        for one in _go_on(generator, [[last]] * count, **options):
            ids, steps = one.sequences_ids[0], one.logits[0]
            if len(steps) == len(ids):  # it was cut, so there is no step that tells how likely its end would be
                answers += score_answers(self, prefix, [ids], end)
            else:
                logits = np.stack([np.asarray(step) for step in steps])
                scores = log_softmax(logits)[range(len(steps)), [*ids, end]]
                answers.append(Written(ids, scores.astype(np.float64)))
        return answers

    def stream(self, prefix: Tokens, sampling: Sampling, stop_ids: Collection[int]) -> Iterator[int]:
        generator, options = self._generator_for(sampling), self._options(sampling, stop_ids)
        for step in generator.generate_tokens(self._spell(prefix.ids.tolist()), **options):
            if step.token_id in stop_ids:
                return
            yield step.token_id

    @cached_property
    def _tokens_of_a_question_pass(self) -> int:
        is_large = (self.folder / "model.bin").stat().st_size >= LARGE
        return TOKENS_AT_ONCE if is_large else TOKENS_OF_A_QUESTION_PASS

    def _at_the_same_time(self, work: Callable[[list[int]], None], groups: Iterator[list[int]]) -> None:
        """Do some work for each group; on several cores if there are several groups."""
        waiting = list(groups)
        if len(waiting) < 2:
            for group in waiting:
                work(group)
            return
        with ThreadPoolExecutor(self.generator.num_generators) as pool:
            for _ in pool.map(work, waiting):
                pass  # an exception in a group is raised here

    def _score_along_paths(
        self, model: Generator, layer: OutputLayer, trie: LabelTrie, questions: Sequence[Tokens]
    ) -> Scores:
        """Score labels of any number of tokens: (N, E).

        Args:
            model: answers with hidden states.
            layer: what makes logits of them; it is large, so it works on many of them at once.
            trie: of the labels.
            questions: N of any length.
        """
        (vocabulary, width), nodes = layer.weights.shape, 1 + len(trie.tokens)
        states = np.empty((len(questions), nodes, width), np.float32)
        scores = np.empty((len(questions), len(trie.paths)))

        ways, levels = _ways_down(trie), _levels(trie)
        one_by_one = len(ways) > WAYS_PER_LEVEL * len(levels)

        def read_group(group: list[int]) -> None:
            asked = [questions[i].ids.tolist() for i in group]
            for way in [[]] if one_by_one else ways:
                states[np.ix_(group, [ROOT, *way])] = _along(way, model, trie, asked)

        def read_below(one: list[int]) -> None:
            question = self._spell(questions[one[0]].ids.tolist())
            for level in levels:
                states[one[0], [way[-1] for way in level]] = self._at_level(level, model, trie, question)

        self._at_the_same_time(read_group, _equally_long(questions, self._tokens_of_a_question_pass))
        if one_by_one:
            self._at_the_same_time(read_below, ([i] for i in range(len(questions))))
        for some in _slices(len(questions), max(1, LOGITS_AT_ONCE // (nodes * vocabulary))):
            logits = layer.logits(states[some].reshape(-1, width))
            scores[some] = _weigh(logits.reshape(-1, nodes, vocabulary), trie)
        return scores

    def _at_level(self, level: list[list[int]], model: Generator, trie: LabelTrie, question: list[str]) -> FloatArray:
        """Give what a model answers at nodes of one depth, which share the reading of the question: (nodes, D)."""
        rows = [self._spell([trie.tokens[node - 1] for node in way]) for way in level]
        found = model.generate_batch(
            rows,
            static_prompt=question,
            cache_static_prompt=False,  # the library would never forget it
            max_length=1,
            include_prompt_in_result=False,
            return_logits_vocab=True,
        )
        return np.stack([np.asarray(one.logits[0][0]) for one in found])

    def _model_for(self, tokens: tuple[int, ...]) -> Generator | None:
        """Give a model that answers with these tokens; ``None`` if the library writes models in another way now."""
        if tokens not in self._models:
            files = _read_model(self.folder)
            try:
                files["model.bin"] = with_few_tokens(files["model.bin"], tokens)
            except ValueError:
                self._models[tokens] = None
            else:
                self._models[tokens] = _new_generator("labels", self.device, files=files)
        return self._models[tokens]

    @cached_property
    def _models(self) -> dict[tuple[int, ...], Generator | None]:
        return {}

    @cached_property
    def _hidden(self) -> tuple[Generator, OutputLayer] | None:
        """A model that answers with hidden states, and its output layer; ``None`` as for a few tokens."""
        files = _read_model(self.folder)
        try:
            files["model.bin"], layer = with_hidden_states(files["model.bin"])
        except ValueError:
            return None
        return _new_generator("hidden", self.device, files=files), layer

    def _options(self, sampling: Sampling, stop_ids: Collection[int]) -> dict[str, Any]:
        chance: dict[str, Any] = {"sampling_topk": 1}
        if not sampling.is_greedy:
            chance = {
                "sampling_topk": sampling.top_k,
                "sampling_topp": sampling.top_p,
                "sampling_temperature": sampling.temperature,
            }
        return {
            **chance,
            "max_length": sampling.max_tokens,
            "end_token": sorted(stop_ids),
            "repetition_penalty": sampling.repetition_penalty,
            "no_repeat_ngram_size": sampling.no_repeat_ngram,
            "suppress_sequences": [[self.words[number]] for number in self._silent if number not in stop_ids],
        }

    @cached_property
    def _silent(self) -> list[int]:
        return silent_ids(self.codec, len(self.words), ())

    def _generator_for(self, sampling: Sampling) -> Generator:
        """Give the model; for a seeded answer a copy of it.

        A thread of the library takes the seed when it draws for the first time, and never again. So a seed needs a new
        thread, which comes with a copy, and a first draw, after which the seed of the process is left to chance again.
        One thread: several would share the work as it happens.
        """
        if sampling.seed is None or sampling.is_greedy:
            return self.generator
        with SEEDING:
            set_random_seed(sampling.seed)
            try:
                copy = _load_generator(self.folder, self.device, workers=1)
                copy.generate_batch([[self.words[0]]], max_length=1, sampling_topk=0, include_prompt_in_result=False)
            finally:
                set_random_seed(secrets.randbits(24))
        return copy

    def _spell(self, ids: Sequence[int]) -> list[str]:
        return [self.words[number] for number in ids]


def load_ctranslate2_engine(folder: Path, facts: Facts, device: str = "auto") -> CTranslate2Engine:
    """Load what `buddy export` made.

    Nothing in the folder can run code: weights are numbers in a format of the library's, the rest is JSON.

    Args:
        folder: of the model.
        facts: what its buddy.json says.
        device: ``"auto"`` and ``"cpu"`` for the CPU, ``"cuda"``.

    Raises:
        UserMistake: a file is damaged or missing, two of them do not belong together, or there is no such device.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise UserMistake(f"An exported model runs on cpu or cuda, not on {quote(device)}.")
    place = "cuda" if device == "cuda" else "cpu"
    _use_wide_instructions(Path("/proc/cpuinfo"))
    codec = make_codec(_read_tokenizer(folder), facts.special_tokens)
    words = _read_vocabulary(folder)
    if any(words[number : number + 1] != (word,) for word, number in codec.backend.get_vocab().items()):
        raise UserMistake(f"{folder} has a tokenizer.json and a vocabulary.json of two models; {AGAIN}.")
    return CTranslate2Engine(folder, _load_generator(folder, place), codec, words, place)


def _read_tokenizer(folder: Path) -> Tokenizer:
    try:
        return Tokenizer.from_str((folder / "tokenizer.json").read_text("utf-8"))
    except Exception as error:  # the library raises a bare Exception
        raise UserMistake(f"{folder} has no tokenizer.json that can be read; {AGAIN}.") from error


def _read_vocabulary(folder: Path) -> tuple[str, ...]:
    try:
        words = json.loads((folder / "vocabulary.json").read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UserMistake(f"{folder} has no vocabulary.json that can be read; {AGAIN}.") from error
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise UserMistake(f"{folder / 'vocabulary.json'} is no list of words; {AGAIN}.")
    return tuple(words)


def _load_generator(folder: Path, device: str, workers: int | None = None) -> Generator:
    try:
        return _new_generator(str(folder), device, workers)
    except (RuntimeError, ValueError, MemoryError) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
        raise UserMistake(f"The weights in {folder} cannot be loaded ({reason}); {AGAIN}.") from error


def _read_model(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in ("config.json", "vocabulary.json", "model.bin")}


def _choose(model: Generator, questions: list[list[int]]) -> Scores:
    """Score labels of one token each with a model that answers with nothing else: (N, E), in one pass.

    That the other tokens are missing makes no difference: they would add the same to the score of every label.
    """
    logits = np.asarray(model.forward_batch(questions))[:, -1, :]
    return log_softmax(logits.astype(np.float64))


def _score_with_all_tokens(model: Generator, trie: LabelTrie, questions: list[list[int]]) -> Scores:
    """Score labels with logits at every position, of one question at a time, since that takes memory: (N, E)."""
    scores = np.empty((len(questions), len(trie.paths)))
    for row, question in enumerate(questions):
        at_nodes: dict[int, FloatArray] = {}
        for way in _ways_down(trie):
            at_nodes.update(zip([ROOT, *way], _along(way, model, trie, [question])[0], strict=True))
        scores[row] = _weigh(np.stack([at_nodes[node] for node in sorted(at_nodes)])[None], trie)
    return scores


def _weigh(logits: FloatArray, trie: LabelTrie) -> Scores:
    """Turn logits at the nodes into the scores of labels: (N, 1 + K, V) to (N, E)."""
    return add_up(log_softmax(logits)[(slice(None), *trie.steps)].astype(np.float64), trie)


def _along(way: list[int], model: Generator, trie: LabelTrie, questions: list[list[int]]) -> FloatArray:
    """Give what a model answers at the root and at the nodes of a way down the trie: (N, 1 + nodes, V or D)."""
    below = [trie.tokens[node - 1] for node in way]
    answers = np.asarray(model.forward_batch([[*question, *below] for question in questions]))
    return answers[:, -1 - len(way) :]


def _use_wide_instructions(cpuinfo: Path) -> None:
    """Let the library use AVX-512 where the processor has it; by itself it does so on Intel's only.

    The library reads the variable when it computes for the first time. What somebody has set already is left alone.
    """
    try:
        flags = re.search(r"^flags\s*:(.*)$", cpuinfo.read_text(), flags=re.MULTILINE)
    except OSError:  # not Linux
        return
    if flags and set(flags[1].split()) >= WIDE_INSTRUCTIONS:
        os.environ.setdefault("CT2_FORCE_CPU_ISA", "AVX512")


def _new_generator(
    name: str, device: str, workers: int | None = None, files: Mapping[str, bytes] | None = None
) -> Generator:
    """Make the library's model, with one thread for each worker.

    In a thread of its own: the library tells OpenMP to use so few threads in the thread that makes the model, and
    PyTorch, if the caller uses it, would do so, too.
    """
    threads = {"inter_threads": workers or cores(), "intra_threads": 1} if device == "cpu" else {}
    with ThreadPoolExecutor(1) as maker:
        return maker.submit(Generator, name, device=device, files=files, **threads).result()


def cores() -> int:
    """Count the cores that this process may use; ``OMP_NUM_THREADS`` can lower it."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(allowed, int(asked)) if asked.isdigit() and int(asked) else allowed


def _slices(count: int, size: int) -> Iterator[slice]:
    return (slice(start, start + size) for start in range(0, count, size))


def _go_on(generator: Generator, asked: list[list[str]], **options: Any) -> Iterator[GenerationResult]:
    """Go on with rows of one length; gives those of one core while others still write."""
    share = -(-len(asked) // generator.num_generators)  # of each core; seeded, all on one
    running = generator.generate_batch(
        asked, max_batch_size=share, include_prompt_in_result=False, asynchronous=True, **options
    )
    return (one.result() for one in running)


def _equally_long(documents: Sequence[Tokens], tokens: int = TOKENS_AT_ONCE) -> Iterator[list[int]]:
    """Cut documents into groups of one length and at most so many tokens; gives their indices.

    Rows of different lengths would be padded, and in int8 a padded row may get other logits than alone.
    """
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, document in enumerate(documents):
        by_length[len(document)].append(index)
    for length, indices in by_length.items():
        rows = max(1, tokens // length)
        yield from (indices[start : start + rows] for start in range(0, len(indices), rows))


def _ways_down(trie: LabelTrie) -> list[list[int]]:
    """Give the ways from the root to the deepest inner nodes, as the nodes on them; the root alone if there are none.

    Example:
        >>> from buddy.inference.labels import make_trie
        >>> _ways_down(make_trie([(1, 2, 3), (4, 5), (6,)], end=9))  # node 1 is token 1, node 2 token 4, node 3 (1, 2)
        [[2], [1, 3]]
    """
    return [way for node, way in _ways(trie).items() if node not in trie.parents]


def _levels(trie: LabelTrie) -> list[list[list[int]]]:
    """Give the ways from the root to all inner nodes, by how long they are."""
    levels: dict[int, list[list[int]]] = defaultdict(list)
    for way in _ways(trie).values():
        levels[len(way)].append(way)
    del levels[0]  # the root
    return list(levels.values())


def _ways(trie: LabelTrie) -> dict[int, list[int]]:
    ways: dict[int, list[int]] = {ROOT: []}
    for node, parent in enumerate(trie.parents, start=1):
        ways[node] = [*ways[parent], node]
    return ways
