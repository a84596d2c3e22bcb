"""Build the CQL library of the numbers that a site may change, from thresholds.toml."""

from collections.abc import Iterator
from pathlib import Path
from string import Template

from ivfhir.knowledge.thresholds import FILE, LIBRARY, Threshold, read_thresholds
from tools.knowledge.layout import VERSION, Layout

_HEAD = Path(__file__).with_suffix(".cql")
"""The library, with places for what differs."""


def threshold_files(layout: Layout) -> Iterator[tuple[Path, bytes]]:
    """Yield path and content of the library, where there are such numbers."""
    if (layout.shared / FILE).is_file():
        cql = threshold_library([*read_thresholds(layout.shared).values()])
        yield layout.shared / "cql" / f"{LIBRARY}.cql", cql.encode()


def threshold_library(thresholds: list[Threshold]) -> str:
    """Return the CQL of the library."""
    return Template(_HEAD.read_text(encoding="utf-8")).substitute(
        library=LIBRARY,
        version=VERSION,
        parameters="\n".join(
            f"parameter {each.parameter} Decimal default {_decimal(each)}" for each in thresholds
        ),
        numbers="\n".join(f"define At_{each.parameter}: {each.parameter}" for each in thresholds),
        counts="\n".join(
            f"define Count_{each.parameter}: Truncate({each.parameter})"
            for each in thresholds
            if each.whole
        ),
    )


def _decimal(threshold: Threshold) -> str:
    text = str(threshold.number)
    return text if "." in text else f"{text}.0"
