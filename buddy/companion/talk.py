"""A conversation that goes on: each message is answered in the light of the former, and kept if there is a memory."""

import logging
import signal
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType
from typing import TYPE_CHECKING

from buddy.companion.buddy import Answer, Buddy
from buddy.companion.conversation import Turn
from buddy.companion.reply import Replies
from buddy.errors import BuddyError

if TYPE_CHECKING:
    from buddy.companion.memory import Memory

UNSAID = "…"
"""Stands for a reply that was stopped before its first word, or never came, once something else is said."""

log = logging.getLogger("buddy.talk")


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
        self._kept = len(self.turns)

    def say(self, message: str, replies: Replies | None = None) -> Answer:
        """Answer a message; it is kept before the reply begins, and the reply when it has ended.

        In a crisis nothing may come before the guard's words: both are kept after them, and where that fails, it is
        logged and tried again with the next message.

        Args:
            message: what the speaker says.
            replies: how the model makes its reply, if otherwise than usual.

        Returns:
            Its pieces are to be read before the next message; one that stops reading them stops the reply.
        """
        answer = self.hear(message, replies)
        self._speaking = self._reply(answer)
        return replace(answer, pieces=self._speaking)

    def hear(self, message: str, replies: Replies | None = None) -> Answer:
        """Begin to answer a message as ``say`` does; whoever reads the reply tells ``end_reply`` what was said.

        A message that comes again because it got no reply is not kept twice.
        """
        if self._speaking:
            self._speaking.close()
        if self.turns and (self.turns[-1].role, self.turns[-1].text) == ("speaker", message):
            return self._buddy.answer([turn.text for turn in self.turns], replies)
        missing = self._missing_reply()
        turns = [*self.turns, *missing]
        answer = self._buddy.answer([*(turn.text for turn in turns), message], replies)
        emotions = answer.emotion.probabilities if answer.emotion else {}
        heard = Turn("speaker", message, emotions=emotions, kind=answer.kind, safety=str(answer.assessment))
        if answer.kind == "crisis":
            self.turns += [*missing, heard]
        else:
            self.keep(*missing, heard)
        return answer

    def end_reply(self, said: str = "") -> None:
        """Make sure that the last message has its reply: as much of it as was read.

        Args:
            said: that much, if another has read it than what ``say`` gave.
        """
        if self._speaking:
            self._speaking.close()
        self._keep_reply(said)

    def keep(self, *turns: Turn) -> None:
        """Add turns, in the memory first: what it cannot keep was not said. Ctrl-C waits until both know of them.

        Raises:
            ConversationMoved: somebody else has gone on with the conversation.
        """
        with _ctrl_c_held_back():
            unkept = [*self.turns[self._kept :], *turns]
            if self._memory and unkept:
                self.conversation = self.conversation or self._memory.begin(self._owner).id
                self._memory.add(self.conversation, unkept, after=self._kept)
                self._kept += len(unkept)
            self.turns += turns

    def _reply(self, answer: Answer) -> Generator[str]:
        said = ""
        try:
            for piece in answer.pieces:
                said += piece
                yield piece
        finally:  # also when nobody reads on
            self._keep_reply(said)

    def _keep_reply(self, said: str) -> None:
        reply = self._missing_reply(said)
        try:
            self.keep(*reply)
        except Exception as error:
            if not reply or reply[0].kind != "crisis":
                raise
            self.turns += reply
            reason = str(error) if isinstance(error, BuddyError) else type(error).__name__  # never what was said
            log.error("The answer to a crisis was given and cannot be kept: %s", reason)

    def _missing_reply(self, said: str = "") -> list[Turn]:
        """Give the reply to the last message, if it has none yet."""
        if not self.turns or self.turns[-1].role == "listener":
            return []
        return [Turn("listener", said.strip() or UNSAID, kind=self.turns[-1].kind)]


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Let Ctrl-C wait for the end of a block. Python gives it to the main thread; others have nothing to do."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[FrameType | None] = []
    usual = signal.signal(signal.SIGINT, lambda _, frame: came.append(frame))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if came and callable(usual):
        usual(signal.SIGINT, came[0])
