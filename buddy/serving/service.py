"""What the routes of the web service share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from buddy.companion.buddy import Buddy, Emotion
from buddy.companion.helplines import find_country
from buddy.serving.metrics import Metrics
from buddy.serving.queues import Batches, Turnstile
from buddy.serving.service_settings import ServiceSettings

if TYPE_CHECKING:
    from buddy.companion.memory import Memory

NAME = "buddy"


@dataclass(frozen=True)
class Service:
    """What the routes share.

    Attributes:
        settings: of the service.
        buddy: who answers.
        memory: what is remembered; ``None``: nothing.
        metrics: what is counted.
        batches: where texts are classified.
        turnstile: where replies wait.
    """

    settings: ServiceSettings
    buddy: Buddy
    memory: "Memory | None"
    metrics: Metrics
    batches: Batches[str, Emotion]
    turnstile: Turnstile

    def emergency(self) -> str:
        """Give the number to call where a life is in danger."""
        return " or ".join(find_country(self.settings.country).emergency)
