"""The tables of the store, the same on SQLite and PostgreSQL.

Hot queries read open rows only, through partial indexes, so they stay fast however many done rows there are.
``due_at`` is the moment a row may be claimed; while it is claimed, the end of the lease.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from relay.commands import CommandState
from relay.commerce import ResourceKind
from relay.deliveries import DeliveryState
from relay.store.columns import Compressed, Id, Json, Moment, Packed, partial_index, where_in

OPEN_DELIVERIES = (DeliveryState.RECEIVED, DeliveryState.HELD)
OPEN_COMMANDS = (CommandState.WAITING, CommandState.CLAIMED)
COMMANDS_FOR_SOMEBODY = (CommandState.DEAD, CommandState.UNCERTAIN)
FORGOTTEN_RESOURCES = (ResourceKind.ORDER, ResourceKind.CART, ResourceKind.CUSTOMER)
_FORGOTTEN = f"body IS NOT NULL AND {where_in(FORGOTTEN_RESOURCES, 'kind')}"

_NAMES = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}
metadata = MetaData(naming_convention=_NAMES)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("platform", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("shop", Text),
    Column("topic", Text, nullable=False),
    Column("dedupe", Text, nullable=False),
    Column("headers", Json, nullable=False),
    Column("body", Packed, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("delivery_id", Text),
    Column("webhook_id", Text),
    Column("event_id", Text),
    Column("triggered_at", Moment),
    Column("api_version", Text),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("warnings", Json, nullable=False),
    Column("resource_kind", Text),
    Column("resource_id", Text),
    Column("due_at", Moment, nullable=False),
    Column("lease_token", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    UniqueConstraint("dedupe"),
    partial_index("ix_deliveries_due", "shop", "due_at", "id", where=where_in(OPEN_DELIVERIES)),
    partial_index("ix_deliveries_dead", "id", where=where_in([DeliveryState.DEAD])),
    partial_index("ix_deliveries_resource", "resource_id", where="resource_id IS NOT NULL"),
    sqlite_autoincrement=True,
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("group_key", Text, nullable=False),
    Column("email", Text),  # as given; null for somebody known by SALESmanago's id alone
    Column("address", Text),  # the same in lower case
    Column("contact_id", Text),  # SALESmanago's
    Column("digest", Text),  # of the newest content asked for
    Index("ix_contacts_contact_id", "group_key", "contact_id"),
    partial_index("ix_contacts_address", "group_key", "address", where="address IS NOT NULL"),
    sqlite_autoincrement=True,
)

contact_addresses = Table(
    "contact_addresses",
    metadata,
    Column("group_key", Text, primary_key=True),
    Column("address", Text, primary_key=True),  # lower case
    Column("contact", Id, ForeignKey("contacts.id"), nullable=False),
    Index("ix_contact_addresses_contact", "contact"),
)

commands = Table(
    "commands",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery_id", Id, ForeignKey("deliveries.id"), nullable=False),
    Column("group_key", Text, nullable=False),
    Column("shop", Text, nullable=False, server_default=""),  # whose delivery asked for it; "" for REST calls
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("contact", Id, ForeignKey("contacts.id")),
    Column("location", Text),
    Column("payload", Json, nullable=False),
    Column("event_shop", Text),
    Column("event_kind", Text),
    Column("event_resource_id", Text),
    Column("event_slot", Text),
    Column("state", Text, nullable=False),
    Column("due_at", Moment, nullable=False),
    Column("lease_token", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),  # that count: not those released
    Column("answer_lost", Boolean, nullable=False, server_default=false()),
    Column("last_error", Text),
    Column("contact_id", Text),  # what SALESmanago answered
    Column("event_id", Text),
    Column("warnings", Json, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("settled_at", Moment),
    partial_index("ix_commands_due", "group_key", "lane", "shop", "due_at", "id", where=where_in(OPEN_COMMANDS)),
    partial_index("ix_commands_subject", "group_key", "subject", "id", where=where_in(OPEN_COMMANDS)),
    partial_index("ix_commands_for_somebody", "id", where=where_in(COMMANDS_FOR_SOMEBODY)),
    partial_index("ix_commands_uncertain", "group_key", "event_resource_id", where=where_in([CommandState.UNCERTAIN])),
    Index("ix_commands_delivery", "delivery_id"),
    partial_index("ix_commands_contact", "contact", where="contact IS NOT NULL"),
    sqlite_autoincrement=True,
)

attempts = Table(
    "attempts",
    metadata,
    Column("command_id", Id, ForeignKey("commands.id"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("started_at", Moment, nullable=False),
    Column("finished_at", Moment),
    Column("duration_ms", Integer),
    Column("status", Integer),
    Column("verdict", Text),
    Column("message", Text),
)

resources = Table(
    "resources",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("updated_at", Moment),
    Column("email", Text),
    Column("topic", Text),
    Column("body", Compressed),
    Column("facts", Json, nullable=False),
    Column("account", Text),
    Column("since", Moment),
    partial_index("ix_resources_email", "email", where="email IS NOT NULL"),
    partial_index("ix_resources_account", "shop", "account", where="account IS NOT NULL"),
    partial_index("ix_resources_old", "updated_at", where=_FORGOTTEN),
)

events = Table(
    "events",
    metadata,
    Column("shop", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("resource_id", Text, primary_key=True),
    Column("slot", Text, primary_key=True),
    Column("digest", Text),
    Column("event_id", Text),
    Column("date", Moment),
)

catalog_items = Table(
    "catalog_items",
    metadata,
    Column("group_key", Text, primary_key=True),
    Column("location", Text, primary_key=True),
    Column("product_id", Text, primary_key=True),
    Column("shop", Text),
    Column("source_id", Text),
    Column("fields", Json, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("updated_at", Moment, nullable=False),
    Column("digest", Text),  # of the newest content the catalogue was asked to take
    Index("ix_catalog_items_source", "group_key", "location", "shop", "source_id"),
)

lanes = Table(
    "lanes",
    metadata,
    Column("group_key", Text, primary_key=True),
    Column("lane", Text, primary_key=True),
    Column("paused_at", Moment),  # null: not paused
    Column("paused_until", Moment),  # null: until somebody resumes it
    Column("reason", Text),
)

paces = Table(
    "paces",
    metadata,
    Column("group_key", Text, primary_key=True),
    Column("next_at", Moment, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("worker", Text, primary_key=True),
    Column("seen_at", Moment, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("key", Text, primary_key=True),
    Column("body_digest", Text, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("status", Integer),
    Column("body", LargeBinary),
    Index("ix_answers_started_at", "started_at"),
)

keys = Table(
    "keys",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", LargeBinary, nullable=False),
)

privacy_tasks = Table(
    "privacy_tasks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery_id", Id, ForeignKey("deliveries.id"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("work", Json, nullable=False),  # who, and what is left to do; {} when only the file has to be scrubbed
    Column("place", Json),  # where the search stands; null before it begins
    Column("counts", Json, nullable=False),
    Column("waits_for", Id),  # a command that has to be settled first
    Column("due_at", Moment, nullable=False),
    Column("finished_at", Moment),
    partial_index("ix_privacy_tasks_due", "id", where="finished_at IS NULL"),
    Index("ix_privacy_tasks_delivery", "delivery_id"),
    sqlite_autoincrement=True,
)
