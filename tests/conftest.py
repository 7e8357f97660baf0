"""What many tests share: a tiny prepared folder, tiny tokenizers and models, and the command line in this process."""

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from transformers import (
        Gemma3ForCausalLM,
        GPT2LMHeadModel,
        GPTNeoForCausalLM,
        LlamaForCausalLM,
        MistralForCausalLM,
    )

    from buddy.text.tokenizer import Tokens

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported: tiny models gain nothing from more
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ["BUDDY_DATA_HOME"] = tempfile.mkdtemp(prefix="buddy-tests-")  # nothing of a test is remembered at home
settings.register_profile("any machine", deadline=None)  # a busy one is no defect
settings.load_profile("any machine")

LONG = (
    "inference/test_ray_bulk.py",
    "serving/test_ray_service.py",
    "training/test_several_processes.py",
    "docs/test_commands.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process is still busy with one when the others are done."""
    items.sort(key=lambda item: not item.path.as_posix().endswith(LONG))


OPENINGS = {
    "glad": ("We won the game and", "My sister came home and", "The sun is out and"),
    "sad": ("My old dog died and", "She moved away and", "Nobody called me and"),
    "sad and tired": ("I cried all night and", "The long winter goes on and", "I cannot sleep and"),
    "furious": ("They broke my car and", "He lied to me again and", "My neighbour shouted and"),
}
ENDINGS = ("I told my friend", "the day was over", "we all went out", "it rained", "nothing was the same")
LABELS = tuple(sorted(OPENINGS))

CommandLine = Callable[..., tuple[object, str, str]]


def write_moods(folder: Path, labels: Sequence[str] = LABELS, sizes: Sequence[int] = (48, 12, 8)) -> Path:
    """Write a prepared folder of short texts; a label can be told from how its texts begin."""
    from buddy.data.prepared import write_prepared
    from buddy.records import Example

    def examples(split: str, count: int) -> list[Example]:
        rows = []
        for i in range(count):
            label = labels[i % len(labels)]
            opening = OPENINGS[label][i // len(labels) % 3]
            rows.append(Example(f"{split}-{i}", f"{opening} {ENDINGS[i % 5]}{' again' * (i % 7)}.", label))
        return rows

    folder.mkdir(parents=True)
    write_prepared(folder, {name: examples(name, n) for name, n in zip(("train", "valid", "test"), sizes, strict=True)})
    return folder


@pytest.fixture(scope="session")
def moods(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A prepared folder of 68 texts with 4 labels, one of them the beginning of another; not to be changed."""
    return write_moods(tmp_path_factory.mktemp("moods") / "data")


@pytest.fixture
def buddy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Run the command line in an empty folder, in this process; gives exit code, stdout and stderr."""
    from buddy.cli import main

    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> tuple[object, str, str]:
        monkeypatch.setattr(sys, "argv", ["buddy", *map(str, arguments)])
        capsys.readouterr()
        try:
            main()
            code: object = 0
        except SystemExit as leaving:
            code = leaving.code or 0
        return code, *capsys.readouterr()

    return run


def random_tokens(length: int, seed: int = 0, vocabulary: int = 50, learned: float = 1.0) -> "Tokens":
    """One document of random tokens."""
    from buddy.text.tokenizer import Tokens

    ids = np.random.default_rng((seed, length)).integers(0, vocabulary, length)
    return Tokens(ids, np.full(length, learned, np.float32))


def tiny_gpt2(
    vocabulary: int = 50, seed: int = 0, activation: str = "gelu_new", tied: bool = True
) -> "GPT2LMHeadModel":
    """A GPT-2 of width 32 with loud random weights, so that a wrong mask or position shows in its logits."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=vocabulary,
        n_embd=32,
        n_layer=2,
        n_head=2,
        n_positions=128,
        initializer_range=0.3,
        activation_function=activation,
        tie_word_embeddings=tied,
        embd_pdrop=0.0,
        resid_pdrop=0.0,
        attn_pdrop=0.0,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config)
    model.eval()
    return model


def tiny_quick_gpt2() -> "GPT2LMHeadModel":
    """The weights of ``tiny_gpt2`` in the class that buddy trains and asks."""
    from buddy.training import gpt2

    theirs = tiny_gpt2()
    ours = gpt2.GPT2LMHeadModel(theirs.config)
    ours.load_state_dict(theirs.state_dict())
    ours.eval()
    return ours


def tiny_llama(vocabulary: int = 50, seed: int = 0) -> "LlamaForCausalLM":
    """A Llama of width 32: rotary positions, grouped queries, untied output; nothing like GPT-2 inside."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        initializer_range=0.3,
    )
    model = LlamaForCausalLM(config)
    model.eval()
    return model


def tiny_gemma(vocabulary: int = 50, seed: int = 0) -> "Gemma3ForCausalLM":
    """A Gemma 3 of width 32: its first layer looks back 4 tokens only, its second as far as it likes."""
    import torch
    from transformers import Gemma3ForCausalLM, Gemma3TextConfig

    torch.manual_seed(seed)
    config = Gemma3TextConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=16,
        max_position_embeddings=128,
        sliding_window=4,
        layer_types=["sliding_attention", "full_attention"],
        initializer_range=0.2,
    )
    model = Gemma3ForCausalLM(config)
    model.eval()
    return model


def tiny_mistral(vocabulary: int = 50, seed: int = 0) -> "MistralForCausalLM":
    """A Mistral of width 32, all of whose layers look back 4 tokens only."""
    import torch
    from transformers import MistralConfig, MistralForCausalLM

    torch.manual_seed(seed)
    config = MistralConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=128,
        sliding_window=4,
        initializer_range=0.3,
    )
    model = MistralForCausalLM(config)
    model.eval()
    return model


def tiny_gpt_neo(vocabulary: int = 50, seed: int = 0) -> "GPTNeoForCausalLM":
    """A GPT-Neo of width 32: it adds the mask that it is given to its scores, whatever stands in it."""
    import torch
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    torch.manual_seed(seed)
    config = GPTNeoConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_layers=2,
        num_heads=2,
        attention_types=[[["global"], 2]],
        max_position_embeddings=128,
        initializer_range=0.15,
        resid_dropout=0.0,
        embed_dropout=0.0,
        attention_dropout=0.0,
    )
    model = GPTNeoForCausalLM(config)
    model.eval()
    return model


@pytest.fixture(scope="session")
def cpu():
    """The device on which results can be compared to many digits."""
    from buddy.training.device import choose_device

    return choose_device("cpu", "fp32")


@pytest.fixture(scope="session")
def codec():
    """A tokenizer trained on a few words, with labels of one token and of several."""
    from buddy.text.tokenizer import make_codec, train_tokenizer

    texts = [f" {opening} {ending}" for openings in OPENINGS.values() for opening in openings for ending in ENDINGS]
    return make_codec(train_tokenizer(texts, LABELS, 400))


@pytest.fixture(scope="session")
def trained_run(moods: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a short run that has learned its training texts by heart; not to be changed."""
    from buddy.evaluation.during_training import make_evaluate
    from buddy.training.run import start_run
    from buddy.training.settings import TrainSettings

    settings = TrainSettings(
        data=moods,
        out=tmp_path_factory.mktemp("runs") / "learned",
        backbone="scratch:tiny",
        vocabulary_size=400,
        epochs=10,
        text_weight=0.0,
        best_by="loss",
        batch_size=2,
        learning_rate=3e-3,
        evaluations_per_epoch=1,
        max_tokens=64,
        dropout=0.0,
        device="cpu",
        number_format="fp32",
        patience=0,
    )
    start_run(settings, make_evaluate)
    return settings.out


@pytest.fixture(scope="session")
def exported_run(trained_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `buddy export` makes of ``trained_run``, with every digit; not to be changed."""
    from buddy.inference.export import export_model

    out = tmp_path_factory.mktemp("exported") / "learned"
    export_model(trained_run, out, "float32")
    return out


@pytest.fixture(scope="session")
def companion_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A companion that has learned nothing, with loud random weights: it replies at random; not to be changed."""
    import torch

    from buddy.training.backbone import new_backbone, new_tokenizer
    from buddy.training.checkpoint import save_model
    from buddy.training.settings import TrainSettings

    torch.manual_seed(3)
    texts = [f" {opening} {ending}" for openings in OPENINGS.values() for opening in openings for ending in ENDINGS]
    backbone = new_backbone("scratch:tiny", new_tokenizer(texts, LABELS, 400))
    with torch.no_grad():
        for parameter in backbone.model.parameters():
            parameter.mul_(4)
    folder = tmp_path_factory.mktemp("companion") / "best"
    save_model(folder, backbone, LABELS, TrainSettings(Path("data"), folder.parent, task="companion", max_tokens=128))
    return folder


@pytest.fixture(scope="session")
def companion_model(companion_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same, exported; not to be changed."""
    from buddy.inference.export import export_model

    out = tmp_path_factory.mktemp("exported") / "companion"
    export_model(companion_checkpoint, out, "float32")
    return out
