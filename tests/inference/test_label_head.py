"""A model with an output layer of a few tokens says about them what the whole model says."""

import struct

import numpy as np
import pytest
from ctranslate2 import Generator

from buddy.inference import label_head
from buddy.inference.classifier import load_classifier
from buddy.inference.ctranslate2_engine import CTranslate2Engine
from buddy.inference.export import export_model
from buddy.inference.label_head import Variable, Weights, read, with_few_tokens, write
from buddy.inference.labels import make_trie
from tests.conftest import random_tokens

TOKENS = (7, 300, 12, 5)


@pytest.fixture(scope="module", params=["float32", "int8", "int16", "float16"])
def exported(request, companion_checkpoint, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported") / request.param
    export_model(companion_checkpoint, out, request.param)
    return out


def test_logits_are_those_of_the_whole_model_in_the_order_of_the_tokens(exported):
    files = {name: (exported / name).read_bytes() for name in ("config.json", "vocabulary.json", "model.bin")}
    few = Generator("few", files={**files, "model.bin": with_few_tokens(files["model.bin"], TOKENS)})
    whole = Generator(str(exported))
    rows = [random_tokens(9, seed).ids.tolist() for seed in range(5)]
    found, expected = (np.asarray(model.forward_batch(rows)) for model in (few, whole))
    assert found.shape == (5, 9, len(TOKENS))
    np.testing.assert_allclose(found, expected[:, :, list(TOKENS)], atol=1e-4)


def test_what_is_not_cut_stays_as_it_is(exported):
    model = (exported / "model.bin").read_bytes()
    assert write(read(model)) == model
    before, after = read(model), read(with_few_tokens(model, TOKENS))
    changed = {name for name, variable in after.variables.items() if before.variables.get(name) != variable}
    assert changed
    assert all(name.startswith("decoder/projection/") for name in changed)
    assert set(before.variables) <= set(after.variables)


def test_the_rows_of_an_output_layer_of_its_own_are_cut_with_their_bias():
    variables = {
        "decoder/embeddings/weight": Variable((3, 2), 1, b"aabbcc"),
        "decoder/projection/weight": Variable((3, 2), 1, b"ddeeff"),
        "decoder/projection/weight_scale": Variable((3,), 0, struct.pack("3f", 1, 2, 3)),
        "decoder/projection/bias": Variable((3,), 0, struct.pack("3f", 4, 5, 6)),
    }
    few = read(with_few_tokens(write(Weights("spec", 1, variables, {})), [2, 1])).variables
    assert few["decoder/embeddings/weight"].content == b"aabbcc"
    assert (few["decoder/projection/weight"].shape, few["decoder/projection/weight"].content) == ((2, 2), b"ffee")
    assert few["decoder/projection/weight_scale"].content == struct.pack("2f", 3, 2)
    assert few["decoder/projection/bias"].content == struct.pack("2f", 6, 5)


def test_a_file_that_is_not_known_is_refused(exported):
    model = (exported / "model.bin").read_bytes()
    for wrong in (
        b"",
        b"nonsense",
        struct.pack("I", 7) + model[4:],
        model + b"\0",
        *(model[:n] for n in (3, 60, 5000)),
    ):
        with pytest.raises(ValueError, match=r"CTranslate2|goes on"):
            with_few_tokens(wrong, TOKENS)
    without = Weights("spec", 1, {"decoder/embeddings/weight": Variable((3, 2), 1, b"aabbcc")}, {})
    with pytest.raises(ValueError, match="no output layer"):
        with_few_tokens(write(without), [0])


def test_labels_are_scored_without_it_too(companion_model, monkeypatch):
    """With a version of the library that lays its files out in another way, by whole passes as before."""
    questions = [random_tokens(length, seed) for length in (4, 4, 9) for seed in range(3)]
    trie = make_trie([(token,) for token in TOKENS], end=0)
    quick = load_classifier(companion_model).engine
    found = quick.score_labels(questions, trie)
    monkeypatch.setattr(label_head, "VERSION", 7)
    plain = load_classifier(companion_model).engine
    np.testing.assert_allclose(plain.score_labels(questions, trie), found, atol=1e-4)
    assert isinstance(quick, CTranslate2Engine)
    assert isinstance(plain, CTranslate2Engine)
    assert list(quick._models.values()) != [None] == list(plain._models.values())
