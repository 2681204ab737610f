"""Among old rows these are found by an index: what is to be forgotten, what waits for somebody, erasures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

FORGOTTEN = "body IS NOT NULL AND kind IN ('order', 'cart', 'customer')"


def upgrade() -> None:
    _create_index("ix_resources_old", "resources", ["updated_at"], FORGOTTEN)
    # Listed newest first for all groups together, so in the order of their ids.
    op.drop_index("ix_commands_for_somebody", "commands")
    _create_index("ix_commands_for_somebody", "commands", ["id"], "state IN ('dead', 'uncertain')")
    _create_index("ix_commands_uncertain", "commands", ["group_key", "event_resource_id"], "state IN ('uncertain')")
    op.drop_index("ix_privacy_tasks_due", "privacy_tasks")
    _create_index("ix_privacy_tasks_due", "privacy_tasks", ["id"], "finished_at IS NULL")
    op.create_index("ix_privacy_tasks_delivery", "privacy_tasks", ["delivery_id"])


def _create_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))
