"""What the app keeps in its database: sign-ins, launches, drafts, receipts; all of it sealed."""

from smart_app.store.chores import ChoreStore
from smart_app.store.drafts import Draft, DraftStore, Receipt
from smart_app.store.launches import LaunchRecord, LaunchStore

__all__ = ["Draft", "LaunchRecord", "Receipt", "Store"]


class Store(LaunchStore, DraftStore, ChoreStore):
    """The app's database."""
