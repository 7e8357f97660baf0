from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers, processors

from buddy.errors import UserMistake
from buddy.records import Dialogue
from buddy.text.render import (
    END,
    LISTENER,
    SPEAKER,
    SPECIAL_TOKENS,
    render_conversation,
    render_dialogue,
    render_emotion_question,
    render_example,
    render_reply_question,
)
from buddy.text.tokenizer import Codec, make_codec, train_tokenizer

EMOTIONS = """
    sentimental afraid proud faithful terrified joyful angry sad jealous grateful prepared embarrassed excited annoyed
    lonely ashamed guilty surprised nostalgic confident furious disappointed caring trusting disgusted anticipating
    anxious hopeful content impressed apprehensive devastated
""".split()  # noqa: SIM905

ODD_TEXTS = st.lists(
    st.one_of(
        st.text(),
        st.sampled_from(
            [*SPECIAL_TOKENS, " <EMOTION_TYPE> sad", "שלום", "مرحبا", "👩‍👩‍👧", "\0", "\r\n", "\u202e", "Ġ", "é", "é"]
        ),
    ),
    max_size=6,
).map("".join)


def bytes_only(labels: list[str] | tuple[str, ...] = ()) -> Tokenizer:
    """The smallest tokenizer there is: nothing learned, so only labels are more than single bytes."""
    return train_tokenizer([], labels, 300)


class TestAnyText:
    @given(ODD_TEXTS)
    @example("<EMOTION_TYPE> sad <|endoftext|>")
    @example("")
    def test_comes_back_letter_by_letter_and_holds_no_special_token(self, codec, text):
        (tokens,) = codec.encode([render_example(text, "sad")])
        assert codec.decode(tokens.ids.tolist()) == f" {text.strip()}<EMOTION_TYPE> sad<|endoftext|>"
        special = [i for i, token in enumerate(tokens.ids) if token in codec.special_ids.values()]
        assert special == [len(tokens) - 3, len(tokens) - 1]

    @given(st.lists(ODD_TEXTS, min_size=1, max_size=4))
    def test_in_a_conversation_adds_no_turn(self, codec, turns):
        (tokens,) = codec.encode([render_conversation(turns)])
        marks = [codec.special_ids[SPEAKER], codec.special_ids[LISTENER]]
        assert [token for token in tokens.ids if token in codec.special_ids.values()] == [
            marks[i % 2] for i in range(len(turns))
        ]

    def test_with_half_a_surrogate_pair_gets_tokens(self, codec):
        """What a shell with bytes that are no UTF-8, or JSON with a cut emoji, hands over."""
        assert len(codec.encode([render_emotion_question("so \ud83d sad")])[0]) > 3

    @pytest.mark.parametrize("letter", ["x", "😀"])
    def test_without_a_space_for_pages_teaches_no_token_as_long(self, letter):
        """Before they were cut, 100,000 letters kept the training of a tokenizer busy for a minute."""
        tokenizer = train_tokenizer([letter * 100_000, " the cat sat"], [], 1000)
        lengths = [len(token.encode()) for token in tokenizer.get_vocab()]
        assert 100 < max(lengths) <= 2 * len((200 * letter).encode())

    def test_gives_the_same_tokens_in_any_company(self, codec):
        texts = ["I am sad", "", "one two three " * 50]
        together = codec.encode([render_emotion_question(text) for text in texts])
        alone = [codec.encode([render_emotion_question(text)])[0] for text in texts]
        assert [t.ids.tolist() for t in together] == [t.ids.tolist() for t in alone]


class TestLabels:
    def test_are_one_token_each_even_in_the_smallest_vocabulary(self):
        codec = make_codec(bytes_only(EMOTIONS))
        tokens = [codec.encode_label(label) for label in EMOTIONS]
        assert [len(each) for each in tokens] == [1] * 32
        assert len(set(tokens)) == 32

    def test_have_one_token_per_word_when_they_have_several_words(self):
        codec = make_codec(bytes_only(["sad", "sad and tired"]))
        assert [len(codec.encode_label(label)) for label in ("sad", "sad and tired")] == [1, 3]
        assert codec.encode_label("sad and tired")[0] == codec.encode_label("sad")[0]

    @pytest.mark.parametrize(
        "word", ["sadness", "contents", "caringly", "nostril", "Sad", "unsad", "a", "afra", "angr"]
    )
    def test_leave_the_tokens_of_other_words_alone(self, word):
        with_labels, without = bytes_only(EMOTIONS), bytes_only()
        assert with_labels.encode(f" {word}").tokens == without.encode(f" {word}").tokens

    def test_count_towards_the_size_of_the_vocabulary(self):
        texts = [f" {a}{b}{c}" for a in "bdfgklm" for b in "aeiou" for c in "nprstvwz"]
        assert train_tokenizer(texts, EMOTIONS, 500).get_vocab_size() <= 500

    def test_of_more_words_than_the_vocabulary_has_room_for_are_refused(self):
        labels = ["".join(letters) for letters in product("abcdefg", repeat=3)][:301]
        with pytest.raises(UserMistake, match=r"301 different words, .* need --vocabulary-size 561 or more, not 300"):
            bytes_only(labels)
        assert train_tokenizer([], labels, 561).get_vocab_size() == 561

    def test_are_spelled_as_they_are_learned(self, codec):
        (tokens,) = codec.encode([render_example("Hi", "sad and tired")])
        label = codec.encode_label("sad and tired")
        assert tuple(tokens.ids[-1 - len(label) : -1]) == label
        assert tokens.weights.tolist()[-1 - len(label) :] == [1.0] * (len(label) + 1)


class TestTraining:
    def test_learns_the_frequent_words_of_its_texts(self):
        tokenizer = train_tokenizer([" the cat sat"] * 9 + [" xylophone"], [], 275)
        assert len(tokenizer.encode(" the cat").ids) == 2
        assert len(tokenizer.encode(" xylophone").ids) > 2


class TestTruncation:
    @pytest.mark.parametrize("limit", [8, 20, 64])
    def test_keeps_the_end_of_a_text_and_the_question(self, codec, limit):
        text = " ".join(f"w{i}" for i in range(100))
        (whole,) = codec.encode([render_emotion_question(text)])
        (cut,) = codec.encode([render_emotion_question(text)], max_tokens=limit)
        assert cut.ids.tolist() == whole.ids[-limit:].tolist()

    def test_keeps_the_label_of_a_labelled_text(self, codec):
        (whole,) = codec.encode([render_example("long " * 100, "sad and tired")])
        (cut,) = codec.encode([render_example("long " * 100, "sad and tired")], max_tokens=16)
        assert cut.ids.tolist() == whole.ids[-16:].tolist()
        assert cut.weights.tolist() == whole.weights[-16:].tolist()

    def test_keeps_a_label_that_is_longer_than_the_text(self):
        codec = make_codec(bytes_only())  # every letter of a label is a token of its own
        label = "unhappy because everything went wrong"
        (whole,) = codec.encode([render_example("hi there", label)])
        (cut,) = codec.encode([render_example("hi there", label)], max_tokens=len(whole) - 6)
        assert codec.decode(cut.ids.tolist()) == f"ere<EMOTION_TYPE> {label}<|endoftext|>"

    def test_keeps_the_label_of_a_conversation_that_is_longer_than_its_turn(self):
        codec = make_codec(bytes_only())
        label = "unhappy because everything went wrong"
        talk = Dialogue("1", label, "", ["Hello.", "Hi.", "My cat died."])
        (cut,) = codec.encode([render_dialogue(talk, emotion_after=(2,))], max_tokens=len(label) + 9)
        assert codec.decode(cut.ids.tolist()) == f"<SPEAKER>died.<EMOTION_TYPE> {label}<|endoftext|>"

    def test_leaves_alone_what_fits(self, codec):
        (whole,) = codec.encode([render_emotion_question("I am sad")])
        (same,) = codec.encode([render_emotion_question("I am sad")], max_tokens=len(whole))
        assert same.ids.tolist() == whole.ids.tolist()

    @pytest.mark.parametrize("limit", range(16, 60, 3))
    def test_drops_whole_turns_of_a_conversation(self, codec, limit):
        turns = [f"turn {i} of us" for i in range(6)]
        (whole,) = codec.encode([render_conversation(turns)])
        (cut,) = codec.encode([render_conversation(turns)], max_tokens=limit)
        assert len(cut) <= limit
        assert cut.ids.tolist() == whole.ids[-len(cut) :].tolist()
        starts = (codec.special_ids[SPEAKER], codec.special_ids[LISTENER])
        assert cut.ids[0] in starts
        turn_before = next((i for i in range(len(whole) - len(cut) - 1, -1, -1) if whole.ids[i] in starts), None)
        assert turn_before is None or len(whole) - turn_before > limit, "one more turn would have fitted"

    def test_shortens_the_last_turn_when_it_alone_is_too_long(self, codec):
        talk = Dialogue("1", "sad", "", ["Hello.", "so " * 100 + "sorry"])
        (whole,) = codec.encode([render_dialogue(talk)])
        (cut,) = codec.encode([render_dialogue(talk)], max_tokens=16)
        assert cut.ids.tolist() == [codec.special_ids[LISTENER], *whole.ids[-15:]]
        assert codec.decode(cut.ids.tolist()).endswith(" so sorry<|endoftext|>")

    def test_keeps_the_end_of_what_a_reply_is_asked_to(self, codec):
        question = render_reply_question(["Hello.", "Hi.", "so " * 100 + "sorry"])
        (whole,) = codec.encode([question])
        (cut,) = codec.encode([question], max_tokens=16)
        assert cut.ids.tolist() == [codec.special_ids[SPEAKER], *whole.ids[-15:]]


class TestCodecOfAnotherTokenizer:
    @pytest.fixture
    def llama_like(self) -> Codec:
        """A tokenizer that puts a token of its own before every text, pads, and cuts."""
        backend = bytes_only(["sad"])
        backend.add_special_tokens([AddedToken("<s>", special=True, normalized=False)])
        start = backend.token_to_id("<s>")
        backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", start)])
        backend.enable_truncation(5)
        backend.enable_padding(length=9)
        return make_codec(backend)

    def test_its_start_token_stands_first_once_and_is_not_learned(self, llama_like):
        (tokens,) = llama_like.encode([render_example("I am so very very tired of it", "sad", text_weight=1.0)])
        start = llama_like.backend.token_to_id("<s>")
        assert tokens.ids.tolist().count(start) == 1
        assert (tokens.ids[0], tokens.weights[0]) == (start, 0.0)
        assert llama_like.decode(tokens.ids.tolist()[1:]) == (
            " I am so very very tired of it<EMOTION_TYPE> sad<|endoftext|>"
        )

    def test_its_start_token_stays_and_counts_when_a_text_is_cut(self, llama_like):
        (tokens,) = llama_like.encode([render_emotion_question("tired " * 20)], max_tokens=16)
        assert len(tokens) == 16
        assert tokens.ids[0] == llama_like.backend.token_to_id("<s>")

    def test_the_tokenizer_handed_over_is_not_changed(self):
        backend = bytes_only()
        before = backend.to_str()
        make_codec(backend)
        assert backend.to_str() == before
        assert len(backend.encode(END).ids) == 1

    def test_one_without_our_tokens_is_refused(self):
        foreign = Tokenizer(models.BPE())
        foreign.pre_tokenizer = pre_tokenizers.ByteLevel()
        with pytest.raises(UserMistake, match="no <EMOTION_TYPE> token"):
            make_codec(foreign)
