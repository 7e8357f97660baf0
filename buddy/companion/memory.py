"""What buddy remembers: conversations with their turns, in a file of the user's or in a database of a service.

A turn that ``add`` has taken is on the disk, whatever happens next, and what is erased is gone from the disk's files.
Nothing that was said gets into a log or into the words of an exception.
"""

import json
import os
import sys
import uuid
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from sqlalchemy import and_, delete, insert, or_, select, update
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from buddy.companion.conversation import ConversationMoved, Kind, Role, Turn, now, turn_as_json
from buddy.companion.memory_database import Database, TracesRemain
from buddy.companion.memory_postgres import PostgresDatabase
from buddy.companion.memory_sqlite import SqliteDatabase
from buddy.companion.memory_tables import ConversationRow, TurnRow
from buddy.errors import UserMistake, quote

FILE_NAME = "memory.sqlite3"
NO_LETTER = "\N{REPLACEMENT CHARACTER}"


class UnknownConversation(UserMistake, LookupError):
    """There is no such conversation, or it is somebody else's: which of the two is not told."""


@dataclass(frozen=True)
class Stored:
    """A conversation in a list.

    Attributes:
        id: its name in the memory.
        begun_at: when it was begun.
        last_at: when its last turn was said.
        turns: how many it has.
    """

    id: str
    begun_at: datetime
    last_at: datetime
    turns: int


class Memory:
    """Conversations that are kept. Threads and processes may use one memory at the same time."""

    def __init__(self, database: Database) -> None:
        """Use a database whose tables are up to date."""
        self._database = database

    def begin(self, owner: str = "") -> Stored:
        """Begin a conversation."""
        time = now()
        begun = Stored(uuid.uuid4().hex, time, time, 0)
        with self._database.writing() as connection:
            connection.execute(insert(ConversationRow), [{**asdict(begun), "owner": owner}])
        return begun

    def add(self, conversation: str, turns: Sequence[Turn], after: int | None = None) -> None:
        """Keep turns, all or none; when this returns they survive a crash.

        Args:
            conversation: its id.
            turns: what was said, in order.
            after: how many turns the caller knows of; two that go on with one conversation at the same time would
                otherwise mix what they say.

        Raises:
            UnknownConversation: there is none of this id.
            ConversationMoved: it has another number of turns.
        """
        if not turns:
            return
        with self._database.writing() as connection:
            taken = connection.execute(
                update(ConversationRow)  # locks the row, so that positions stay without gaps
                .where(ConversationRow.id == conversation)
                .values(turns=ConversationRow.turns + len(turns), last_at=turns[-1].said_at)
                .returning(ConversationRow.turns)
            ).scalar_one_or_none()
            if taken is None:
                raise _unknown(conversation)
            first = taken - len(turns)
            if after not in (None, first):
                raise ConversationMoved("Somebody else has gone on with this conversation; read it again.")
            rows = [_as_row(conversation, first + number, turn) for number, turn in enumerate(turns)]
            connection.execute(insert(TurnRow), rows)

    def turns(self, conversation: str, owner: str = "") -> list[Turn]:
        """Give what was said in a conversation.

        Raises:
            UnknownConversation: there is none of this id and owner.
        """
        with self._database.reading() as connection:
            known = select(ConversationRow.id).where(*_is(conversation, owner))
            if connection.execute(known).first() is None:
                raise _unknown(conversation)
            query = select(TurnRow.__table__).where(TurnRow.conversation == conversation).order_by(TurnRow.position)
            return [_as_turn(row) for row in connection.execute(query).mappings()]

    def conversations(self, owner: str = "", most: int | None = None, after: str | None = None) -> list[Stored]:
        """List conversations, the newest first.

        Args:
            owner: whose.
            most: so many of them; all if not given.
            after: the id of the last one that is known already.

        Raises:
            UnknownConversation: there is none of the id ``after`` and this owner.
        """
        row = ConversationRow
        query = (
            select(row.id, row.begun_at, row.last_at, row.turns)
            .where(row.owner == owner)
            .order_by(row.last_at.desc(), row.id)
            .limit(most)
        )
        with self._database.reading() as connection:
            if after is not None:
                known = connection.execute(select(row.last_at).where(*_is(after, owner))).scalar_one_or_none()
                if known is None:
                    raise _unknown(after)
                query = query.where(or_(row.last_at < known, and_(row.last_at == known, row.id > after)))
            return [Stored(*found) for found in connection.execute(query)]

    def export(self, owner: str = "", conversation: str | None = None) -> dict[str, object]:
        """Give everything, or one conversation, in a form for a JSON file.

        Raises:
            UnknownConversation: there is none of this id and owner.
        """
        names = [conversation] if conversation else [one.id for one in self.conversations(owner)]
        found = [{"id": name, "turns": [turn_as_json(turn) for turn in self.turns(name, owner)]} for name in names]
        return {"version": 1, "conversations": found}

    def erase(self, conversation: str, owner: str = "") -> None:
        """Erase a conversation, from the disk too.

        Raises:
            UnknownConversation: there is none of this id and owner.
            TracesRemain: it is deleted, and another program keeps its traces from being wiped yet.
        """
        if not self._delete(*_is(conversation, owner)):
            raise _unknown(conversation)
        self._database.wipe_traces()

    def erase_all(self, owner: str = "") -> int:
        """Erase every conversation of an owner and tell how many there were.

        Raises:
            TracesRemain: as ``erase``, also for traces that an earlier call had to leave.
        """
        return self._delete_and_wipe(ConversationRow.owner == owner)

    def forget_older_than(self, days: int) -> int:
        """Erase conversations, of any owner, whose last turn is older; otherwise as ``erase_all``."""
        return self._delete_and_wipe(ConversationRow.last_at < now() - timedelta(days=days))

    def close(self) -> None:
        """Let go of the database."""
        self._database.engine.dispose()

    def __enter__(self) -> "Memory":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _delete_and_wipe(self, which: Any) -> int:
        erased = self._delete(which)
        if erased or self._database.has_traces():  # an earlier try may have been in vain
            self._database.wipe_traces()
        return erased

    def _delete(self, *which: Any) -> int:
        with self._database.writing() as connection:
            query = delete(ConversationRow).where(*which).returning(ConversationRow.id)  # turns go with their row
            erased = len(connection.execute(query).all())
            if erased:
                self._database.mark_traces(connection)
        return erased


def open_memory(url: str | None = None) -> Memory:
    """Open a memory; one that does not exist is made.

    Traces of what was erased are wiped if some were left; if that is impossible now, there is a warning.

    Args:
        url: of a database (``sqlite:///FILE``, ``postgresql://…``); a file in the user's data folder if none is named.

    Raises:
        UserMistake: it is no database of buddy's.
        EnvironmentFault: it cannot be used.
    """
    database = _database(url)
    database.migrate()
    try:
        database.wipe_traces()
    except TracesRemain as traces:  # the disk is full, say; what is remembered can be read all the same
        warnings.warn(str(traces), stacklevel=2)
    return Memory(database)


def open_existing_memory(url: str | None = None) -> Memory | None:
    """Open a memory as ``open_memory`` does; ``None`` if its file does not exist: looking for it does not begin one.

    A PostgreSQL database exists already; if it is empty, it gets its tables.
    """
    place = _place(url)
    return open_memory(url) if isinstance(place, URL) or place.exists() else None


def default_path() -> Path:
    """Tell where conversations are kept if nothing else is said: in ``BUDDY_DATA_HOME``, or the user's data folder."""
    home = os.environ.get("BUDDY_DATA_HOME")
    if home:
        return Path(home) / FILE_NAME
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "buddy" / FILE_NAME
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "buddy" / FILE_NAME
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "buddy" / FILE_NAME


def _database(url: str | None) -> Database:
    place = _place(url)
    return PostgresDatabase(place) if isinstance(place, URL) else SqliteDatabase(place)


def _place(url: str | None) -> URL | Path:
    """Give the URL of a PostgreSQL database, or the file of a SQLite one.

    Raises:
        UserMistake: it is no URL of either.
    """
    if url is None:
        return default_path()
    try:
        found = make_url(url)
    except ArgumentError as error:
        raise UserMistake(f"{quote(url)} is no URL of a database; sqlite:///FILE or postgresql://… are.") from error
    if found.get_backend_name() == "postgresql":
        return found
    if found.get_backend_name() == "sqlite" and found.database:
        return Path(found.database)
    raise UserMistake("A memory is a SQLite file (sqlite:///FILE) or a PostgreSQL database (postgresql://…).")


def _is(conversation: str, owner: str) -> tuple[Any, Any]:
    return ConversationRow.id == conversation, ConversationRow.owner == owner


def _unknown(conversation: str) -> UnknownConversation:
    return UnknownConversation(f"No conversation {quote(conversation)} is remembered.")


def _storable(text: str) -> str:
    """Replace what one of the databases cannot hold: NUL, and half surrogate pairs."""
    return text.replace("\0", NO_LETTER).encode("utf-8", "replace").decode("utf-8")


def _as_row(conversation: str, position: int, turn: Turn) -> dict[str, object]:
    return {
        **asdict(turn),
        "text": _storable(turn.text),
        "emotions": json.dumps(dict(turn.emotions)),
        "conversation": conversation,
        "position": position,
    }


def _as_turn(row: Any) -> Turn:
    return Turn(
        cast(Role, row["role"]),
        row["text"],
        row["said_at"],
        json.loads(row["emotions"]),
        cast(Kind, row["kind"]),
        row["safety"],
    )
