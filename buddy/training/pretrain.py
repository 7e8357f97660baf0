"""The text that a base model is pre-trained on: a tokenizer for it, and its rows of tokens."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tokenizers import Tokenizer

from buddy.data.builtin import read_builtin
from buddy.data.corpus import CorpusFile
from buddy.data.prepared import read_prepared
from buddy.errors import UserMistake, quote
from buddy.progress import Progress, progress
from buddy.text.render import END
from buddy.text.rows import corpus_texts, write_corpus
from buddy.text.tokenizer import train_tokenizer
from buddy.training.backbone import load_backbone, quiet_transformers
from buddy.training.settings import TrainSettings


def make_corpus(settings: TrainSettings, files: Sequence[CorpusFile], labelled: Path | None) -> None:
    """Write the rows that ``settings.data`` names.

    Args:
        settings: of the run.
        files: what to read.
        labelled: a prepared folder whose labels the model shall know as one token each; the 32 emotions if ``None``.

    Raises:
        UserMistake: a file cannot be read, there is too little text, or the model ends a text otherwise than a corpus.
    """
    labels = read_builtin().labels() if labelled is None else read_prepared(labelled).labels
    tokenizer = _tokenizer(settings, files, labels)
    write_corpus(settings.data, files, tokenizer, labels, settings.max_tokens, settings.seed)


def _tokenizer(settings: TrainSettings, files: Sequence[CorpusFile], labels: Sequence[str]) -> Tokenizer:
    """Train a tokenizer for a model from scratch; any other brings its own."""
    if not settings.backbone.startswith("scratch:"):
        quiet_transformers()
        backbone = load_backbone(settings.backbone)
        tokenizer = backbone.tokenizer.backend_tokenizer
        if backbone.codec.special_ids[END] != tokenizer.token_to_id(END):  # the rows would have another end
            end = quote(str(backbone.tokenizer.eos_token))
            raise UserMistake(
                f"{settings.backbone} ends a text with {end}, a corpus with {END}; choose a model like gpt2."
            )
        return tokenizer
    with progress("reading for the tokenizer", None, "texts") as bar:
        return train_tokenizer(_counted(corpus_texts(files, settings.seed), bar), labels, settings.vocabulary_size)


def _counted(texts: Iterable[str], bar: Progress) -> Iterator[str]:
    for text in texts:
        bar.advance()
        yield text
