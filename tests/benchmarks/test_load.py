"""The load benchmark counts what it claims, and a short run of it has no error."""

import json

import pytest

from benchmarks.load.__main__ import main
from benchmarks.load.clinician import Seen
from benchmarks.load.figures import beyond_reads_ms, growth, summary


def page(kind="match", *, app_s=1.0, ok=True):
    return Seen(kind, started_s=10.0, app_s=app_s, ok=ok, patient="p")


@pytest.mark.parametrize(
    ("busy", "expected"),
    [
        ([], 1000),
        ([(10.0, 10.25)], 750),
        ([(10.0, 10.25), (10.0, 10.25)], 750),  # side by side: counted once
        ([(10.0, 10.5), (10.25, 10.75)], 250),
        ([(9.0, 10.25), (10.75, 12.0)], 500),  # what lies outside of the page is not its
        ([(8.0, 9.0), (11.5, 12.0)], 1000),
        ([(10.5, 10.75), (10.0, 10.25)], 500),  # in any order
    ],
)
def test_the_time_of_reads_is_taken_off_once(busy, expected):
    assert beyond_reads_ms(page(), busy) == pytest.approx(expected)


def test_pages_are_summed_up_by_kind_and_together():
    rows = [(page("why"), 10.0), (page("why"), 30.0), (page("plan", ok=False), 0.0)]
    found = summary(rows)
    assert (found["all"]["pages"], found["all"]["errors"]) == (3, 1)
    assert found["why"]["p50Ms"] == 20.0
    assert found["plan"] == {"pages": 1, "errors": 1, "p50Ms": 0.0, "p95Ms": 0.0, "p99Ms": 0.0}


def test_memory_that_fills_caches_first_and_then_stays_is_flat():
    assert growth([50, 80, 100, 100, 100, 100, 100, 100]) == 0
    assert growth([50, 80, 100, 100, 105, 108, 110, 110]) == pytest.approx(0.1)


@pytest.mark.server
def test_a_short_run_opens_every_kind_of_page_without_an_error(capsys):
    assert main(["--clinicians", "8", "--pages", "80", "--pace", "0.2", "0.6"]) == 0
    report = json.loads(capsys.readouterr().out)
    kinds = {"all", "launch", "match", "why/LUNG", "plan/LUNG", "record/Patient/{}"}
    assert set(report["pages"]) == kinds
    assert report["pages"]["all"]["pages"] >= 80
    assert report["memoryMb"]
