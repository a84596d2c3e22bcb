"""The machine's clock and the site's time zone, as the command line takes them."""

import argparse
import os
from datetime import UTC, date, datetime

from ivfhir.expressions.values import DateTime
from ivfhir.parameters import parse_as_of


def as_of(arguments: argparse.Namespace) -> DateTime:
    """Return the evaluation instant of `--as-of`; now, in IVFHIR_TIME_ZONE, when it is not given.

    Raises:
        UsageError: the text is no date, or the time zone is unknown.
    """
    time_zone = os.environ.get("IVFHIR_TIME_ZONE") or "UTC"
    return parse_as_of(arguments.as_of, time_zone=time_zone, now=datetime.now(UTC))


def today() -> date:
    """Return the date of the machine's clock in UTC, as a protocol's `date` says it."""
    return datetime.now(UTC).date()
