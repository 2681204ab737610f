"""The first tables. Types are spelt out here, since a migration must not change when the product's code does."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _create_deliveries()
    _create_contacts()
    _create_commands()
    _create_attempts()
    _create_memory()
    _create_catalog_items()
    _create_lanes_and_workers()
    _create_answers()
    _create_privacy()


def _create_partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def _create_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", ID, nullable=False),
        sa.Column("platform", sa.Text(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("shop", sa.Text()),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("dedupe", sa.Text(), nullable=False),
        sa.Column("headers", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("delivery_id", sa.Text()),
        sa.Column("webhook_id", sa.Text()),
        sa.Column("event_id", sa.Text()),
        sa.Column("triggered_at", MOMENT),
        sa.Column("api_version", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("resource_kind", sa.Text()),
        sa.Column("resource_id", sa.Text()),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("lease_token", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_deliveries"),
        sa.UniqueConstraint("dedupe", name="uq_deliveries_dedupe"),
        sqlite_autoincrement=True,
    )
    _create_partial_index("ix_deliveries_due", "deliveries", ["due_at", "id"], "state IN ('received', 'held')")
    _create_partial_index("ix_deliveries_dead", "deliveries", ["id"], "state IN ('dead')")
    _create_partial_index("ix_deliveries_resource", "deliveries", ["resource_id"], "resource_id IS NOT NULL")


def _create_contacts() -> None:
    op.create_table(
        "contacts",
        sa.Column("id", ID, nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("email", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.Column("contact_id", sa.Text()),
        sa.Column("digest", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_contacts"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contacts_contact_id", "contacts", ["group_key", "contact_id"])
    _create_partial_index("ix_contacts_address", "contacts", ["group_key", "address"], "address IS NOT NULL")
    op.create_table(
        "contact_addresses",
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("contact", ID, sa.ForeignKey("contacts.id", name="fk_contact_addresses_contact"), nullable=False),
        sa.PrimaryKeyConstraint("group_key", "address", name="pk_contact_addresses"),
    )
    op.create_index("ix_contact_addresses_contact", "contact_addresses", ["contact"])


def _create_commands() -> None:
    op.create_table(
        "commands",
        sa.Column("id", ID, nullable=False),
        sa.Column("delivery_id", ID, nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("contact", ID),
        sa.Column("location", sa.Text()),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("event_shop", sa.Text()),
        sa.Column("event_kind", sa.Text()),
        sa.Column("event_resource_id", sa.Text()),
        sa.Column("event_slot", sa.Text()),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("lease_token", sa.Text()),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("answer_lost", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("last_error", sa.Text()),
        sa.Column("contact_id", sa.Text()),
        sa.Column("event_id", sa.Text()),
        sa.Column("warnings", sa.Text(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("settled_at", MOMENT),
        sa.ForeignKeyConstraint(["contact"], ["contacts.id"], name="fk_commands_contact"),
        sa.ForeignKeyConstraint(["delivery_id"], ["deliveries.id"], name="fk_commands_delivery_id"),
        sa.PrimaryKeyConstraint("id", name="pk_commands"),
        sqlite_autoincrement=True,
    )
    still_open, for_somebody = "state IN ('waiting', 'claimed')", "state IN ('dead', 'uncertain')"
    _create_partial_index("ix_commands_due", "commands", ["group_key", "lane", "due_at", "id"], still_open)
    _create_partial_index("ix_commands_subject", "commands", ["group_key", "subject", "id"], still_open)
    _create_partial_index("ix_commands_for_somebody", "commands", ["group_key", "id"], for_somebody)
    op.create_index("ix_commands_delivery", "commands", ["delivery_id"])
    _create_partial_index("ix_commands_contact", "commands", ["contact"], "contact IS NOT NULL")


def _create_attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("command_id", ID, sa.ForeignKey("commands.id", name="fk_attempts_command_id"), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sa.Column("duration_ms", sa.Integer()),
        sa.Column("status", sa.Integer()),
        sa.Column("verdict", sa.Text()),
        sa.Column("message", sa.Text()),
        sa.PrimaryKeyConstraint("command_id", "number", name="pk_attempts"),
    )


def _create_memory() -> None:
    op.create_table(
        "resources",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("updated_at", MOMENT),
        sa.Column("email", sa.Text()),
        sa.Column("topic", sa.Text()),
        sa.Column("body", sa.LargeBinary()),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("account", sa.Text()),
        sa.Column("since", MOMENT),
        sa.PrimaryKeyConstraint("shop", "kind", "id", name="pk_resources"),
    )
    _create_partial_index("ix_resources_email", "resources", ["email"], "email IS NOT NULL")
    _create_partial_index("ix_resources_account", "resources", ["shop", "account"], "account IS NOT NULL")
    op.create_table(
        "events",
        sa.Column("shop", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("resource_id", sa.Text(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text()),
        sa.Column("event_id", sa.Text()),
        sa.Column("date", MOMENT),
        sa.PrimaryKeyConstraint("shop", "kind", "resource_id", "slot", name="pk_events"),
    )


def _create_catalog_items() -> None:
    op.create_table(
        "catalog_items",
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("product_id", sa.Text(), nullable=False),
        sa.Column("shop", sa.Text()),
        sa.Column("source_id", sa.Text()),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.Column("digest", sa.Text()),
        sa.PrimaryKeyConstraint("group_key", "location", "product_id", name="pk_catalog_items"),
    )
    op.create_index("ix_catalog_items_source", "catalog_items", ["group_key", "location", "shop", "source_id"])


def _create_lanes_and_workers() -> None:
    op.create_table(
        "lanes",
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("lane", sa.Text(), nullable=False),
        sa.Column("paused_at", MOMENT),
        sa.Column("paused_until", MOMENT),
        sa.Column("reason", sa.Text()),
        sa.PrimaryKeyConstraint("group_key", "lane", name="pk_lanes"),
    )
    op.create_table(
        "paces",
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("group_key", name="pk_paces"),
    )
    op.create_table(
        "workers",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("seen_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("worker", name="pk_workers"),
    )


def _create_answers() -> None:
    op.create_table(
        "answers",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("body_digest", sa.Text(), nullable=False),
        sa.Column("started_at", MOMENT, nullable=False),
        sa.Column("status", sa.Integer()),
        sa.Column("body", sa.LargeBinary()),
        sa.PrimaryKeyConstraint("key", name="pk_answers"),
    )
    op.create_index("ix_answers_started_at", "answers", ["started_at"])


def _create_privacy() -> None:
    op.create_table(
        "keys",
        sa.Column("name", sa.Text(), primary_key=True),
        sa.Column("value", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "privacy_tasks",
        sa.Column("id", ID, primary_key=True),
        sa.Column("delivery_id", ID, sa.ForeignKey("deliveries.id"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("place", sa.Text()),
        sa.Column("counts", sa.Text(), nullable=False),
        sa.Column("waits_for", ID),
        sa.Column("due_at", MOMENT, nullable=False),
        sa.Column("finished_at", MOMENT),
        sqlite_autoincrement=True,
    )
    _create_partial_index("ix_privacy_tasks_due", "privacy_tasks", ["due_at", "id"], "finished_at IS NULL")
