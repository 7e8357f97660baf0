import json
import lzma
from itertools import pairwise

import numpy as np
import pytest

from buddy.data.corpus import CorpusFile
from buddy.errors import UserMistake
from buddy.text.render import END, LISTENER, SPEAKER
from buddy.text.rows import read_corpus, write_corpus
from buddy.text.tokenizer import train_tokenizer

WORDS = ["the", "old", "dog", "ran", "home", "and", "she", "laughed", "at", "him", "because", "it", "was", "late"]


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer([" " + " ".join(WORDS)], ["glad", "sad"], 400)


@pytest.fixture(scope="module")
def texts():
    random = np.random.default_rng(3)
    return [" ".join(random.choice(WORDS, random.integers(3, 70))) for _ in range(900)]


@pytest.fixture
def file(tmp_path, texts):
    path = tmp_path / "text.jsonl.xz"
    with lzma.open(path, "wt") as file:
        file.writelines(json.dumps({"text": text}) + "\n" for text in texts)
    return path


@pytest.fixture
def corpus(tmp_path, tokenizer, file):
    write_corpus(tmp_path / "rows", [CorpusFile(file)], tokenizer, ["glad", "sad"], width=64, seed=1)
    return read_corpus(tmp_path / "rows")


def passages(corpus, split):
    """Read back the passages of a split, and the parts of those that were cut."""
    end, found = corpus.rows(split).end_id, []
    for row in corpus.rows(split):
        parts = np.split(row.ids, np.flatnonzero(row.ids == end) + 1)
        found += [corpus.codec.decode(part[part != end]).strip() for part in parts if len(part)]
    return found


def test_short_passages_come_back_whole_each_in_one_split(tmp_path, corpus, texts):
    short = {text for text in texts if len(corpus.codec.backend.encode(" " + text).ids) < 64}
    train, valid = set(passages(corpus, "train")), set(passages(corpus, "valid"))
    assert short <= train | valid
    assert valid & short
    assert not train & valid & short


def test_rows_are_nearly_full_and_never_wider(corpus):
    lengths = [len(row) for row in corpus.rows("train")]
    assert max(lengths) == 64
    assert np.mean(lengths) > 60


def test_the_first_token_of_a_passage_is_not_learned(corpus):
    end = corpus.rows("train").end_id
    for row in corpus.rows("train")[:20]:
        starts = [0, *(np.flatnonzero(row.ids[:-1] == end) + 1)]
        assert np.flatnonzero(row.weights == 0).tolist() == starts


def test_bytes_per_token_are_those_of_learned_tokens_alone_where_an_end_counts_one(corpus):
    end = corpus.rows("valid").end_id
    learned = [token for row in corpus.rows("valid") for before, token in pairwise(row.ids.tolist()) if before != end]
    sizes = [1 if token == end else len(corpus.codec.decode([token])) for token in learned]
    assert corpus.bytes_per_token() == pytest.approx(sum(sizes) / len(learned))


def test_bytes_of_conversations_are_those_of_utf_8_and_each_learned_mark_counts_one(tmp_path, tokenizer):
    talks = [{"turns": [f"Olé {i}", "the dog…", "\N{GRINNING FACE}"]} for i in range(500)]
    (tmp_path / "talks.jsonl").write_text("".join(json.dumps(talk) + "\n" for talk in talks))
    write_corpus(tmp_path / "rows", [CorpusFile(tmp_path / "talks.jsonl")], tokenizer, ["glad", "sad"], 64, seed=1)
    corpus = read_corpus(tmp_path / "rows")
    shown = "".join(corpus.codec.decode(row.ids.tolist()) for row in corpus.rows("valid"))
    read = shown.replace(f"{SPEAKER} Olé", " Olé").replace(SPEAKER, "\n").replace(LISTENER, "\n").replace(END, "\n")
    learned = sum(row.weights.sum() for row in corpus.rows("valid"))
    assert corpus.bytes_per_token() == pytest.approx(len(read.encode()) / learned)


def test_copies_of_a_passage_stay_on_one_side(tmp_path, tokenizer, file, texts):
    write_corpus(tmp_path / "twice", [CorpusFile(file, 2), CorpusFile(file)], tokenizer, ["a", "b"], 64, seed=1)
    corpus = read_corpus(tmp_path / "twice")
    valid = [text for text in passages(corpus, "valid") if text in texts]
    assert max(map(valid.count, valid)) == 3
    assert not set(valid) & set(passages(corpus, "train"))
    assert corpus.facts["files"][0]["passages"] == 1800
    assert corpus.facts["train"]["passages"] + corpus.facts["valid"]["passages"] == 2700


def test_the_same_files_give_the_same_rows(tmp_path, tokenizer, file, corpus):
    write_corpus(tmp_path / "again", [CorpusFile(file)], tokenizer, ["glad", "sad"], 64, seed=1)
    write_corpus(tmp_path / "other", [CorpusFile(file, 0.9)], tokenizer, ["glad", "sad"], 64, seed=1)
    prints = [read_corpus(tmp_path / name).fingerprint() for name in ("again", "other")]
    assert corpus.fingerprint() == prints[0] != prints[1]


def test_too_little_text_is_refused_and_leaves_nothing(tmp_path, tokenizer):
    (tmp_path / "one.txt").write_text("the old dog")
    with pytest.raises(UserMistake, match="too little text"):
        write_corpus(tmp_path / "rows", [CorpusFile(tmp_path / "one.txt")], tokenizer, ["a", "b"], 64, seed=1)
    assert [path.name for path in tmp_path.iterdir()] == ["one.txt"]


@pytest.mark.parametrize("name", ["train.tokens", "valid.rows.npy", "corpus.json", "tokenizer.json"])
def test_a_damaged_file_is_refused(corpus, name):
    path = corpus.folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UserMistake, match="holds no whole corpus"):
        read_corpus(corpus.folder)
