"""Sources of a rule with their marks."""

from smart_app.pages.sources import Source, read_sources


def test_each_mark_begins_a_source():
    assert read_sources("seed: S0-29; lit-conf: SIR 2019 [R1]; design: age band 12 to 55") == (
        Source("one", "One author", "S0-29"),
        Source("pub", "Published", "SIR 2019 [R1]"),
        Source("our", "Our choice", "age band 12 to 55"),
    )


def test_a_mark_may_stand_alone():
    assert read_sources("lit-GK") == (Source("gk", "General knowledge", ""),)


def test_a_text_without_mark_is_kept():
    assert read_sources("A book") == (Source("", "", "A book"),)
    assert read_sources(None) == ()
