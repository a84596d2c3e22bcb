"""What the visit is tested with: the clinician of the pages' tests."""

from tests.smart_app.pages.conftest import clinician_for

__all__ = ["clinician_for"]
