"""The clinician's pages, from the protocols to the written plan; they work without script."""

from smart_app.pages import (
    routes_drafts,
    routes_files,
    routes_plan,
    routes_read,
    routes_write,
    routes_written,
)
from smart_app.pages.blueprint import blueprint

__all__ = [
    "blueprint",
    "routes_drafts",
    "routes_files",
    "routes_plan",
    "routes_read",
    "routes_write",
    "routes_written",
]
