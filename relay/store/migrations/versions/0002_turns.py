"""Shops take turns: a command knows its shop, and what is due is found shop by shop."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

OPEN_DELIVERIES = "state IN ('received', 'held')"
OPEN_COMMANDS = "state IN ('waiting', 'claimed')"


def upgrade() -> None:
    # With a default, so that a process of the version before can go on storing while this one is being started.
    op.add_column("commands", sa.Column("shop", sa.Text(), nullable=False, server_default=""))
    # What has been sent needs no turn any more, so only open commands are told their shop.
    op.execute(
        "UPDATE commands SET shop = coalesce("
        "(SELECT shop FROM deliveries WHERE deliveries.id = commands.delivery_id), '') "
        "WHERE state IN ('waiting', 'claimed')"
    )
    _replace_index("ix_deliveries_due", "deliveries", ["shop", "due_at", "id"], OPEN_DELIVERIES)
    _replace_index("ix_commands_due", "commands", ["group_key", "lane", "shop", "due_at", "id"], OPEN_COMMANDS)


def _replace_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.drop_index(name, table)
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
