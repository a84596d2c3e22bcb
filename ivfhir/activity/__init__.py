"""From an ActivityDefinition to the draft of a request: a file per request kind."""

from ivfhir.activity.draft import SUPPORTED, draft_request
from ivfhir.activity.origin import Origin

__all__ = ["SUPPORTED", "Origin", "draft_request"]
