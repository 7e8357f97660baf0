"""What the routes of the web service share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buddy.companion.buddy import Buddy, Emotion
from buddy.serving.metrics import Metrics
from buddy.serving.queues import Batches, Desk, Turnstile
from buddy.serving.service_settings import ServiceSettings

if TYPE_CHECKING:
    from buddy.companion.memory import Memory

NAME = "buddy"

CROWD = 8
"""With more replies inside than this each of them gets half the work."""


@dataclass(frozen=True)
class Service:
    """What the routes share.

    Attributes:
        settings: of the service.
        buddy: who answers.
        memory: what is remembered; ``None``: nothing.
        metrics: what is counted.
        batches: where texts are classified; beside the emotion they tell whether the model can read the text.
        turnstile: where replies wait.
        desk: where what needs the memory waits.
    """

    settings: ServiceSettings
    buddy: Buddy
    memory: "Memory | None"
    metrics: Metrics
    batches: Batches[str, tuple[Emotion, bool]]
    turnstile: Turnstile
    desk: Desk

    def candidates(self, seed: int | None) -> int:
        """Tell from how many replies to choose: fewer in a crowd, unless a seed asks for the same reply every time."""
        most = self.settings.candidates
        return most if seed is not None or self.turnstile.inside <= CROWD else max(1, most // 2)
