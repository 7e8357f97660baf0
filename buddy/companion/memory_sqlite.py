"""A memory in a SQLite file: durable, shared between processes, and without traces of what was erased.

What is erased has to go from three places. Rows: ``secure_delete`` writes zeros over them. Pages: when SQLite
rearranges rows it leaves copies behind that no row owns any more and that ``secure_delete`` never meets again (seen in
3 of 12 trials), so ``VACUUM`` builds the file anew. It first makes a copy, which could be too large for the memory: a
file in the same folder (on Unix without a name), which is gone as soon as it is closed or the process ends. The log
(``-wal``): it holds pages as they once were until a checkpoint empties it, which a program that is just reading can
delay.

From the moment of deleting until all of this is done, ``PRAGMA user_version`` holds a mark: whoever opens the file
next sees it and finishes the work, also after a crash in between.
"""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from buddy.companion.memory_database import PATIENCE_SECONDS, QUIET, Database, TracesRemain
from buddy.errors import BuddyError, EnvironmentFault, UserMistake, explain

SETTINGS = (
    "foreign_keys = ON",
    "synchronous = FULL",  # a commit waits for the disk, also in the log
    "fullfsync = ON",  # on macOS only this waits for the disk itself; elsewhere it means nothing
    "checkpoint_fullfsync = ON",
    "secure_delete = ON",
    "temp_store = MEMORY",  # nothing goes into the temporary folder
)

NOTHING_LOST = "What was kept before is still there."

WORDS = {
    "database or disk is full": (EnvironmentFault, f"has no room: free some space and try again. {NOTHING_LOST}"),
    "disk I/O error": (EnvironmentFault, f"cannot be read or written: check the disk and its space. {NOTHING_LOST}"),
    "locked": (EnvironmentFault, f"is being written by another program: try again when it is done. {NOTHING_LOST}"),
    "readonly database": (EnvironmentFault, f"may not be written: change its permissions. {NOTHING_LOST}"),
    "not a writable directory": (EnvironmentFault, "cannot be written: change the permissions of its folder."),
    "unable to open database file": (EnvironmentFault, "cannot be opened: check the folder and its permissions."),
    "file is not a database": (UserMistake, "is no database: name another file, or move it away to begin anew."),
    "malformed": (EnvironmentFault, "is damaged: put a copy in its place, or move it away to begin anew."),
}
"""What SQLite says, and what it means. Its error codes reach Python only from 3.11 on."""

TRY_SECONDS = 0.1
"""A checkpoint keeps writers out while it waits, so it waits so long at a time."""

_vacuuming = threading.Lock()  # SQLite keeps the folder of temporary files in a global variable


class SqliteDatabase(Database):
    """A SQLite file."""

    def __init__(self, path: Path) -> None:
        """Open a file, or make one that only its owner can read.

        Raises:
            EnvironmentFault: it cannot be made.
        """
        _make_private(path)
        engine = create_engine(
            URL.create("sqlite", database=str(path)),
            connect_args={"timeout": PATIENCE_SECONDS},
            hide_parameters=True,
            logging_name=QUIET,
        )
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        self._folder = path.parent.absolute()
        super().__init__(engine, engine.execution_options(begin="BEGIN IMMEDIATE"), str(path))

    def lock_schema(self, connection: Connection) -> None:
        """Do nothing: a transaction that writes has the file to itself."""

    def migrate(self) -> None:
        self._switch_to_log()
        super().migrate()

    def mark_traces(self, connection: Connection) -> None:
        connection.exec_driver_sql(f"PRAGMA user_version = {1 + secrets.randbelow(2**31 - 1)}")

    def has_traces(self) -> bool:
        with self.reading() as connection:
            return bool(_mark(connection))

    def wipe_traces(self) -> None:
        with self.reading() as connection:
            mark = _mark(connection)
        if not mark:
            return
        try:
            self._rebuild()
            with self.writing() as connection:
                if _mark(connection) == mark:  # else somebody has deleted more since, and wipes it
                    connection.exec_driver_sql("PRAGMA user_version = 0")
        except EnvironmentFault as fault:
            raise TracesRemain(
                f"It is deleted, but traces of it remain in the files of {self.place}, which another program is using "
                "or which cannot be written; buddy wipes them when it next opens its memory or deletes something."
            ) from fault

    def explain(self, error: DBAPIError) -> BuddyError | None:
        said = str(error.orig)
        for words, (kind, meaning) in WORDS.items():
            if words in said:
                return kind(f"The memory {self.place} {meaning}")
        return None

    def _switch_to_log(self) -> None:
        """Let readers and a writer not wait for each other (WAL); this stays so in the file."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self.faults(), self._without_transaction() as connection:
            while True:
                try:
                    connection.exec_driver_sql("PRAGMA journal_mode = WAL")
                except OperationalError as error:  # noqa: PERF203  # for this lock SQLite does not wait by itself
                    if "locked" not in str(error.orig) or time.monotonic() > deadline:
                        raise
                    time.sleep(0.02)
                else:
                    return

    def _rebuild(self) -> None:
        """Build the file anew and empty the log.

        Raises:
            EnvironmentFault: it could not be done in ``PATIENCE_SECONDS``.
        """
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self.faults(), self._without_transaction() as connection:
            connection.detach()  # its patience is its own
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(1000 * PATIENCE_SECONDS)}")
            with self._temporary_files_here(connection):
                connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(1000 * TRY_SECONDS)}")
            while connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()[0]:
                if time.monotonic() > deadline:
                    raise EnvironmentFault(f"The memory {self.place} is being read by another program.")
                time.sleep(TRY_SECONDS)

    @contextmanager
    def _temporary_files_here(self, connection: Connection) -> Iterator[None]:
        """Let a connection put what it does not need for long into the memory's own folder.

        The setting is deprecated; a SQLite without it uses the temporary folder.

        Raises:
            EnvironmentFault: other threads have kept this one waiting for ``PATIENCE_SECONDS``.
        """
        if not _vacuuming.acquire(timeout=PATIENCE_SECONDS):
            raise EnvironmentFault(f"The memory {self.place} has too much to do.")
        try:
            folder = str(self._folder).replace("'", "''")
            connection.exec_driver_sql(f"PRAGMA temp_store_directory = '{folder}'")
            try:
                connection.exec_driver_sql("PRAGMA temp_store = FILE")
                yield
            finally:
                connection.exec_driver_sql("PRAGMA temp_store_directory = ''")
        finally:
            _vacuuming.release()

    def _without_transaction(self) -> Connection:
        return self.engine.execution_options(begin="").connect()


def _make_private(path: Path) -> None:
    """Make a file that only its owner can read, in a folder that only its owner can look into, unless they exist.

    SQLite gives its other files the permissions of this one. An existing file is not opened here, as closing it would
    release what SQLite has locked in this process.
    """
    try:
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            path.touch(mode=0o600)
    except OSError as error:
        raise EnvironmentFault(f"The memory {path} cannot be made: {explain(error)}.") from error


def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the transactions are ours, see _begin
    cursor = connection.cursor()
    for setting in SETTINGS:
        cursor.execute(f"PRAGMA {setting}")
    cursor.close()


def _begin(connection: Connection) -> None:
    """Begin a transaction; one that writes at once as a writer, since a reader cannot always become one."""
    how = connection.get_execution_options().get("begin", "BEGIN")
    if how:
        connection.exec_driver_sql(how)


def _mark(connection: Connection) -> int:
    return int(connection.exec_driver_sql("PRAGMA user_version").scalar_one())
