"""The clinician's pages: match, why, plan, review, receipt; they work without script."""

from smart_app.pages import routes_plan, routes_read, routes_write
from smart_app.pages.blueprint import blueprint

__all__ = ["blueprint", "routes_plan", "routes_read", "routes_write"]
