"""Where Alembic finds out which database to migrate: the one whose connection ``buddy.companion.memory`` hands over."""

from alembic import context

from buddy.companion.memory_tables import VERSION_TABLE, Base

RUN_BY_ALEMBIC = "env_py"
"""The name that Alembic gives this file when it runs it; imported under another, it does nothing."""

if __name__ == RUN_BY_ALEMBIC:
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=Base.metadata,
        version_table=VERSION_TABLE,
    )
    with context.begin_transaction():
        context.run_migrations()
