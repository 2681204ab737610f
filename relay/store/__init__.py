"""The durable store: the only home of SQLAlchemy. One code for SQLite and PostgreSQL."""

from relay.store.answers import Answer
from relay.store.group_commit import Promise
from relay.store.lanes import LaneKey, LaneView
from relay.store.locking import Contended
from relay.store.privacy.tasks import PrivacyTask, PrivacyTaskView
from relay.store.privacy.traces import Traces
from relay.store.reading import CommandFilter, Counts, DeadLetters, DeliveryFilter
from relay.store.store import Store
from relay.store.views import AttemptView, CommandView, DeliveryView
from relay.store.workbench import Workbench

__all__ = [
    "Answer",
    "AttemptView",
    "CommandFilter",
    "CommandView",
    "Contended",
    "Counts",
    "DeadLetters",
    "DeliveryFilter",
    "DeliveryView",
    "LaneKey",
    "LaneView",
    "PrivacyTask",
    "PrivacyTaskView",
    "Promise",
    "Store",
    "Traces",
    "Workbench",
]
