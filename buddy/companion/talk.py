"""A conversation that goes on: each message is answered in the light of the former, and kept if there is a memory."""

from collections.abc import Generator
from dataclasses import replace
from typing import TYPE_CHECKING

from buddy.companion.buddy import Answer, Buddy
from buddy.companion.conversation import Turn
from buddy.companion.reply import Replies

if TYPE_CHECKING:
    from buddy.companion.memory import Memory

UNSAID = "…"
"""Stands for a reply that was stopped before its first word."""


class Talk:
    """One conversation with a ``Buddy``.

    Attributes:
        turns: so far; after a reply was read to its end, or stopped, they end with it.
        conversation: its id in the memory, once something is kept.
    """

    def __init__(
        self,
        buddy: Buddy,
        memory: "Memory | None" = None,
        conversation: str | None = None,
        owner: str = "",
    ) -> None:
        """Begin a conversation, or go on with one that is remembered.

        Args:
            buddy: who answers.
            memory: where turns are kept; without one, nowhere.
            conversation: the id of one in the memory.
            owner: whose it is in the memory.

        Raises:
            LookupError: the memory has no such conversation of this owner.
        """
        self._buddy = buddy
        self._memory = memory
        self._owner = owner
        self.conversation = conversation
        self._speaking: Generator[str] | None = None
        buddy.get_ready()
        self.turns: list[Turn] = memory.turns(conversation, owner) if memory and conversation else []

    def say(self, message: str, replies: Replies | None = None) -> Answer:
        """Answer a message; it is kept before the reply begins, and the reply when it has ended.

        Args:
            message: what the speaker says.
            replies: how the model makes its reply, if otherwise than usual.

        Returns:
            Its pieces are to be read before the next message; one that stops reading them stops the reply.
        """
        self.end_reply()
        answer = self._buddy.answer([*(turn.text for turn in self.turns), message], replies)
        emotions = answer.emotion.probabilities if answer.emotion else {}
        self.keep(Turn("speaker", message, emotions=emotions, kind=answer.kind, safety=str(answer.assessment)))
        self._speaking = self._reply(answer)
        return replace(answer, pieces=self._speaking)

    def end_reply(self) -> None:
        """Make sure that the last message has its reply: as much of it as was read."""
        if self._speaking:
            self._speaking.close()
        if self.turns and self.turns[-1].role == "speaker":
            self.keep(Turn("listener", UNSAID, kind=self.turns[-1].kind))

    def keep(self, *turns: Turn) -> None:
        """Add turns, in the memory first: what it cannot keep was not said.

        Raises:
            ConversationMoved: somebody else has gone on with the conversation.
        """
        if self._memory:
            self.conversation = self.conversation or self._memory.begin(self._owner)
            self._memory.add(self.conversation, turns, after=len(self.turns))
        self.turns += turns

    def _reply(self, answer: Answer) -> Generator[str]:
        said = ""
        try:
            for piece in answer.pieces:
                said += piece
                yield piece
        finally:  # also when nobody reads on
            self.keep(Turn("listener", said.strip() or UNSAID, kind=answer.kind))
