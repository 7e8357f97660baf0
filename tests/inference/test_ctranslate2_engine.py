"""What an exported model answers, compared with the checkpoint that it was made from."""

import json
import shutil
import struct
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from buddy.data.prepared import read_prepared
from buddy.errors import UserMistake
from buddy.inference.classifier import Classifier, load_classifier
from buddy.inference.ctranslate2_engine import CTranslate2Engine
from buddy.inference.engine import Sampling
from buddy.inference.labels import label_trie, make_trie
from buddy.text.render import END, LISTENER, SPEAKER, SPECIAL_TOKENS, Piece, render_conversation
from buddy.text.tokenizer import Tokens
from tests.conftest import ENDINGS, LABELS, OPENINGS, random_tokens
from tests.inference.greedy import GREEDY

TEXTS = [f"{opening} {ENDINGS[0]}" for openings in OPENINGS.values() for opening in openings]


@pytest.fixture(scope="module")
def ours(companion_model: Path) -> Classifier:
    return load_classifier(companion_model)


@pytest.fixture(scope="module")
def theirs(companion_checkpoint: Path) -> Classifier:
    return load_classifier(companion_checkpoint, "cpu", "fp32")


@pytest.fixture(scope="module")
def prefixes(ours: Classifier) -> list[Tokens]:
    """Conversations of different lengths up to the reply, two of them equally long."""
    ask = Piece(LISTENER, special=True)
    texts = [[TEXTS[0]], [TEXTS[3], "Oh no", "and I cried"], ["hm"], [TEXTS[1]], [TEXTS[1]], ["so sad " * 20]]
    return ours.codec.encode([(*render_conversation(turns), ask) for turns in texts], 100)


def stops(model: Classifier) -> set[int]:
    return {model.codec.special_ids[SPEAKER], model.codec.special_ids[END]}


class TestLabels:
    def test_have_the_scores_of_the_checkpoint(self, ours, theirs):
        texts = [*TEXTS, "", "so sad " * 500, "😢"]
        found, expected = ours.log_scores(texts), theirs.log_scores(texts)
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert np.exp(expected).std(axis=0).max() > 0.1, "a model that always says the same would prove nothing"

    def test_of_many_tokens_that_share_beginnings_have_them_too(self, ours, theirs):
        labels = ["sad", "sad and tired", "sad and tired again", "very glad", "very furious", "😢"]
        questions = ours.codec.encode([(Piece(f" {text}"), Piece("<EMOTION_TYPE>", special=True)) for text in TEXTS])
        trie = label_trie(ours.codec, labels)
        assert len(trie.tokens) > 3
        found, expected = (model.engine.score_labels(questions, trie) for model in (ours, theirs))
        np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_are_right_about_what_was_learned_by_heart(self, exported_run, moods):
        examples = read_prepared(moods).examples("train")
        model = load_classifier(exported_run)
        columns = model.log_scores([example.text for example in examples]).argmax(axis=1)
        assert [model.labels[column] for column in columns] == [example.label for example in examples]

    def test_are_asked_in_a_conversation_as_the_checkpoint_is(self, ours, theirs):
        talks = [[TEXTS[0]], [TEXTS[3], "Oh no", "and I cried"]]
        found, expected = (model.conversation_probabilities(talks) for model in (ours, theirs))
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert np.abs(expected[0] - theirs.probabilities([TEXTS[0]])[0]).max() > 1e-3, "another layout, another answer"

    def test_do_not_depend_on_the_company_of_a_text(self, ours):
        together = ours.log_scores([*TEXTS, "so " * 500])[:-1]
        alone = np.concatenate([ours.log_scores([text]) for text in TEXTS])
        np.testing.assert_allclose(together, alone, atol=1e-4)

    def test_of_a_quantized_model_do_not_depend_on_it_either(self, quantized):
        """Padding would change them in the second digit, because rounding to 8 bits blows up what is tiny."""
        together = quantized.log_scores([*TEXTS, "so " * 500])[:-1]
        alone = np.concatenate([quantized.log_scores([text]) for text in TEXTS])
        np.testing.assert_allclose(together, alone, atol=1e-5)

    def test_of_a_quantized_model_are_near(self, quantized, theirs):
        np.testing.assert_allclose(quantized.probabilities(TEXTS), theirs.probabilities(TEXTS), atol=0.1)

    def test_of_no_texts_are_no_rows(self, ours):
        assert ours.log_scores([]).shape == (0, len(LABELS))

    def test_are_there_where_the_likeliest_token_is_the_end(self, ours, theirs):
        """The library stops at the end of text; the logits before it are still wanted."""
        trie = make_trie([(5,), (6,)], end=0)
        vocabulary = len(ours.engine.words)
        questions = [random_tokens(length, seed, vocabulary) for length in (3, 4) for seed in range(40)]
        ends = [q for q in questions if not ours.engine.generate([q], GREEDY, [ours.codec.special_ids[END]])[0]]
        asked = ends or questions
        found, expected = (model.engine.score_labels(asked, trie) for model in (ours, theirs))
        np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.fixture(scope="module")
def quantized(companion_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Classifier:
    from buddy.inference.export import export_model

    out = tmp_path_factory.mktemp("quantized") / "int8"
    export_model(companion_checkpoint, out, "int8")
    return load_classifier(out)


class TestTokens:
    def test_have_the_probabilities_of_the_checkpoint(self, ours, theirs):
        documents = [random_tokens(length, vocabulary=len(ours.engine.words)) for length in (7, 2, 60, 1, 31)]
        for found, expected in zip(
            ours.engine.score_tokens(documents), theirs.engine.score_tokens(documents), strict=True
        ):
            np.testing.assert_allclose(found, expected, atol=1e-4)

    def test_are_one_fewer_than_the_document_has(self, ours):
        documents = [random_tokens(length) for length in (7, 2, 1)]
        assert [len(scores) for scores in ours.engine.score_tokens(documents)] == [6, 1, 0]


class TestGreedyWriting:
    @pytest.mark.parametrize(
        "sampling",
        [
            Sampling(temperature=0, no_repeat_ngram=0),
            Sampling(top_k=1, no_repeat_ngram=0),
            Sampling(temperature=0, no_repeat_ngram=2),
            Sampling(temperature=0, no_repeat_ngram=0, repetition_penalty=1.5),
            Sampling(temperature=0, no_repeat_ngram=3, repetition_penalty=1.2, max_tokens=5),
        ],
        ids=["plain", "top-1", "no-repeats", "penalty", "all"],
    )
    def test_is_that_of_the_checkpoint(self, ours, theirs, prefixes, sampling):
        found, expected = (model.engine.generate(prefixes, sampling, stops(model)) for model in (ours, theirs))
        assert found == expected
        assert max(map(len, expected)) == sampling.max_tokens
        assert len({tuple(answer) for answer in expected}) > 3, "a model that always says the same would prove nothing"

    def test_streams_what_it_would_write(self, ours, prefixes):
        written = ours.engine.generate(prefixes, GREEDY, stops(ours))
        assert [list(ours.engine.stream(prefix, GREEDY, stops(ours))) for prefix in prefixes] == written

    def test_stops_where_it_is_told_to(self, ours, prefixes):
        (free,) = ours.engine.generate(prefixes[:1], GREEDY, stops(ours))
        stop = free[3]
        stopped = free[: free.index(stop)]
        assert ours.engine.generate(prefixes[:1], GREEDY, {stop}) == [stopped]
        assert list(ours.engine.stream(prefixes[0], GREEDY, {stop})) == stopped


class TestSampling:
    SEEDED = Sampling(temperature=1.5, top_p=1.0, seed=5)

    @pytest.mark.parametrize("sampling", [SEEDED, Sampling(temperature=5.0, top_p=0.99, top_k=300, seed=1)])
    def test_never_writes_a_special_token(self, ours, prefixes, sampling):
        special = {ours.codec.special_ids[token] for token in SPECIAL_TOKENS}
        answers = ours.engine.generate(prefixes * 20, sampling, stops(ours))
        assert not special & {token for answer in answers for token in answer}
        assert any(len(answer) < sampling.max_tokens for answer in answers), "some stop"

    def test_repeats_itself_with_a_seed_and_not_without(self, ours, prefixes):
        unseeded = Sampling(temperature=1.5, top_p=1.0)
        seeded = [ours.engine.generate(prefixes, self.SEEDED, stops(ours)) for _ in range(2)]
        assert seeded[0] == seeded[1]
        other = ours.engine.generate(prefixes, Sampling(temperature=1.5, top_p=1.0, seed=6), stops(ours))
        free = [ours.engine.generate(prefixes, unseeded, stops(ours)) for _ in range(2)]
        assert seeded[0] not in (other, *free)
        assert free[0] != free[1]

    def test_of_one_prefix_gives_different_answers(self, ours, prefixes):
        answers = ours.engine.generate([prefixes[0]] * 4, self.SEEDED, stops(ours))
        assert len({tuple(answer) for answer in answers}) == 4

    def test_streams_with_a_seed_the_same_again(self, ours, prefixes):
        first, second = (list(ours.engine.stream(prefixes[0], self.SEEDED, stops(ours))) for _ in range(2))
        assert first == second != []

    def test_with_a_seed_can_go_on_beside_another(self, ours, prefixes):
        alone = list(ours.engine.stream(prefixes[0], self.SEEDED, stops(ours)))
        first, second = (ours.engine.stream(prefixes[0], self.SEEDED, stops(ours)) for _ in range(2))
        assert [a for a, b in zip(first, second, strict=True) if a == b] == alone

    def test_can_be_left_before_its_end(self, ours, prefixes):
        stream = ours.engine.stream(prefixes[0], Sampling(temperature=1.5, max_tokens=60), ())
        next(stream)
        stream.close()
        assert ours.log_scores(["I am sad"]).shape == (1, len(LABELS))

    def test_lets_many_threads_ask_at_once(self, ours, prefixes):
        expected = ours.log_scores(TEXTS), ours.engine.generate(prefixes, self.SEEDED, stops(ours))
        found = []

        def ask() -> None:
            found.append((ours.log_scores(TEXTS), ours.engine.generate(prefixes, self.SEEDED, stops(ours))))

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(found) == 6
        for scores, answers in found:
            np.testing.assert_array_equal(scores, expected[0])
            assert answers == expected[1]


class TestLoading:
    @pytest.fixture
    def folder(self, exported_run, tmp_path):
        shutil.copytree(exported_run, tmp_path / "model")
        return tmp_path / "model"

    def test_takes_the_engine_that_fits_the_folder(self, ours):
        assert isinstance(ours.engine, CTranslate2Engine)
        assert (ours.labels, ours.task, ours.max_tokens) == (LABELS, "companion", 128)

    def test_needs_neither_torch_nor_transformers(self, exported_run):
        program = (
            "import sys; from pathlib import Path; from buddy.inference.classifier import load_classifier\n"
            f"load_classifier(Path({str(exported_run)!r})).probabilities(['I am sad'])\n"
            "print({'torch', 'transformers', 'scipy', 'pandas'} & set(sys.modules))"
        )
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == "set()"

    @pytest.mark.parametrize("name", ["tokenizer.json", "vocabulary.json", "config.json"])
    @pytest.mark.parametrize("content", [None, "", "{", "[]", "null", '{"a": [1, 2]}', "[" * 100_000])
    def test_refuses_a_file_that_is_damaged_or_missing(self, folder, name, content):
        (folder / name).unlink()
        if content is not None:
            (folder / name).write_text(content)
        with pytest.raises(UserMistake, match="export the model again"):
            load_classifier(folder)

    @pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.999])
    def test_refuses_weights_that_end_early(self, folder, share):
        weights = (folder / "model.bin").read_bytes()
        (folder / "model.bin").write_bytes(weights[: int(share * len(weights))])
        with pytest.raises(UserMistake, match=r"The weights in .* cannot be loaded"):
            load_classifier(folder)

    def test_refuses_weights_that_are_none(self, folder):
        (folder / "model.bin").write_bytes(struct.pack("I", 6) + b"\xff" * 1000)
        with pytest.raises(UserMistake, match=r"The weights in .* cannot be loaded"):
            load_classifier(folder)

    def test_refuses_the_tokenizer_of_another_model(self, folder):
        words = json.loads((folder / "vocabulary.json").read_text())
        (folder / "vocabulary.json").write_text(json.dumps([*words[:10], words[11], words[10], *words[12:]]))
        with pytest.raises(UserMistake, match="of two models"):
            load_classifier(folder)

    @pytest.mark.parametrize("device", ["mps", "tpu"])
    def test_refuses_a_device_that_it_cannot_use(self, folder, device):
        with pytest.raises(UserMistake, match="runs on cpu or cuda"):
            load_classifier(folder, device)

    def test_of_a_checkpoint_without_torch_says_what_to_install(self, trained_run, monkeypatch):
        monkeypatch.delitem(sys.modules, "buddy.inference.torch_engine", raising=False)
        monkeypatch.setitem(sys.modules, "torch", None)
        with pytest.raises(UserMistake, match=r"needs PyTorch: pip install --constraint constraints.txt '\.\[train\]'"):
            load_classifier(trained_run / "best")
