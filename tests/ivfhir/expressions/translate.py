"""Translate the CQL of these tests.

Python -m tests.ivfhir.expressions.translate (needs Java, Maven).

What an evaluator must not lean on is taken out: annotations, local ids and result types, which the
translators write in different ways. Locators stay: error messages name them.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tools import maven

CQL = Path(__file__).parent / "cql"
TRANSLATOR = Path(__file__).resolve().parents[3] / "tools" / "cql-to-elm"
TAKEN_OUT = ("annotation", "localId", "resultTypeName", "resultTypeSpecifier")


def main() -> None:
    """Write the ELM beside each CQL file of `cql`."""
    class_path = maven.build(TRANSLATOR)
    with tempfile.TemporaryDirectory() as folder:
        for source in CQL.glob("*.cql"):
            shutil.copy(source, folder)
        subprocess.run(maven.java_command(class_path, "CqlToElm", [folder]), check=True)
        for source in CQL.glob("*.cql"):
            elm = json.loads((Path(folder) / f"{source.stem}.json").read_text(encoding="utf-8"))
            text = json.dumps(bare(elm), separators=(",", ":"))
            source.with_suffix(".json").write_text(text + "\n", encoding="utf-8")


def bare(node: Any) -> Any:
    """Return ELM without what an evaluator must not lean on."""
    if isinstance(node, dict):
        return {k: bare(v) for k, v in node.items() if k not in TAKEN_OUT and v != []}
    return [bare(item) for item in node] if isinstance(node, list) else node


if __name__ == "__main__":
    main()
