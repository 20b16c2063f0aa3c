"""Pins what the rendered projects and this repository depend on, all together, in constraints.txt.

Run as `python -m tests.constraints`. It pins the newest versions that suit every Python that the projects support.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from tests.rendering import render_variant, snapshot
from tests.variants import ROOT, all_variants

CONSTRAINTS = ROOT / "constraints.txt"
HEADER = "# What the rendered projects and this repository depend on. `make constraints` writes this file.\n"


def requirements_of(project: Path) -> list[str]:
    """Give what pyproject.toml of `project` requires, its dependency groups included."""
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    groups = declared.get("dependency-groups", {}).values()
    build = declared.get("build-system", {}).get("requires", [])
    return [*declared["project"].get("dependencies", []), *build, *(name for group in groups for name in group)]


def main() -> None:
    """Write constraints.txt."""
    required = set(requirements_of(ROOT))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = snapshot(folder / "source")
        for variant in all_variants():
            required |= set(requirements_of(render_variant(source, variant, folder / variant.id)))
        wanted = folder / "requirements.in"
        wanted.write_text("\n".join(sorted(required)), encoding="utf-8")
        options = ["--universal", "--python-version", "3.11", "--no-header", "--no-annotate", "--upgrade"]
        command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", *options, str(wanted)]
        pinned = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    CONSTRAINTS.write_text(HEADER + pinned, encoding="utf-8")


if __name__ == "__main__":
    main()
