import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerFast, T5Config

from buddy.errors import UserMistake
from buddy.text.render import EMOTION_TYPE, END, LISTENER, SPEAKER, render_emotion_question, render_example
from buddy.text.tokenizer import train_tokenizer
from buddy.training.backbone import add_lora, load_backbone, new_backbone, new_tokenizer, set_dropout
from buddy.training.checkpoint import save_model
from buddy.training.forward import reads_masks
from buddy.training.settings import TrainSettings
from tests.conftest import tiny_gemma, tiny_gpt2, tiny_llama, tiny_mistral
from tests.training.maskless_models import MASKLESS

OUR_MARKS = (EMOTION_TYPE, SPEAKER, LISTENER)


def foreign_tokenizer(end: str) -> PreTrainedTokenizerFast:
    """A byte-level tokenizer as it lies on the hub: it knows the end of text and nothing of ours."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=[end], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    backend.train_from_iterator([" I am so sad that I lost my cat"] * 3, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=end, eos_token=end)


def write_foreign_model(
    folder: Path, tied: bool = True, end: str = END, rows_to_spare: int = 0, activation: str = "gelu_new"
) -> Path:
    """Write a tiny GPT-2 that has never heard of buddy."""
    tokenizer = foreign_tokenizer(end)
    tiny_gpt2(len(tokenizer) + rows_to_spare, activation=activation, tied=tied).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def write_model(folder: Path, make: Callable[[int], Any]) -> str:
    """Write a model of any kind with a tokenizer of as many tokens."""
    tokenizer = foreign_tokenizer(END)
    make(len(tokenizer)).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


def tiny_gemma_with_eyes(vocabulary: int) -> Any:
    """A Gemma 3 that can look at images; the facts about its texts stand a level deeper."""
    from transformers import Gemma3Config, Gemma3ForConditionalGeneration

    eyes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    sizes = {"image_size": 28, "patch_size": 14}
    text = {**tiny_gemma(vocabulary).config.to_dict(), "query_pre_attn_scalar": 16}
    config = Gemma3Config(text_config=text, vision_config={**eyes, **sizes}, mm_tokens_per_image=4)
    config.image_token_id = vocabulary - 1
    return Gemma3ForConditionalGeneration(config)


class TestMasks:
    @pytest.mark.parametrize("make", [tiny_gpt2, tiny_llama, tiny_gemma, tiny_mistral, tiny_gemma_with_eyes])
    def test_are_read_by_attention_also_where_it_looks_back_a_few_tokens_only(self, make, tmp_path):
        backbone = load_backbone(write_model(tmp_path, make))
        assert reads_masks(backbone.model)
        assert backbone.positions == 128

    @pytest.mark.parametrize("make", MASKLESS)
    def test_are_not_read_by_states_convolutions_and_distances_in_columns(self, make, tmp_path):
        assert not reads_masks(load_backbone(write_model(tmp_path, make)).model)

    def test_are_not_read_behind_adapters_either(self, tmp_path):
        backbone = load_backbone(write_model(tmp_path, MASKLESS[1]))
        assert not reads_masks(add_lora(backbone, rank=2).model)


class TestLoaded:
    @pytest.mark.parametrize("tied", [True, False], ids=["tied", "untied"])
    def test_new_embeddings_start_at_the_mean_of_the_tokens_that_spell_them(self, tmp_path, tied):
        write_foreign_model(tmp_path, tied)
        before = AutoModelForCausalLM.from_pretrained(tmp_path)
        spelling = AutoTokenizer.from_pretrained(tmp_path).encode(EMOTION_TYPE)
        assert len(spelling) > 5
        backbone = load_backbone(str(tmp_path))
        number = backbone.codec.special_ids[EMOTION_TYPE]
        for side in ("get_input_embeddings", "get_output_embeddings"):
            new, old = getattr(backbone.model, side)().weight, getattr(before, side)().weight
            assert len(new) == len(old) + 3
            torch.testing.assert_close(new[number], old[spelling].mean(dim=0))
            assert torch.equal(new[: len(old)], old)
        weights = {
            id(getattr(backbone.model, side)().weight) for side in ("get_input_embeddings", "get_output_embeddings")
        }
        assert len(weights) == (1 if tied else 2)

    def test_rows_that_a_model_has_to_spare_are_used(self, tmp_path):
        write_foreign_model(tmp_path, rows_to_spare=10)
        size = AutoModelForCausalLM.from_pretrained(tmp_path).config.vocab_size
        backbone = load_backbone(str(tmp_path))
        assert len(backbone.model.state_dict()["transformer.wte.weight"]) == size
        assert max(backbone.codec.special_ids.values()) < size

    def test_end_of_text_is_the_tokenizers_own(self, tmp_path):
        backbone = load_backbone(str(write_foreign_model(tmp_path, end="</s>")))
        assert backbone.codec.special_ids[END] == backbone.tokenizer.eos_token_id
        (tokens,) = backbone.codec.encode([render_example("so sad", "sad")])
        assert backbone.codec.decode(tokens.ids.tolist()) == " so sad<EMOTION_TYPE> sad</s>"

    def test_special_tokens_in_what_a_person_wrote_are_plain_letters(self, tmp_path):
        codec = load_backbone(str(write_foreign_model(tmp_path))).codec
        text = f"so {' '.join(OUR_MARKS)} {END} sad"
        (tokens,) = codec.encode([render_emotion_question(text)])
        assert [token for token in tokens.ids if token in codec.special_ids.values()] == [
            codec.special_ids[EMOTION_TYPE]
        ]
        assert codec.decode(tokens.ids.tolist()) == f" {text}{EMOTION_TYPE}"

    def test_quicker_activation_is_the_same_function(self, tmp_path):
        plain = AutoModelForCausalLM.from_pretrained(write_foreign_model(tmp_path))
        quick = load_backbone(str(tmp_path)).model
        assert plain.config.activation_function == "gelu_new"
        assert quick.config.activation_function == "gelu_pytorch_tanh"
        ids = torch.arange(40)[None]
        with torch.no_grad():
            expected = plain.double()(ids).logits
            found = quick.double()(ids).logits[:, :, : expected.shape[2]]
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-9)

    def test_another_activation_stays(self, tmp_path):
        write_foreign_model(tmp_path, activation="relu")
        assert load_backbone(str(tmp_path)).model.config.activation_function == "relu"

    def test_what_was_saved_comes_back_with_the_same_tokens_and_weights(self, tmp_path):
        backbone = load_backbone(str(write_foreign_model(tmp_path / "hub")))
        save_model(tmp_path / "best", backbone, ("sad",), TrainSettings(Path("data"), tmp_path))
        again = load_backbone(str(tmp_path / "best"))
        assert again.codec.special_ids == backbone.codec.special_ids
        text = [render_example("I lost my cat <SPEAKER>", "sad")]
        assert again.codec.encode(text)[0].ids.tolist() == backbone.codec.encode(text)[0].ids.tolist()
        state = backbone.model.state_dict()
        assert all(torch.equal(state[name], tensor) for name, tensor in again.model.state_dict().items())


class TestRefused:
    def test_a_folder_without_safetensors(self, tmp_path):
        write_foreign_model(tmp_path)
        model = AutoModelForCausalLM.from_pretrained(tmp_path)
        (tmp_path / "model.safetensors").unlink()
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")  # a pickle, which may not be touched
        with pytest.raises(UserMistake) as mistake:
            load_backbone(str(tmp_path))
        assert str(mistake.value).startswith(
            f"The folder {tmp_path} holds no causal language model in Hugging Face format with safetensors ("
        )

    def test_an_empty_folder(self, tmp_path):
        with pytest.raises(UserMistake, match="holds no causal language model"):
            load_backbone(str(tmp_path))

    def test_a_model_of_another_kind(self, tmp_path):
        foreign_tokenizer(END).save_pretrained(tmp_path)
        T5Config().save_pretrained(tmp_path)
        with pytest.raises(UserMistake, match="holds no causal language model"):
            load_backbone(str(tmp_path))

    def test_an_unknown_shape(self):
        with pytest.raises(UserMistake, match="no shape 'scratch:huge'; choose one of scratch:tiny, scratch:small"):
            new_backbone("scratch:huge", new_tokenizer([], ["sad"], 300))


class TestNew:
    def test_knows_every_special_token_and_label_and_has_the_dropout_asked_for(self):
        backbone = new_backbone("scratch:tiny", new_tokenizer([" I am sad"], ["sad", "glad"], 300))
        set_dropout(backbone.model, 0.25)
        config = backbone.model.config
        rates = [module.p for module in backbone.model.modules() if isinstance(module, torch.nn.Dropout)]
        assert sorted(set(rates)) == [0.0, 0.25]
        assert config.vocab_size == len(backbone.tokenizer)
        assert (config.embd_pdrop, config.resid_pdrop, config.attn_pdrop) == (0.25, 0.25, 0.0)
        assert [len(backbone.codec.encode_label(label)) for label in ("sad", "glad")] == [1, 1]
        assert config.eos_token_id == backbone.codec.special_ids[END]
        assert backbone.parameters() == (backbone.model.num_parameters(), backbone.model.num_parameters())


class TestAdapters:
    @pytest.fixture(params=[True, False], ids=["tied", "untied"])
    def adapted(self, request, tmp_path):
        """A foreign model with adapters that have learned something."""
        backbone = add_lora(load_backbone(str(write_foreign_model(tmp_path / "hub", request.param))), rank=2)
        torch.manual_seed(1)
        with torch.no_grad():
            for parameter in backbone.model.parameters():
                if parameter.requires_grad:
                    parameter.add_(0.1 * torch.randn_like(parameter))
        return backbone

    def test_only_adapters_and_the_rows_of_special_tokens_are_trained(self, adapted):
        trained = [name for name, p in adapted.model.named_parameters() if p.requires_grad]
        assert all("lora_" in name or "trainable_tokens_delta" in name for name in trained)
        assert any("c_attn.lora_A" in name for name in trained)
        assert any("c_fc.lora_B" in name for name in trained)
        is_tied = adapted.model.config.tie_word_embeddings
        assert sum("trainable_tokens_delta" in name for name in trained) == (1 if is_tied else 2)
        total, count = adapted.parameters()
        assert 0 < count < total / 4

    def test_a_special_token_can_become_the_likeliest(self, adapted):
        """Also where it has a row of its own in the output layer: what ends a reply must be able to win."""
        ids, end = torch.tensor([[3, 40, 77]]), adapted.codec.special_ids["<SPEAKER>"]
        optimizer = torch.optim.Adam([p for p in adapted.model.parameters() if p.requires_grad], lr=0.05)
        for _ in range(60):
            loss = -adapted.model(ids).logits[0, -1].log_softmax(0)[end]
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        assert loss.exp().reciprocal() > 0.9

    def test_are_merged_into_a_plain_model_that_answers_alike(self, adapted, tmp_path):
        save_model(tmp_path / "best", adapted, ("sad",), TrainSettings(Path("data"), tmp_path, lora_rank=2))
        shutil.rmtree(tmp_path / "hub")
        plain = AutoModelForCausalLM.from_pretrained(tmp_path / "best")
        assert type(plain).__name__ == "GPT2LMHeadModel"
        assert not any("lora" in name for name in plain.state_dict())
        ids = torch.tensor([[3, 40, 77, *adapted.codec.special_ids.values(), 5]])
        adapted.model.eval()
        with torch.no_grad():
            found, expected = plain(ids).logits, adapted.model(ids).logits
            with adapted.model.disable_adapter():
                untouched = adapted.model(ids).logits
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-4)
        assert (expected - untouched).abs().max() > 0.1

    def test_saving_leaves_the_adapters_in_place(self, adapted, tmp_path):
        before = {name: tensor.clone() for name, tensor in adapted.model.state_dict().items()}
        save_model(tmp_path / "best", adapted, ("sad",), TrainSettings(Path("data"), tmp_path, lora_rank=2))
        after = adapted.model.state_dict()
        assert before.keys() == after.keys()
        assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_model_that_reads_in_both_directions_is_refused(tmp_path):
    """BERT can be loaded as a language model, and would be told every label by the label itself."""
    from transformers import BertConfig, BertLMHeadModel, PreTrainedTokenizerFast

    tokenizer = train_tokenizer(["I am sad"], ["sad"], 300)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer).save_pretrained(tmp_path)
    config = BertConfig(
        vocab_size=300, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32
    )
    BertLMHeadModel(config).save_pretrained(tmp_path)
    with pytest.raises(UserMistake, match="reads in both directions"):
        load_backbone(str(tmp_path))


def test_a_model_that_gives_other_columns_than_those_asked_for_is_refused(tmp_path):
    from transformers import TrOCRConfig, TrOCRForCausalLM

    def make(vocabulary: int) -> Any:
        sizes: Any = {"d_model": 32, "decoder_layers": 1, "decoder_attention_heads": 2, "decoder_ffn_dim": 32}
        return TrOCRForCausalLM(TrOCRConfig(vocab_size=vocabulary, init_std=0.3, **sizes))

    with pytest.raises(UserMistake, match="gives other answers to a text beside others than alone"):
        load_backbone(write_model(tmp_path, make))


def test_a_model_that_wants_more_than_tokens_is_refused(tmp_path):
    from transformers import XmodConfig, XmodForCausalLM

    def make(vocabulary: int) -> Any:
        sizes: Any = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 32}
        return XmodForCausalLM(XmodConfig(vocab_size=vocabulary, is_decoder=True, languages=["en_XX"], **sizes))

    with pytest.raises(UserMistake, match=r"cannot be asked with tokens alone \(Input language unknown"):
        load_backbone(write_model(tmp_path, make))


def test_a_model_that_lacks_weights_is_refused(tmp_path):
    from safetensors.torch import load_file, save_file

    write_foreign_model(tmp_path)
    weights = load_file(tmp_path / "model.safetensors")
    del weights["transformer.h.0.attn.c_attn.weight"]
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserMistake, match=r"holds no causal language model .*1 of its weights are missing"):
        load_backbone(str(tmp_path))


def test_a_model_whose_weights_are_of_another_size_is_refused(tmp_path):
    write_foreign_model(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "n_positions": 7}))
    with pytest.raises(UserMistake, match=r"1 of its weights do not fit its config\.json"):
        load_backbone(str(tmp_path))


def test_adapters_larger_than_what_they_adapt_are_refused(tmp_path):
    backbone = load_backbone(str(write_foreign_model(tmp_path)))
    with pytest.raises(UserMistake, match="lora_rank must be at most the model's width, 32, not 33"):
        add_lora(backbone, rank=33)


def test_a_tokenizer_that_was_cut_off_is_one_sentence(tmp_path):
    write_foreign_model(tmp_path)
    whole = (tmp_path / "tokenizer.json").read_text()
    (tmp_path / "tokenizer.json").write_text(whole[: len(whole) // 2])
    with pytest.raises(UserMistake, match="holds no causal language model"):
        load_backbone(str(tmp_path))
