"""The settings of the service, and how they reach its worker processes."""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_address
from pathlib import Path

from buddy.errors import UserMistake, explain

SETTINGS_VARIABLE = "BUDDY_SERVICE"
KEYS_VARIABLE = "BUDDY_API_KEYS"
SHORTEST_KEY = 16

RATE_WITH_KEYS = 600
"""Requests a minute with one key, unless somebody says otherwise; an address without keys may send any number."""


@dataclass(frozen=True)
class Limits:
    """What a request may ask for, and how much may wait.

    Attributes:
        body_bytes: of a request.
        body_seconds: for the whole body to arrive.
        send_seconds: for the client to take what it is sent.
        talk_letters: of all messages of a conversation together.
        batch: texts in one pass.
        batch_wait_seconds: how long a batch that is not full waits for more.
        waiting_texts: so many wait; more are refused.
        waiting_replies: so many wait; more are refused.
        reply_patience_seconds: who has waited so long for a reply is refused.
        memory_at_once: so many requests use the memory.
        waiting_for_memory: so many more wait for it; more are refused. With the former it should be less than
            ``waiting_replies``, or else a slow memory takes all their places.
    """

    body_bytes: int = 2_000_000
    body_seconds: float = 10.0
    send_seconds: float = 30.0
    talk_letters: int = 60_000
    batch: int = 64
    batch_wait_seconds: float = 0.002
    waiting_texts: int = 1024
    waiting_replies: int = 32
    reply_patience_seconds: float = 30.0
    memory_at_once: int = 8
    waiting_for_memory: int = 16


@dataclass(frozen=True)
class ServiceSettings:
    """How the service runs.

    Attributes:
        model: a run, a checkpoint or an exported model; ``None`` for the one that comes with buddy.
        host: the address it listens at.
        port: and the port.
        workers: processes.
        keys: the SHA-256 digests of the API keys, in hexadecimal; without any, everybody may ask.
        country: whose helplines are given; empty for the international directories.
        guard: whether the crisis guard answers in a crisis.
        candidates: of so many replies the best is taken.
        memory: where conversations are kept, as the URL of a database; ``None``: nowhere.
        forget_after_days: conversations that ended so long ago are erased.
        requests_per_minute: from one key, or from one address where there are no keys; 0: any number.
        grace_seconds: for what is running when the service is told to stop.
        limits: of requests.
    """

    model: str | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    workers: int = 1
    keys: tuple[str, ...] = ()
    country: str = ""
    guard: bool = True
    candidates: int = 8
    memory: str | None = None
    forget_after_days: int | None = None
    requests_per_minute: int = 0
    grace_seconds: int = 20
    limits: Limits = Limits()

    @property
    def is_local(self) -> bool:
        """Whether nobody outside this machine can reach the address."""
        if self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return False

    def to_environment(self) -> dict[str, str]:
        """Give what a worker process needs in its environment."""
        return {SETTINGS_VARIABLE: json.dumps(asdict(self))}


def settings_from_environment(environment: Mapping[str, str] = os.environ) -> ServiceSettings:
    """Read what ``to_environment`` gave."""
    values = json.loads(environment[SETTINGS_VARIABLE])
    return ServiceSettings(**{**values, "keys": tuple(values["keys"]), "limits": Limits(**values["limits"])})


def read_keys(environment: Mapping[str, str], file: Path | None) -> tuple[str, ...]:
    """Read API keys from the environment (with commas between them) or a file (one a line), and give their digests.

    Raises:
        UserMistake: the file cannot be read, or a key is so short that it can be guessed.
    """
    try:
        text = file.read_text("utf-8") if file else environment.get(KEYS_VARIABLE, "")
    except (OSError, UnicodeDecodeError) as error:
        reason = explain(error) if isinstance(error, OSError) else "it is not text in UTF-8"
        raise UserMistake(f"The keys in {file} cannot be read: {reason}.") from error
    keys = [key for key in re.split(r"[\s,]+", text) if key]
    if any(len(key) < SHORTEST_KEY or not key.isascii() for key in keys):
        raise UserMistake(
            f"An API key needs at least {SHORTEST_KEY} letters of ASCII; `openssl rand -hex 24` makes one."
        )
    if file and not keys:
        raise UserMistake(f"There is no key in {file}.")
    return tuple(digest(key) for key in keys)


def refuse_open_door(settings: ServiceSettings, without_keys: bool) -> None:
    """Make sure that a service which others can reach has keys.

    Raises:
        UserMistake: it has none, and nobody said that everybody may use it.
    """
    if not settings.is_local and not settings.keys and not without_keys:
        raise UserMistake(
            f"{settings.host} can be reached from other machines: set BUDDY_API_KEYS or name a --keys-file, or say "
            "--without-keys if everybody may use it."
        )


def refuse_file_memory(settings: ServiceSettings) -> None:
    """Make sure that all nodes of a cluster reach the same memory.

    Raises:
        UserMistake: it is a file of one node.
    """
    if (settings.memory or "").startswith("sqlite"):
        raise UserMistake("On a cluster conversations need a database that all nodes reach: postgresql://…")


def digest(key: str) -> str:
    """Give what is kept of a key, and of a session: from it nobody finds the key again.

    Example:
        >>> digest("a long and secret key")[:8]
        '093b4304'
    """
    return hashlib.sha256(key.encode()).hexdigest()
