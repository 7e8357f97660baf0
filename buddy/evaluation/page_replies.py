"""What the report and the terminal say of a companion's replies: rows, worked out here so that others only lay out."""

from dataclasses import dataclass

from buddy.evaluation.bootstrap import Interval
from buddy.evaluation.companion import CompanionScores, Generated


@dataclass(frozen=True)
class ReplyRow:
    """One figure as it is shown, its interval (empty where none was made), and how to read it."""

    name: str
    value: str
    interval: str
    meaning: str


@dataclass(frozen=True)
class TraitRow:
    """One trait of the model's replies, beside that of people's replies in the same places."""

    name: str
    of_model: str
    of_people: str
    meaning: str


def reply_rows(scores: CompanionScores) -> tuple[ReplyRow, ...]:
    """List how well the model foresees what people replied, and knows what they feel from the conversation."""
    perplexity, emotion = scores.perplexity, scores.context_emotion
    interval = perplexity.per_word_interval
    words = f"{_written(interval[0])} – {_written(interval[1])}" if interval else ""
    first, last = (
        (f"{100 * place.accuracy:.1f}", _ends(place.interval, 100.0))
        for place in (emotion.first_turn, emotion.last_turn)
    )
    return (
        ReplyRow(
            "perplexity per word", _written(perplexity.per_word), words, "punctuation counts; compares with others"
        ),
        ReplyRow("… averaged by reply", _written(perplexity.per_word_by_reply), "", "as published code does"),
        ReplyRow("… per word between spaces", _written(perplexity.per_space_word), "", "fewer words, so it is higher"),
        ReplyRow("… per token", _written(perplexity.per_token), "", "compares within one tokenizer only"),
        ReplyRow("bits per byte", f"{perplexity.bits_per_byte:.3f}", "", "independent of what a word is"),
        ReplyRow("emotion after the first turn, %", *first, "how often it is found from what is said"),
        ReplyRow("emotion after the last turn, %", *last, "the same with the whole conversation before it"),
    )


def trait_rows(generated: Generated) -> tuple[TraitRow, ...]:
    """List what the model's replies are like, beside people's."""
    model, people = generated.of_model, generated.of_people

    def share(name: str, field: str, meaning: str) -> TraitRow:
        of_model, of_people = (f"{100 * getattr(traits, field):.1f}" for traits in (model, people))
        return TraitRow(name, of_model, of_people, meaning)

    return (
        share("distinct-1, %", "distinct_1", "different words among all; compares for equal numbers of replies only"),
        share("distinct-2, %", "distinct_2", "different pairs of words among all"),
        TraitRow("mean length, words", f"{model.words:.1f}", f"{people.words:.1f}", "without punctuation"),
        share("empty, %", "empty", "nothing, or punctuation only"),
        share("loops, %", "loops", "four words in a row that come twice"),
        share("said elsewhere, too, %", "repeated", "the same reply to another context"),
        share("echoes, %", "echoes", "five words in a row from the turn that is answered"),
        share("special tokens, %", "special_tokens", "marks that no person ever said"),
        TraitRow(
            "BLEU-4", f"{generated.likeness.bleu_4:.2f}", "", "runs of words shared with the real reply, 0 to 100"
        ),
        TraitRow("chrF", f"{generated.likeness.chrf:.1f}", "", "runs of letters shared with the real reply, 0 to 100"),
    )


def _written(perplexity: float | None) -> str:
    """Write a perplexity, also one of words that are whole replies, as where nobody writes spaces.

    Example:
        >>> _written(24.91), _written(3.2e90), _written(None)
        ('24.9', '3.2e+90', 'too large')
    """
    if perplexity is None:
        return "too large"
    return f"{perplexity:.1f}" if perplexity < 1e6 else f"{perplexity:.1e}"


def _ends(interval: Interval | None, scale: float) -> str:
    return f"{scale * interval[0]:.1f} – {scale * interval[1]:.1f}" if interval else ""
