"""A memory in PostgreSQL, through psycopg 3: for a service of several machines."""

from sqlalchemy import URL, Connection, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from buddy.companion.memory_database import PATIENCE_SECONDS, QUIET, Database, TracesRemain
from buddy.errors import BuddyError, EnvironmentFault, UserMistake

LOCK = 0x6275646479
"""The advisory lock of whoever migrates: "buddy" in ASCII."""

SOCKET = {
    "connect_timeout": int(PATIENCE_SECONDS),
    "tcp_user_timeout": int(1000 * PATIENCE_SECONDS),
    "keepalives_idle": int(0.4 * PATIENCE_SECONDS),
    "keepalives_interval": int(0.2 * PATIENCE_SECONDS),
    "keepalives_count": 3,
}
"""How long to wait for a server that the network no longer reaches, whether it is asked or waited for."""

UNREACHABLE = "08"

MEANINGS = {
    "28": (UserMistake, "does not let this user in: check the name and the password."),
    "3D": (UserMistake, "does not exist: make it (createdb), or name another."),
    "42501": (UserMistake, "does not allow this user what is needed: let the user own the database."),
    "25006": (EnvironmentFault, "may only be read: name the server that can be written."),
    "55P03": (EnvironmentFault, "is being written by another program: try again when it is done."),
    "53": (EnvironmentFault, "has no room, or no connection free: ask whoever runs the server."),
    "40": (EnvironmentFault, "had two changes at once that exclude each other: try again."),
    "57": (EnvironmentFault, "has broken off: try again."),
    UNREACHABLE: (EnvironmentFault, "cannot be reached: check the address, and whether the server runs."),
}
"""By the beginning of an error's code (SQLSTATE) what it means."""


class PostgresDatabase(Database):
    """A database of a PostgreSQL server.

    Its ``synchronous_commit`` is the server's; unless somebody has changed it, a commit waits for the disk.
    """

    def __init__(self, url: URL) -> None:
        """Note where it is; the first transaction connects.

        Raises:
            UserMistake: psycopg is not installed.
        """
        try:
            engine = create_engine(
                url.set(drivername="postgresql+psycopg"),
                connect_args=SOCKET,
                hide_parameters=True,
                isolation_level="READ COMMITTED",  # who waited for a lock sees what was written meanwhile
                logging_name=QUIET,
                pool_pre_ping=True,  # the server may have been restarted
            )
        except ImportError as error:
            raise UserMistake("A memory in PostgreSQL needs psycopg: pip install 'psycopg[binary]'.") from error
        event.listen(engine, "connect", _configure)
        self._has_traces = False
        super().__init__(engine, engine, f"{url.database or url.username or ''} on {url.host or 'this machine'}")

    def migrate(self) -> None:
        with self.reading() as connection:
            encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            raise UserMistake(f"The memory {self.place} cannot hold every letter: it is {encoding}; make one in UTF8.")
        super().migrate()

    def lock_schema(self, connection: Connection) -> None:
        connection.execute(text("SET LOCAL lock_timeout = 0"))  # whoever migrates may take long
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})

    def mark_traces(self, connection: Connection) -> None:
        """Do nothing: the server vacuums by itself, too."""

    def has_traces(self) -> bool:
        """Tell whether the last ``wipe_traces`` was in vain; what another process has left is for the server."""
        return self._has_traces

    def wipe_traces(self) -> None:
        """Let the server reuse the space of deleted rows.

        It is not written over at once, the server's log and its copies and backups keep older pages, and while an older
        transaction runs nothing is freed. Who has to be sure asks whoever runs the server.
        """
        self._has_traces = True
        try:
            with self.faults(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("VACUUM turns, conversations"))
        except EnvironmentFault as fault:
            raise TracesRemain(
                f"It is deleted, but traces of it remain in the files of {self.place} until the server vacuums them."
            ) from fault
        self._has_traces = False

    def explain(self, error: DBAPIError) -> BuddyError | None:
        code = getattr(error.orig, "sqlstate", None)
        if code is None and isinstance(error, OperationalError):
            code = UNREACHABLE  # no server has said anything
        for beginning, (kind, meaning) in MEANINGS.items():
            if code and code.startswith(beginning):
                return kind(f"The memory {self.place} {meaning}")
        return None


def _configure(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    """Limit how long to wait for another program; not how long a statement takes, as erasing a lot takes long."""
    cursor = connection.cursor()
    cursor.execute(f"SET lock_timeout = {int(1000 * PATIENCE_SECONDS)}")
    cursor.close()
    connection.commit()  # else the first rollback takes it back
