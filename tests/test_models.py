"""The models that come with buddy: what users, and later versions, rely on."""

import json

import pytest

from buddy import Buddy
from buddy.data.builtin import read_builtin
from buddy.models import find_model

MEGABYTE = 1_000_000


@pytest.mark.parametrize(("name", "most"), [("base", 30), ("companion", 16)])
def test_are_small(name, most):
    folder = find_model(name)
    assert folder
    assert 0 < sum(file.stat().st_size for file in folder.iterdir()) <= most * MEGABYTE


@pytest.mark.parametrize("name", ["base", "companion"])
def test_know_every_emotion_as_one_token(name):
    from tokenizers import Tokenizer

    folder = find_model(name)
    assert folder
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    labels = json.loads((folder / "buddy.json").read_text())["labels"]
    assert sorted(labels) == sorted(read_builtin().labels())
    assert [len(tokenizer.encode(f" {label}").ids) for label in labels] == [1] * 32
    assert tokenizer.get_vocab_size() <= 8192
    assert tokenizer.encode("Sad").ids != tokenizer.encode("sad").ids


def test_the_base_has_at_most_16_million_parameters():
    from buddy.training.backbone import load_backbone

    assert load_backbone("base").parameters()[0] <= 16_000_000


@pytest.fixture(scope="module")
def companion():
    return Buddy()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("I came first in my class after a year of hard study.", {"proud", "joyful"}),
        ("There was a noise in the cellar and I was alone at home.", {"afraid", "terrified"}),
        ("My neighbour keyed my car on purpose.", {"furious", "angry", "annoyed"}),
        ("I found a rat in my soup.", {"disgusted"}),
        ("My grandmother died last night.", {"devastated", "sad"}),
        ("I looked through the photos of our summers at the lake as children.", {"nostalgic", "sentimental"}),
    ],
)
def test_the_companion_tells_plain_feelings(companion, text, expected):
    emotion = companion.emotion(text)
    assert emotion.label in expected
    assert sum(emotion.probabilities.values()) == pytest.approx(1)


def test_the_companion_replies_in_words(companion):
    reply = companion.reply(["My cat ran away and I looked for her all night."])
    assert len(reply.split()) >= 2
    assert "<" not in reply
