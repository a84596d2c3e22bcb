"""What the app keeps in its database: sign-ins, launches, drafts, receipts, audit; all sealed."""

from smart_app.store.chores import ChoreStore
from smart_app.store.drafts import Draft, DraftStore, Receipt
from smart_app.store.launches import LaunchRecord, LaunchStore
from smart_app.store.trail import TrailEvent, TrailProof, TrailStore

__all__ = ["Draft", "LaunchRecord", "Receipt", "Store", "TrailEvent", "TrailProof"]


class Store(LaunchStore, DraftStore, ChoreStore, TrailStore):
    """The app's database."""
