"""The SMART on FHIR app: launch, the clinician's pages, and a simulated EHR to launch it from.

`create_app` is imported when it is asked for: who opens the store alone needs no pages.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smart_app.app import create_app

__all__ = ["create_app"]


def __getattr__(name: str) -> object:
    """Return `create_app`."""
    if name == "create_app":
        from smart_app.app import create_app  # noqa: PLC0415 - half a second, asked for by few

        return create_app
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
