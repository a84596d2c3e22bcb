"""Translate every CQL library to ELM with the reference translator (tools/cql-to-elm, Java)."""

import shutil
import subprocess
import tempfile
from dataclasses import replace
from pathlib import Path

from tools import maven
from tools.knowledge.layout import PROJECT, Layout, elm_of

TRANSLATOR = PROJECT / "tools" / "cql-to-elm"


class TranslationError(RuntimeError):
    """The translator refused a library; the message holds `file:line:column: error: text` lines."""


def translate(layout: Layout) -> str:
    """Write the ELM beside each CQL file, and FHIRHelpers into shared/cql.

    Returns:
        What the translator said: warnings, and how many libraries it translated.

    Raises:
        TranslationError: a library has an error.
        tools.maven.JavaMissingError: no Java or no Maven.
    """
    folders = layout.cql_folders()
    if not folders:
        return "no CQL\n"
    class_path = maven.build(TRANSLATOR)
    helpers = ["--helpers", str(layout.shared / "cql")]
    run = subprocess.run(
        maven.java_command(class_path, "CqlToElm", [*helpers, *map(str, folders)]),
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise TranslationError(run.stderr + run.stdout)
    return run.stderr + run.stdout


def changed_by_translation(layout: Layout) -> list[Path]:
    """Translate a copy and return the ELM files of the project that a translation would change."""
    with tempfile.TemporaryDirectory() as folder:
        copy = replace(layout, knowledge=Path(folder))
        for cql in layout.cql_files():
            target = copy.knowledge / cql.relative_to(layout.knowledge)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(cql, target)
        translate(copy)
        return [
            layout.knowledge / elm.relative_to(copy.knowledge)
            for elm in map(elm_of, copy.cql_files())
            if not _same(elm, layout.knowledge / elm.relative_to(copy.knowledge))
        ]


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()
