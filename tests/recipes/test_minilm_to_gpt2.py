"""The conversion, on an encoder of width 32 with random weights and a handful of words."""

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import BertConfig, BertModel, GPT2Config, PreTrainedTokenizerFast

from buddy.text.tokenizer import train_tokenizer
from buddy.training.gpt2 import GPT2LMHeadModel
from recipes.minilm_to_gpt2 import convert, embeddings, fit, read_with_both, spelling

WORDS = ["[PAD]", "[UNK]", "my", "old", "dog", "##gy", "ran", "home", "and", "she", "laugh", "##ed", "at", "him", "."]
TEXTS = ["My old dog ran home.", "She laughed at him and ran.", "Doggy laughed.", "He and she ran at my old home."] * 30


@pytest.fixture(scope="module")
def encoder():
    torch.manual_seed(0)
    shape = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        initializer_range=0.1,
        hidden_act="gelu",
    )
    model = BertModel(shape, add_pooling_layer=False).eval()
    for norm in (module for module in model.modules() if isinstance(module, torch.nn.LayerNorm)):
        torch.nn.init.uniform_(norm.weight, 0.3, 1.2)  # a fresh norm changes nothing, and could be left out unnoticed
        torch.nn.init.normal_(norm.bias, 0, 0.2)
    return model


@pytest.fixture(scope="module")
def pieces():
    backend = Tokenizer(models.WordPiece({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]")


@pytest.fixture
def converted(encoder, pieces):
    """Our model before the conversion, with its embeddings, and the texts as both see them."""
    torch.manual_seed(1)
    tokenizer = train_tokenizer([f" {text}" for text in TEXTS], ["glad", "sad"], 400)
    shape = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(), n_layer=2, n_embd=32, n_head=2, n_inner=64, n_positions=64,
        activation_function="gelu_pytorch_tanh",
    )  # fmt: skip
    model = GPT2LMHeadModel(shape).eval()
    with torch.no_grad():
        old = encoder.embeddings
        model.transformer.wte.weight.copy_(embeddings_of(tokenizer, pieces, old.word_embeddings.weight))
        model.transformer.wpe.weight.copy_(old.position_embeddings.weight[:64])
        yield model, read_with_both(encoder, pieces, tokenizer, TEXTS)


def embeddings_of(tokenizer, pieces, table):
    """With stand-ins for the two special pieces that the tiny word list lacks."""
    vocabulary = {**pieces.get_vocab(), "[SEP]": 0, "[CLS]": 0}
    return embeddings(tokenizer, type("Pieces", (), {"get_vocab": lambda _: vocabulary})(), table)


@pytest.mark.parametrize(
    ("word", "starts_word", "expected"),
    [
        ("doggy", True, ["dog", "##gy"]),
        ("ed", False, ["##ed"]),
        ("laughed", True, ["laugh", "##ed"]),
        ("žat", True, ["at"]),
    ],
)
def test_words_are_spelled_with_the_longest_pieces(word, starts_word, expected):
    vocabulary = {piece: i for i, piece in enumerate(WORDS)}
    assert [WORDS[i] for i in spelling(word, vocabulary, starts_word)] == expected


def test_a_token_starts_at_the_mean_of_its_pieces(pieces, encoder):
    tokenizer = train_tokenizer([" doggy"] * 9, ["doggy", "sad"], 300)
    table = encoder.embeddings.word_embeddings.weight.detach()
    rows = embeddings_of(tokenizer, pieces, table)
    expected = table[[WORDS.index("dog"), WORDS.index("##gy")]].mean(0)
    torch.testing.assert_close(rows[tokenizer.token_to_id("Ġdoggy")], expected)


def test_compares_the_tokens_that_end_with_a_piece(converted):
    _, text = converted
    assert text.fitted[0].sum() == 6  # my, old, dog, ran, home, full stop
    assert len(text.streams) == 5
    assert text.streams[0].shape == (int(text.fitted.sum()), 32)


def test_the_fit_brings_the_new_model_close_to_the_old_one(encoder, converted, monkeypatch):
    model, text = converted
    with torch.no_grad():
        fitted = convert(encoder, model, text)
        monkeypatch.setattr("recipes.minilm_to_gpt2.fit", lambda *_: None)
        copied = convert(encoder, model, text)
    assert fitted > 0.95 > copied + 0.05


def test_least_squares_find_the_matrix_that_was_there(monkeypatch):
    monkeypatch.setattr("recipes.minilm_to_gpt2.RIDGE", 1e-6)
    torch.manual_seed(0)
    given, matrix, bias = torch.randn(200, 5), torch.randn(5, 3), torch.randn(3)
    output = torch.nn.Module()
    output.weight, output.bias = torch.zeros(5, 3), torch.zeros(3)
    output.forward = lambda x: x @ output.weight + output.bias
    fit(output, given, given @ matrix + bias)
    torch.testing.assert_close(output.weight, matrix, rtol=1e-3, atol=1e-3)
    torch.testing.assert_close(output.bias, bias, rtol=1e-3, atol=1e-3)
