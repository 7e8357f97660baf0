"""Everything that is asked of a model that has learned to reply, over the conversations of one split.

``replies`` has the perplexity of what people said, ``generated`` the faults of what the model says, and ``context``
whether it knows the emotion on the way. Here the conversations are chosen, the model writes, and all is put together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from buddy.evaluation.context import ContextEmotion, judge_contexts
from buddy.evaluation.generated import Likeness, ReplyTraits, compare_with_references, describe_replies
from buddy.evaluation.metrics import Floats
from buddy.evaluation.replies import Perplexity, judge_replies
from buddy.inference.engine import Engine, Sampling
from buddy.progress import progress
from buddy.records import Dialogue
from buddy.text.render import render_reply_question

CONTEXTS_AT_ONCE = 64
EXAMPLES_SHOWN = 8


class Companion(Protocol):
    """What is needed of a model that is to be judged as a companion."""

    @property
    def engine(self) -> Engine: ...

    @property
    def labels(self) -> tuple[str, ...]: ...

    @property
    def max_tokens(self) -> int: ...

    def conversation_probabilities(self, conversations: Sequence[Sequence[str]]) -> Floats: ...


@dataclass(frozen=True)
class Place:
    """A place in a conversation where the listener speaks: what was said before, and what he said."""

    context: tuple[str, ...]
    reference: str


@dataclass(frozen=True)
class ReplyExample:
    """A place, and what the model says there."""

    context: tuple[str, ...]
    reference: str
    reply: str


@dataclass(frozen=True)
class Generated:
    """What the model wrote in the places of some conversations.

    Attributes:
        conversations: how many were drawn.
        replies: how many places they have; all figures are over these.
        sampling: how the words were chosen.
        of_model: what the model's replies are like.
        of_people: what the real replies in the same places are like.
        likeness: how near the one are to the other.
        examples: a few, evenly spaced.
    """

    conversations: int
    replies: int
    sampling: Sampling
    of_model: ReplyTraits
    of_people: ReplyTraits
    likeness: Likeness
    examples: tuple[ReplyExample, ...]


@dataclass(frozen=True)
class CompanionScores:
    """How good a companion a model is.

    Attributes:
        perplexity: of the listener's real turns.
        generated: of the model's own; None when none were asked for.
        context_emotion: how often the emotion is found from the conversation.
    """

    perplexity: Perplexity
    generated: Generated | None
    context_emotion: ContextEmotion


def judge_companion(
    model: Companion, dialogues: Sequence[Dialogue], conversations: int, resamples: int, seed: int
) -> CompanionScores:
    """Judge a model on conversations.

    Args:
        model: it must have been trained as a companion.
        dialogues: at least one, each with a turn of the listener.
        conversations: in how many of them, drawn at random, the model writes replies; 0 for none.
        resamples: how many bootstrap samples of conversations the intervals come from; 0 for none.
        seed: of these samples, the draw of the conversations and the sampling of words.

    Raises:
        UserMistake: a conversation has an emotion that is not among the model's labels.
    """
    return CompanionScores(
        perplexity=judge_replies(model.engine, dialogues, model.max_tokens, resamples, seed),
        generated=_judge_generated(model, dialogues, conversations, seed) if conversations else None,
        context_emotion=judge_contexts(model.conversation_probabilities, model.labels, dialogues, resamples, seed),
    )


def places_of(dialogues: Sequence[Dialogue]) -> list[Place]:
    """Give every place where the listener speaks, in order.

    Example:
        >>> places_of([Dialogue("1", "sad", "", ["I'm ill.", "Oh no!", "Yes.", "Get well."])])[1]
        Place(context=("I'm ill.", 'Oh no!', 'Yes.'), reference='Get well.')
    """
    return [
        Place(tuple(one.turns[:turn]), one.turns[turn]) for one in dialogues for turn in range(1, len(one.turns), 2)
    ]


def write_replies(model: Companion, contexts: Sequence[Sequence[str]], sampling: Sampling) -> list[str]:
    """Let the model speak after each context.

    Args:
        model: a companion.
        contexts: conversations so far, the last turn being the speaker's.
        sampling: how to choose words; with its seed the same contexts in the same order get the same replies.
    """
    codec = model.engine.codec
    questions = [render_reply_question(turns) for turns in contexts]
    prefixes = codec.encode(questions, model.max_tokens - sampling.max_tokens)
    replies: list[str] = []
    with progress("writing replies", total=len(prefixes), unit="replies") as bar:
        for part, start in enumerate(range(0, len(prefixes), CONTEXTS_AT_ONCE)):
            some = prefixes[start : start + CONTEXTS_AT_ONCE]
            seeded = sampling if sampling.seed is None else replace(sampling, seed=(sampling.seed + part) % 2**31)
            replies += [codec.decode(ids).strip() for ids in model.engine.generate(some, seeded, codec.reply_ends)]
            bar.advance(len(some))
    return replies


def _judge_generated(model: Companion, dialogues: Sequence[Dialogue], conversations: int, seed: int) -> Generated:
    drawn = list(_draw(dialogues, conversations, seed))
    places = places_of(drawn)
    sampling = _sampling_for(model, seed)
    replies = write_replies(model, [place.context for place in places], sampling)
    references, answered = [place.reference for place in places], [place.context[-1] for place in places]
    return Generated(
        conversations=len(drawn),
        replies=len(replies),
        sampling=sampling,
        of_model=describe_replies(replies, answered),
        of_people=describe_replies(references, answered),
        likeness=compare_with_references(replies, references),
        examples=_some_of(places, replies),
    )


def _draw(dialogues: Sequence[Dialogue], conversations: int, seed: int) -> Iterator[Dialogue]:
    drawn = np.random.default_rng(seed).permutation(len(dialogues))[:conversations]
    yield from (dialogues[i] for i in sorted(drawn))


def _sampling_for(model: Companion, seed: int) -> Sampling:
    """Give the engine's usual settings; at least half of what the model can read is left to what was said before.

    A reply is a single draw here: the model is judged, and not how `buddy chat` chooses the best of several draws.
    """
    usual = Sampling()
    return replace(usual, seed=seed % 2**31, max_tokens=min(usual.max_tokens, model.max_tokens // 2))


def _some_of(places: Sequence[Place], replies: Sequence[str]) -> tuple[ReplyExample, ...]:
    step = max(1, len(places) // EXAMPLES_SHOWN)
    shown = list(zip(places, replies, strict=True))[::step][:EXAMPLES_SHOWN]
    return tuple(ReplyExample(place.context, place.reference, reply) for place, reply in shown)
