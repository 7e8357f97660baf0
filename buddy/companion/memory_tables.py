"""The tables of a memory. Whoever changes one adds a migration and counts ``SCHEMA`` up.

What a turn expresses stands in its row, as a JSON object. A table of its own would have 32 rows for each turn, and the
scores are only ever read together and with their turn. It is text and not the database's own JSON, because that would
sort the labels anew (PostgreSQL) or does not exist (SQLite): here the likeliest stays first.
"""

from datetime import datetime, timezone

from sqlalchemy import DateTime, Dialect, ForeignKey, Index, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

SCHEMA = "0001"
"""The newest migration. They are numbered, so that one that this buddy does not know can be told by its number."""

VERSION_TABLE = "buddy_version"
"""Where Alembic notes the migration; its usual name could be another program's in the same database."""


class UtcTime(TypeDecorator[datetime]):
    """A time, in UTC. SQLite keeps no time zone, and PostgreSQL gives the one of the session."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return value.astimezone(timezone.utc) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None or value.tzinfo:
            return value and value.astimezone(timezone.utc)
        return value.replace(tzinfo=timezone.utc)


class Base(DeclarativeBase):
    """What the tables share: constraints have names, so that a migration can speak of them."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map = {str: Text, datetime: UtcTime}  # noqa: RUF012


class ConversationRow(Base):
    """A conversation.

    Attributes:
        id: 32 hexadecimal digits.
        owner: whose it is; empty for the one person at a terminal.
        begun_at: when it was begun.
        last_at: when its last turn was said; without one, when it was begun.
        turns: how many it has. The next one gets this position: who adds one locks this row.
    """

    __tablename__ = "conversations"
    __table_args__ = (Index(None, "owner", "last_at"), Index(None, "last_at"))

    id: Mapped[str] = mapped_column(primary_key=True)
    owner: Mapped[str]
    begun_at: Mapped[datetime]
    last_at: Mapped[datetime]
    turns: Mapped[int]


class TurnRow(Base):
    """A turn: what ``buddy.companion.conversation.Turn`` has, and its position, from 0."""

    __tablename__ = "turns"

    conversation: Mapped[str] = mapped_column(ForeignKey("conversations.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    role: Mapped[str]
    text: Mapped[str]
    said_at: Mapped[datetime]
    emotions: Mapped[str]
    kind: Mapped[str]
    safety: Mapped[str]
