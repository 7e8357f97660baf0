"""The two text layouts, and which of their tokens the model learns.

Everything that buddy's model does is next-token prediction over one of these:

    situation <EMOTION_TYPE> emotion <|endoftext|>
    <SPEAKER> turn <EMOTION_TYPE> emotion <LISTENER> reply <SPEAKER> turn … <|endoftext|>

A rendered text is a sequence of pieces. A piece is either a special token or ordinary text, and it carries
the weight with which the model learns to predict its tokens: 0 for what is only read.

Ordinary text always starts with one space. Byte-level tokenizers know " sad" and "sad" as two different
tokens; with this rule a word has the same tokens wherever it stands.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from buddy.records import Dialogue, Example

EMOTION_TYPE = "<EMOTION_TYPE>"
SPEAKER = "<SPEAKER>"
LISTENER = "<LISTENER>"
END = "<|endoftext|>"
SPECIAL_TOKENS = (EMOTION_TYPE, SPEAKER, LISTENER, END)

LAYOUT_VERSION = 1
"""Written into every checkpoint, so that a model is never asked in a layout that it was not trained on."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a rendered text: its characters, and how strongly its tokens are learned."""

    text: str
    weight: float = 0.0
    special: bool = False


def render_example(text: str, label: str, text_weight: float = 0.0) -> tuple[Piece, ...]:
    """Lay out one labelled text for training: the text is read, the label and its end are learned.

    Args:
        text: what the person wrote.
        label: the emotion, of any number of words.
        text_weight: 0 learns the label only; above 0 the model also learns to predict the text itself,
            each of its tokens counting this much of a label token (an auxiliary language-model loss).

    Example:
        >>> show_plain(render_example("I lost my cat.", "sad"))
        'I lost my cat. <EMOTION_TYPE> sad <|endoftext|>'
        >>> [piece.weight for piece in render_example("I lost my cat.", "sad")]
        [0.0, 0.0, 1.0, 1.0]
    """
    return (_words(text, text_weight), _mark(EMOTION_TYPE), _words(label, 1.0), _mark(END, 1.0))


def render_emotion_question(text: str) -> tuple[Piece, ...]:
    """Lay out a text up to the point where the model is asked for its emotion.

    Example:
        >>> show_plain(render_emotion_question("I lost my cat."))
        'I lost my cat. <EMOTION_TYPE>'
    """
    return (_words(text), _mark(EMOTION_TYPE))


def render_dialogue(
    dialogue: Dialogue,
    emotion_after: Collection[int] = (0,),
    speaker_weight: float = 0.0,
    reply_weight: float = 1.0,
) -> tuple[Piece, ...]:
    """Lay out a conversation for training: the listener's replies are learned, and where they end.

    Args:
        dialogue: turns 0, 2, 4 … are the speaker's.
        emotion_after: the speaker turns that are followed by ``<EMOTION_TYPE> emotion``. Showing a model both
            forms lets it be asked for the emotion after any turn, and reply with or without knowing it.
        speaker_weight: above 0 the speaker's words are learned too, each counting this much.
        reply_weight: what each word of the listener counts, and the mark that ends a reply. A label counts 1; as
            a reply has thirty tokens to its one, less than 1 keeps it from being drowned out.

    Example:
        >>> talk = Dialogue("1", "proud", "My son won.", ["My son won!", "Well done!", "Thanks."])
        >>> show_plain(render_dialogue(talk))
        '<SPEAKER> My son won! <EMOTION_TYPE> proud <LISTENER> Well done! <SPEAKER> Thanks. <|endoftext|>'
    """
    pieces: list[Piece] = []
    for number, turn in enumerate(dialogue.turns):
        if number % 2:
            pieces += [_mark(LISTENER), _words(turn, reply_weight)]
            continue
        pieces += [_mark(SPEAKER, reply_weight if number else 0.0), _words(turn, speaker_weight)]
        if number in emotion_after:
            pieces += [_mark(EMOTION_TYPE), _words(dialogue.emotion, 1.0)]
    ends_with_reply = len(dialogue.turns) % 2 == 0
    return (*pieces, _mark(END, reply_weight if ends_with_reply else speaker_weight))


def render_passage(passage: str | Example | Dialogue, with_emotion: bool = True) -> tuple[Piece, ...]:
    """Lay out anything that a language model reads in pre-training: all of it is learned.

    Args:
        passage: prose, a labelled text, or a conversation.
        with_emotion: whether a conversation names its emotion after the first turn, if it has one.

    Example:
        >>> show_plain(render_passage("It rained."))
        'It rained. <|endoftext|>'
    """
    if isinstance(passage, Example):
        return render_example(passage.text, passage.label, text_weight=1.0)
    if isinstance(passage, Dialogue):
        named = with_emotion and passage.emotion
        return render_dialogue(passage, emotion_after=(0,) if named else (), speaker_weight=1.0)
    return (_words(passage, 1.0), _mark(END, 1.0))


def render_conversation(turns: Sequence[str]) -> tuple[Piece, ...]:
    """Lay out a conversation so far, the speaker first; a question (a mark) may be appended to it.

    Example:
        >>> show_plain(render_conversation(["Hello.", "Hi, how are you?", "Not well."]))
        '<SPEAKER> Hello. <LISTENER> Hi, how are you? <SPEAKER> Not well.'
    """
    marks = (SPEAKER, LISTENER)
    return tuple(piece for number, turn in enumerate(turns) for piece in (_mark(marks[number % 2]), _words(turn)))


def render_reply_question(turns: Sequence[str]) -> tuple[Piece, ...]:
    """Lay out a conversation so far up to the point where the model is asked for the listener's next turn.

    Example:
        >>> show_plain(render_reply_question(["Hello."]))
        '<SPEAKER> Hello. <LISTENER>'
    """
    return (*render_conversation(turns), _mark(LISTENER))


def label_text(label: str) -> str:
    """Give a label as it stands in a layout: after one space."""
    return _words(label).text


def show_plain(pieces: Sequence[Piece]) -> str:
    """Give a rendered text as one line, the way the layouts are written in the documentation."""
    return " ".join(piece.text.strip() for piece in pieces)


def _words(text: str, weight: float = 0.0) -> Piece:
    return Piece(" " + text.strip(), weight)


def _mark(token: str, weight: float = 0.0) -> Piece:
    return Piece(token, weight, special=True)
