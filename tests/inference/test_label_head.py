"""A model with an output layer of a few tokens says about them what the whole model says."""

import struct

import numpy as np
import pytest
from ctranslate2 import Generator

from buddy.inference import ctranslate2_engine, label_head
from buddy.inference.classifier import load_classifier
from buddy.inference.ctranslate2_engine import CTranslate2Engine
from buddy.inference.export import export_model
from buddy.inference.label_head import Variable, Weights, read, with_few_tokens, with_hidden_states, write
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


def test_hidden_states_and_the_output_layer_give_the_logits_of_the_whole_model(exported):
    files = {name: (exported / name).read_bytes() for name in ("config.json", "vocabulary.json", "model.bin")}
    if exported.name == "int16":
        with pytest.raises(ValueError, match="another make"):
            with_hidden_states(files["model.bin"])
        return
    model, layer = with_hidden_states(files["model.bin"])
    hidden, whole = Generator("hidden", files={**files, "model.bin": model}), Generator(str(exported))
    rows = [random_tokens(9, seed).ids.tolist() for seed in range(5)]
    states, expected = (np.asarray(one.forward_batch(rows)) for one in (hidden, whole))
    found = layer.logits(states.reshape(45, -1))
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-5)
    if exported.name == "int8":  # the same bits in any company
        np.testing.assert_array_equal(layer.logits(states[3, :1]), found[27:28])


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
    with_bias = {
        "decoder/projection/weight": Variable((1, 1), 0, b"abcd"),
        "decoder/projection/bias": Variable((1,), 0, b"abcd"),
    }
    with pytest.raises(ValueError, match="another make"):
        with_hidden_states(write(Weights("spec", 1, with_bias, {})))


@pytest.mark.parametrize("labels", [[(token,) for token in TOKENS], [(7,), (7, 12), (300, 5), (300, 12, 5)]])
def test_labels_are_scored_without_it_too(companion_model, monkeypatch, labels):
    """With a version of the library that lays its files out in another way, by whole passes as before."""
    questions = [random_tokens(length, seed) for length in (4, 4, 9) for seed in range(3)]
    trie = make_trie(labels, end=0)
    quick = load_classifier(companion_model).engine
    found = quick.score_labels(questions, trie)
    assert isinstance(quick, CTranslate2Engine)
    assert quick._model_for(TOKENS)
    assert quick._hidden
    monkeypatch.setattr(label_head, "VERSION", 7)
    plain = load_classifier(companion_model).engine
    np.testing.assert_allclose(plain.score_labels(questions, trie), found, atol=1e-4)
    assert isinstance(plain, CTranslate2Engine)
    assert plain._model_for(TOKENS) is plain._hidden is None


def test_a_wide_trie_is_read_text_by_text_with_the_same_result(exported, monkeypatch):
    """In int8 a rounding may fall the other way, since attention adds up in another order."""
    questions = [random_tokens(length, seed) for length in (4, 9) for seed in range(3)]
    trie = make_trie([(token, token + 1, token + 2) for token in range(5, 11)] + [(20,), (5, 30)], end=0)
    engine = load_classifier(exported).engine
    monkeypatch.setattr(ctranslate2_engine, "WAYS_PER_LEVEL", len(trie.tokens))
    in_batches = engine.score_labels(questions, trie)
    monkeypatch.setattr(ctranslate2_engine, "WAYS_PER_LEVEL", 1)
    alone = engine.score_labels(questions, trie)
    np.testing.assert_allclose(alone, in_batches, atol=0.02 if exported.name == "int8" else 1e-4)
    np.testing.assert_array_equal(engine.score_labels(questions[3:], trie), alone[3:])
