"""Adapters get a state, provenance and a probe; every change of an adapter or an alias is written down."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _adapters()
    texts = ("subject", "name", "action", "before", "after", "who", "why")
    op.create_table(
        "registry_changes",
        sa.Column("number", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.PrimaryKeyConstraint("number", name="pk_registry_changes"),
    )
    op.create_index("ix_registry_changes_subject_name_number", "registry_changes", ["subject", "name", "number"])
    _kept()


def _adapters() -> None:
    with op.batch_alter_table("adapters") as table:
        table.add_column(sa.Column("state", sa.Text, nullable=False, server_default="registered"))
        table.add_column(sa.Column("provenance", sa.Text, nullable=False, server_default=""))
        table.add_column(sa.Column("probe", sa.Text, nullable=False, server_default=""))
    # What an alias points to was loaded like what was marked so.
    op.execute(
        "UPDATE adapters SET state = 'loaded' WHERE loaded OR name || '@' || version IN (SELECT adapter FROM aliases)"
    )
    with op.batch_alter_table("adapters") as table:
        for column in ("state", "provenance", "probe"):
            table.alter_column(column, existing_type=sa.Text, existing_nullable=False, server_default=None)
        table.drop_column("loaded")


def _kept() -> None:
    """Aliases of before, so that none of them looks as if it had just been made."""
    op.execute(
        "INSERT INTO registry_changes (number, changed_us, subject, name, action, before, after, who, why) "
        "SELECT row_number() OVER (ORDER BY name), changed_us, 'alias', name, 'kept', '', adapter, 'wardgate', "
        "'it was there before changes were written down' FROM aliases"
    )
