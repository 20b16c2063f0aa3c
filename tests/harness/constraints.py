"""Pins what the rendered projects and this repository depend on, all together, in constraints.txt.

Run as `python -m tests.harness.constraints`. It pins the newest versions that suit every Python that the projects
support, and writes those of the programs that workflows and images install into the template.
"""

import json
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.harness.rendering import render, render_variant, snapshot
from tests.harness.selection import auth_pairs
from tests.harness.variants import ROOT, all_variants, choices

CONSTRAINTS = ROOT / "constraints.txt"
HEADER = "# What the rendered projects and this repository depend on. `make constraints` writes this file.\n"
# Where the template names the version of a program, by its package.
SETUP_UV = r'(setup-uv@.*\n +with:\n +version: ")[\d.]+'
PIP_AUDIT = r"(pip-audit==)[\d.]+"
PINS = {
    "template/Dockerfile.jinja": {"uv": r"(astral/uv:)[\d.]+"},
    "template/.github/workflows/ci.yml.jinja": {
        "uv": SETUP_UV,
        "pip-audit": PIP_AUDIT,
        "zizmor": r"(zizmor==)[\d.]+",
    },
    "template/.gitlab-ci.yml.jinja": {"uv": r"(astral/uv:)[\d.]+", "pip-audit": PIP_AUDIT},
    "template/.github/workflows/update.yml.jinja": {"uv": SETUP_UV, "copier": r"(copier==)[\d.]+"},
}
# What the pipelines of projects run, and neither they nor the tests install.
RUN_ALONE = ("pip-audit",)


def requirements_of(project: Path) -> list[str]:
    """Give what pyproject.toml of `project` requires, its dependency groups included."""
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    groups = declared.get("dependency-groups", {}).values()
    build = declared.get("build-system", {}).get("requires", [])
    return [*declared["project"].get("dependencies", []), *build, *(name for group in groups for name in group)]


def packages_of(requirements: Iterable[str]) -> set[str]:
    """Give the packages that these requirements install, on one system or another."""
    waiting, seen = [Requirement(text) for text in requirements], set[tuple[str, frozenset[str]]]()
    while waiting:
        requirement = waiting.pop()
        extras = frozenset(requirement.extras)
        key = (canonicalize_name(requirement.name), extras)
        if key in seen:
            continue
        seen.add(key)
        with suppress(PackageNotFoundError):  # those of other systems aren't here
            for text in requires(key[0]) or []:
                needed = Requirement(text)
                if "extra" not in str(needed.marker) or any(
                    needed.marker and needed.marker.evaluate({"extra": extra}) for extra in extras
                ):
                    waiting.append(needed)
    return {name for name, _ in seen}


def versions_in(text: str) -> dict[str, str]:
    """Give the version of each package that a text pins, by its name."""
    return dict(re.findall(r"(?m)^([\w-]+)==(\S+)", text))


def pins() -> dict[str, str]:
    """Give the version of each package that constraints.txt pins, by its name."""
    return versions_in(CONSTRAINTS.read_text(encoding="utf-8"))


def pin_tools(versions: Mapping[str, str], root: Path = ROOT) -> None:
    """Write the versions of the programs that the template's files name."""
    for name, patterns in PINS.items():
        file = root / name
        text = file.read_text(encoding="utf-8")
        for package, pattern in patterns.items():
            text, count = re.subn(pattern, rf"\g<1>{versions[package]}", text)
            assert count, f"{name} has no {pattern}"
        file.write_text(text, encoding="utf-8")


def pin_releases(project: Path) -> Path:
    """Let uv install in a project the releases that constraints.txt pins, and give the project back."""
    lines = [line for line in CONSTRAINTS.read_text(encoding="utf-8").splitlines() if "==" in line]
    with (project / "pyproject.toml").open("a", encoding="utf-8") as pyproject:
        pyproject.write(f"\n[tool.uv]\nconstraint-dependencies = {json.dumps(lines)}\n")
    return project


def compiled(requirements: Iterable[str]) -> str:
    """Give the newest versions that suit these requirements, and all that they require."""
    options = ["--universal", "--python-version", "3.11", "--no-header", "--no-annotate", "--upgrade", "-"]
    command = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", *options]
    wanted = "\n".join(sorted(requirements))
    return subprocess.run(command, check=True, capture_output=True, text=True, input=wanted).stdout


def main() -> None:
    """Write constraints.txt."""
    required = set(requirements_of(ROOT))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = snapshot(folder / "source")
        for variant in (*all_variants(), *auth_pairs()):
            required |= set(requirements_of(render_variant(source, variant, folder / variant.id)))
        with_extras = render(source, folder / "extras", {"extras": list(choices("extras"))})
        required |= set(requirements_of(with_extras))
    CONSTRAINTS.write_text(HEADER + compiled(required), encoding="utf-8")
    pin_tools(pins() | versions_in(compiled(RUN_ALONE)))


if __name__ == "__main__":
    main()
