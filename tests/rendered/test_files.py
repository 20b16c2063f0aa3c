"""What Copier writes is finished as it stands: typed, free of leftovers, and for these answers alone."""

import functools
import re
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from tests.harness.commands import clean_environment, run_tool
from tests.harness.constraints import requirements_of
from tests.harness.rendering import files_of, render, render_variant
from tests.harness.variants import Variant, choices
from tests.harness.warm_process import WarmProcess
from tests.rendered.image import services_of
from tests.rendered.unused import unused_names

WORDS = {
    "sqlite": r"sqlite|aiosqlite",
    "postgresql": r"postgres|psycopg|asyncpg|pgserver",
    "mysql": r"mysql|mariadb|asyncmy|aiomysql|pymysql",
}
ORM_WORDS = (
    r"sqlalchemy\.orm|\bSession\b|AsyncSession|sessionmaker|DeclarativeBase|\bMapped\b|mapped_column|relationship\("
)
ASYNC_WORDS = r"\basync\b|\bawait\b|\basyncio\b|\banyio\b|sqlalchemy\.ext\.asyncio"
BLOCKING_WORDS = r"\bcreate_engine\(|\bpsycopg\b|\bpymysql\b|time\.sleep|\bimport requests\b|\burllib\.request\b"
# A lifespan, ASGI middleware and a time limit are coroutines whatever the database's driver is.
ASYNC_ANYWAY = (
    "app/main.py",
    "app/web/authorize.py",
    "app/web/docs.py",
    "app/web/health.py",
    "app/web/error_handlers.py",
    "app/web/middleware.py",
    "app/web/request_log.py",
    "app/web/routing.py",
    "app/web/dependencies.py",
    "app/audit/actor.py",
    "app/auth/dependencies.py",
    "app/auth/mail.py",
    "app/auth/router.py",
    "tests/web/test_health.py",
    "tests/web/test_protocol.py",
)
# In a thread of its own.
BLOCKING_ANYWAY = ("app/auth/keys.py", "app/auth/timed_http.py")
EMPTY_ON_PURPOSE = ("__init__.py", ".gitkeep", "py.typed")
LONGEST_DATA_FILE = 200
PASSED: set[tuple[str, ...]] = set()
IMPORT_ALL = """
import importlib, pathlib
for path in sorted(pathlib.Path().rglob("*.py")):
    if path.parts[0] in ("app", "tests"):
        importlib.import_module(".".join(path.with_suffix("").parts).removesuffix(".__init__"))
    elif path.parts[0] != "migrations":
        importlib.import_module(path.stem)
"""


def tool_for(name: str, *arguments: str, project: Path) -> None:
    """Run a program on the file that its last argument names, unless it passed one of the same content before."""
    key = (name, *arguments, (project / arguments[-1]).read_text(encoding="utf-8"))
    if key not in PASSED:
        run_tool(project, name, *arguments)
        PASSED.add(key)


@functools.lru_cache(maxsize=4)
def _read(project: Path) -> dict[str, str]:
    files = files_of(project)
    kept = {name: content for name, content in files.items() if name != ".copier-answers.yml" and ".pyc" not in name}
    return {name: content.decode() for name, content in kept.items()}


def texts_of(project: Path) -> dict[str, str]:
    """Give the text of every file of `project`, read once, but the record of the answers."""
    return dict(_read(project))


@functools.cache
def parse_yaml(text: str) -> None:
    """Parse a text, unless the same was parsed before: most variants share theirs."""
    yaml.safe_load(text)


@functools.lru_cache(maxsize=20_000)
def _has(pattern: str, text: str, flags: int) -> bool:
    return re.search(pattern, text, flags) is not None


def lines_with(pattern: str, texts: dict[str, str], flags: int = 0) -> Iterator[str]:
    """Give `file:line: text` of every line in which `pattern` is found."""
    for name, text in texts.items():
        if not _has(pattern, text, flags | re.MULTILINE):
            continue
        for number, line in enumerate(text.splitlines(), 1):
            if re.search(pattern, line, flags):
                yield f"{name}:{number}: {line.strip()}"


def assert_none(found: Iterator[str] | list[str]) -> None:
    """Fail with the list of what was found."""
    listed = list(found)
    if listed:
        pytest.fail("\n".join(listed), pytrace=False)


@pytest.mark.each_mixin
@pytest.mark.any_auth
def test_mypy_strict_passes(project: Path, warm_process: WarmProcess, mypy_cache: Path) -> None:
    warm_process.run(["-m", "mypy", "--strict", "--cache-dir", str(mypy_cache)], project)


@pytest.mark.any_auth
def test_modules_import_without_warnings(project: Path, warm_process: WarmProcess) -> None:
    """Those of `app/` are imported without one in every variant, as it is driven."""
    warm_process.run(["-W", "error", "-c", IMPORT_ALL], project)


@pytest.mark.each_mixin
def test_rendering_is_reproducible(project: Path, source: Path, variant: Variant, tmp_path: Path) -> None:
    again = files_of(render_variant(source, variant, tmp_path / "again"))
    rendered = {name: content for name, content in files_of(project).items() if "__pycache__" not in name}
    assert again == rendered


@pytest.mark.each_mixin
@pytest.mark.any_auth
def test_configuration_files_parse(project: Path) -> None:
    for name, text in texts_of(project).items():
        if name.endswith(".toml"):
            tomllib.loads(text)
        elif name.endswith((".yml", ".yaml")):
            parse_yaml(text)


@pytest.mark.every_variant
def test_no_leftovers(project: Path) -> None:
    def leftovers() -> Iterator[str]:
        texts = texts_of(project)
        for name, text in texts.items():
            if text and (not text.endswith("\n") or text.endswith("\n\n")):
                yield f"{name}: doesn't end with one newline"
            if not text.strip() and not name.endswith(EMPTY_ON_PURPOSE):
                yield f"{name}: is empty"
            blank = "\n\n\n\n" if name.endswith((".py", ".mako")) else "\n\n\n"
            if blank in text or text.startswith("\n"):
                yield f"{name}: has doubled blank lines"
        yield from lines_with(r"[ \t]$", texts)
        yield from lines_with(r"(?<!\$)\{\{[ -]|\{%|%\}|\{#", texts)
        folders = (path for path in project.rglob("*") if path.is_dir() and not any(path.iterdir()))
        yield from (f"{path.relative_to(project)}: is an empty folder" for path in folders)

    assert_none(leftovers())


@pytest.mark.every_variant
def test_template_is_not_mentioned(project: Path) -> None:
    texts = texts_of(project)
    sections = re.split(r"(?m)^(?=## )", texts["README.md"])
    readme = "".join(section for section in sections if "copier update" not in section)
    texts["README.md"] = re.sub(r"uvx --from git\+\S+ copier-fastapi-sqlalchemy ", "", readme)  # adds a resource
    del texts[".github/workflows/update.yml"]
    assert_none(lines_with(r"copier|jinja|\btemplates?\b|\bvariants?\b", texts, re.IGNORECASE))


@pytest.mark.every_variant
def test_other_databases_are_not_mentioned(project: Path, variant: Variant) -> None:
    """But for what git ignores: the data of a database that it was switched from isn't to be committed."""
    others = "|".join(WORDS[name] for name in choices("database") if name != variant.database)
    texts = texts_of(project)
    del texts[".gitignore"]
    assert_none(lines_with(others, texts, re.IGNORECASE))


@pytest.mark.each_database
def test_git_ignores_data_of_every_database(project: Path) -> None:
    assert {"app.db*", ".postgres/"} <= {*(project / ".gitignore").read_text(encoding="utf-8").splitlines()}


@pytest.mark.every_variant
def test_core_has_no_session(project: Path, variant: Variant) -> None:
    if variant.data_access == "core":
        assert_none(lines_with(ORM_WORDS, texts_of(project)))


@pytest.mark.every_variant
def test_sync_and_async_are_not_mixed(project: Path, variant: Variant) -> None:
    texts = {name: text for name, text in texts_of(project).items() if name.endswith(".py")}
    if variant.io == "async":
        own = {name: text for name, text in texts.items() if name.startswith("app/") and name not in BLOCKING_ANYWAY}
        assert_none(lines_with(BLOCKING_WORDS, own))
    else:
        own = {name: text for name, text in texts.items() if name not in ASYNC_ANYWAY}
        assert_none(lines_with(ASYNC_WORDS, own))


@pytest.mark.every_variant
def test_files_of_app_db_are_short(project: Path) -> None:
    lengths = {name: text.count("\n") for name, text in texts_of(project).items() if name.startswith("app/db/")}
    assert_none([f"{name}: {length} lines" for name, length in lengths.items() if length >= LONGEST_DATA_FILE])


@pytest.mark.every_variant
@pytest.mark.example
def test_every_name_is_used(project: Path) -> None:
    """Without the example, the data layer waits for its first table: there, names may be unused."""
    assert_none(unused_names(project))


@pytest.mark.every_variant
@pytest.mark.example
def test_every_column_is_used(project: Path) -> None:
    """As with names: without the example, a mixin's columns wait for their first table."""
    texts = {name: text for name, text in texts_of(project).items() if name.startswith("app/")}
    declared = re.compile(r"""(?m)^    (\w+): Mapped\[|^\s+Column\(\s*"(\w+)\"""")
    assert_none(
        f"{name}: {column}"
        for name, text in texts.items()
        for column in {first or second for first, second in declared.findall(text)}
        if not re.search(rf"\b{column}\b", "".join(other for path, other in texts.items() if path != name))
        and f".c.{column}" not in text
    )


@pytest.mark.any_auth
def test_declared_dependencies_are_those_imported(project: Path, warm_process: WarmProcess) -> None:
    driver = r"\w+\+(\w+)"
    used_by_name = {found for text in texts_of(project).values() for found in re.findall(driver, text)}
    named = used_by_name | {"uvicorn", "cryptography"}
    ignored = "|".join(sorted(named))
    arguments = ["--known-first-party", "app", "--known-first-party", "tests"]
    rules = ["--per-rule-ignores", f"DEP002={ignored}", "--extend-exclude", r"migrations/versions|dev\w*\.py"]
    warm_process.run(["-m", "deptry", ".", "--no-ansi", *arguments, *rules], project)


@pytest.mark.each_mixin
def test_development_tools_are_used(project: Path) -> None:
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    texts = texts_of(project)
    declaration = texts.pop("pyproject.toml")
    mentions = "\n".join([*texts.values(), *re.findall(r"(?m)^\[tool\.[\w.-]+|^plugins.*", declaration)])
    for name, use in {"httpx2": "TestClient", "fastapi-cli": "uv run fastapi dev", "squawk-cli": "squawk"}.items():
        if use in mentions:
            mentions += f" {name}"
    names = [Requirement(text).name for text in declared["dependency-groups"]["dev"]]
    assert_none([name for name in names if not re.search(rf"\b{re.sub('[-_]', '[-_]', name)}(?![a-z0-9])", mentions)])


@pytest.mark.any_auth
def test_each_requirement_is_declared_once(project: Path) -> None:
    names = [Requirement(text).name for text in requirements_of(project)]
    assert_none([name for name, times in Counter(names).items() if times > 1])


@pytest.mark.any_auth
def test_requirements_are_in_the_shared_environment(project: Path) -> None:
    for text in requirements_of(project):
        requirement = Requirement(text)
        if requirement.name != "hatchling":
            assert requirement.specifier.contains(version(requirement.name), prereleases=True), text


@pytest.mark.any_auth
def test_pipeline_and_container_files_are_valid(project: Path) -> None:
    check = functools.partial(tool_for, "check-jsonschema", "--builtin-schema", project=project)
    check("vendor.github-workflows", ".github/workflows/ci.yml")
    check("vendor.compose-spec", "compose.yaml")
    tool_for("hadolint", "Dockerfile", project=project)


@pytest.mark.any_auth
def test_compose_passes_on_what_production_needs(project: Path) -> None:
    given = {
        "ENVIRONMENT": "production",
        "DATABASE_PASSWORD": "secret",
        "SMTP_URL": "smtps://mail.example.com",
        "MAIL_FROM": "accounts@example.com",
        "MAIL_LINK": "https://example.com/password",
        "OIDC_ISSUER": "https://login.example.com",
        "FORWARDED_ALLOW_IPS": "10.0.0.1",
    }
    environment = services_of(project, given)["app"]["environment"]
    ask = "from app.settings import load_settings as load; print(load().forwarded_allow_ips)"
    done = subprocess.run(
        [sys.executable, "-c", ask],
        cwd=project,
        env=clean_environment(**environment),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("10.0.0.1\n", "")


@pytest.mark.any_auth
def test_compose_passes_on_the_settings_of_auth(source: Path, project: Path, variant: Variant, tmp_path: Path) -> None:
    without = render(source, tmp_path / "project", {**variant.answers, "auth": "none"})
    names, others = (
        dict(re.findall(r"^([A-Z_]+)=(.*)$", (folder / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
        for folder in (project, without)
    )
    environment = services_of(project)["app"]["environment"]
    passed = {name: str(environment.get(name, "absent") or "") for name in names.keys() - others}
    assert passed == {name: names[name] for name in passed}


@pytest.mark.each_database
def test_without_ci_and_extras_their_files_are_absent(source: Path, variant: Variant, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {**variant.answers, "ci": "none", "extras": []})
    names = files_of(project)
    gone = (
        ".github",
        ".gitlab-ci.yml",
        "LICENSE",
        "Dockerfile",
        "compose.yaml",
        ".dockerignore",
        ".pre-commit-config.yaml",
    )
    assert [name for name in names if name.startswith(gone)] == []
    assert_none(lines_with(r"dockerfile|compose|pre-commit|github(?!\.com)", texts_of(project), re.IGNORECASE))
    run_tool(project, "ruff", "check", "--no-cache", "--no-fix")
    run_tool(project, "ruff", "format", "--no-cache", "--check")
