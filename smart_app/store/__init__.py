"""What the app keeps in its database, all sealed: sign-ins, launches, readings, drafts, audit."""

from smart_app.store.chores import ChoreStore
from smart_app.store.deliveries import TrailEvent
from smart_app.store.drafts import Draft, Receipt
from smart_app.store.launches import LaunchRecord, LaunchStore
from smart_app.store.outbox_keeping import OutboxKeepingStore
from smart_app.store.rates import RateStore
from smart_app.store.readings import KeptReading, ReadingStore
from smart_app.store.trail import TrailProof, TrailStore

__all__ = [
    "Draft",
    "KeptReading",
    "LaunchRecord",
    "Receipt",
    "Store",
    "TrailEvent",
    "TrailProof",
]


class Store(LaunchStore, OutboxKeepingStore, ReadingStore, RateStore, ChoreStore, TrailStore):
    """The app's database."""
