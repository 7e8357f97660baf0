"""Conversations and their turns."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "conversations",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("turns", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_conversations"),
    )
    op.create_index("ix_conversations_owner_last_at", "conversations", ["owner", "last_at"])
    op.create_index("ix_conversations_last_at", "conversations", ["last_at"])
    op.create_table(
        "turns",
        sa.Column("conversation", sa.Text, nullable=False),
        sa.Column("position", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("said_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("emotions", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("safety", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("conversation", "position", name="pk_turns"),
        sa.ForeignKeyConstraint(
            ["conversation"], ["conversations.id"], name="fk_turns_conversation", ondelete="CASCADE"
        ),
    )
