"""What a test needs of the machine: here, or skipped with the install line; in CI always there."""

import os

import pytest


def need(missing: str | None) -> None:
    """Skip the test when something is missing; with CI=true fail it.

    Args:
        missing: one sentence: what is missing and how to install it; None when all is here.
    """
    if missing is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(missing)
    pytest.skip(missing)
