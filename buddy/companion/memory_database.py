"""What every database of a memory can do: transactions whose faults are one sentence, and migrations.

An error of a database can quote the row that it is about (PostgreSQL: "Failing row contains …"), and a row is what
somebody said. So none gets out of here: a sentence takes its place.
"""

import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, column, inspect, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from buddy.companion.memory_tables import SCHEMA, VERSION_TABLE
from buddy.errors import BuddyError, EnvironmentFault, UserMistake, quote

PATIENCE_SECONDS = 10.0
"""How long to wait for another program that writes."""

QUIET = "buddy"
"""The name in the log of every engine; its log is shut, since SQLAlchemy writes the rows it reads into an open one."""

_migrating = threading.Lock()  # Alembic keeps the migration that runs in a global variable


class TracesRemain(EnvironmentFault):
    """What was to be forgotten is deleted, and yet its words can still be found in the files."""


class Database(ABC):
    """A database of conversations. Any number of threads may use it at the same time.

    Attributes:
        engine: its connections.
        place: what it is called in a sentence.
    """

    def __init__(self, engine: Engine, writer: Engine, place: str) -> None:
        """Take the connections, and those for transactions that write."""
        self.engine = engine
        self.place = place
        self._writer = writer
        logging.getLogger(f"sqlalchemy.engine.Engine.{QUIET}").setLevel(logging.WARNING)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a transaction that only reads."""
        with self.faults(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give a transaction that is kept when the block ends without an error."""
        with self.faults(), self._writer.begin() as connection:
            yield connection

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn an error of the database into a sentence.

        Raises:
            UserMistake: the database is the wrong one.
            EnvironmentFault: it cannot be used now.
            RuntimeError: a defect of buddy's; with the statement, and without what stood in it.
        """
        try:
            yield
        except NoConnectionFree:
            raise EnvironmentFault(f"The memory {self.place} has too much to do; try again.") from None
        except DBAPIError as error:
            found = self.explain(error)
            if found is None:
                kind = type(error.orig).__name__
                raise RuntimeError(f"{kind} of the memory's database at: {error.statement}") from None
            raise found from None

    def migrate(self) -> None:
        """Make the tables, or bring them up to date; many processes may do so at the same time.

        Raises:
            UserMistake: it belongs to a newer buddy, or to another program.
        """
        with self.reading() as connection:
            found = self._schema(connection)
        if found != SCHEMA:
            with _migrating, self.writing() as connection:
                self.lock_schema(connection)
                if self._schema(connection) != SCHEMA:  # nobody else has just done it
                    _upgrade(connection)

    def _schema(self, connection: Connection) -> str:
        """Give the migration that the tables are at; empty if there are none."""
        names = inspect(connection).get_table_names()
        if VERSION_TABLE not in names:
            if names:
                raise UserMistake(
                    f"{self.place} holds tables of another program, such as {quote(names[0])}; "
                    "give buddy a database of its own."
                )
            return ""
        found = str(connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar_one())
        if found > SCHEMA:
            raise UserMistake(f"The memory {self.place} was written by a newer buddy (version {found}); update buddy.")
        return found

    @abstractmethod
    def lock_schema(self, connection: Connection) -> None:
        """Keep every other process from migrating until the transaction ends."""

    @abstractmethod
    def mark_traces(self, connection: Connection) -> None:
        """Note, in the transaction that deletes, that traces are to be wiped."""

    @abstractmethod
    def has_traces(self) -> bool:
        """Tell whether an earlier deletion has left traces that are still to be wiped."""

    @abstractmethod
    def wipe_traces(self) -> None:
        """Wipe what deleted rows have left.

        Raises:
            TracesRemain: something is in the way.
        """

    @abstractmethod
    def explain(self, error: DBAPIError) -> BuddyError | None:
        """Say what an error means; ``None`` if it is a defect of buddy's."""


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
