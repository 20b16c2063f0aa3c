"""What a rendered project carries beside its code: container files, a pipeline, hooks.

Each file is checked against the schema of its kind, and each command that it holds is run, in its order, on a real
database: the commands are read from the files, so that these tests can't drift from them.
"""

import importlib.metadata
import json
import os
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness.commands import Failed, machine, run, tool
from tests.harness.constraints import PINS, RUN_ALONE, pin_releases, pin_tools, pins
from tests.harness.gitlab import NAME, Pipeline
from tests.harness.rendering import files_of, render
from tests.harness.servers import SERVERS, new_database
from tests.harness.variants import ROOT, choices
from tests.harness.workflow import Workflow
from tests.rendered.image import Image, authority, build, run_services, services_of
from tests.updates.releases import IDENTITY

FILES = {
    "github": {".github/dependabot.yml", ".github/workflows/ci.yml", ".github/workflows/update.yml"},
    "gitlab": {NAME},
    "docker": {"Dockerfile", ".dockerignore", "compose.yaml"},
    "pre_commit": {".pre-commit-config.yaml"},
    "devcontainer": {".devcontainer/devcontainer.json"},
    "telemetry": {
        "app/db/telemetry.py",
        "app/web/metrics.py",
        "app/web/telemetry.py",
        "grafana-dashboard.json",
        "tests/db/test_telemetry.py",
        "tests/otlp.py",
        "tests/web/test_metrics.py",
        "tests/web/test_telemetry.py",
    },
}
WORKFLOWS = sorted(name for name in FILES["github"] if "/workflows/" in name)
SUBSETS = [[], *([name] for name in choices("extras")), list(choices("extras"))]
# What each hook must refuse.
REFUSED = {
    "conflict-markers": ("notes.md", "<<<<<<< HEAD\n"),
    "private-keys": ("key.txt", "-----BEGIN OPENSSH PRIVATE KEY-----\n"),
    "ruff-check": ("app/unused.py", "import os\n"),
    "ruff-format": ("app/loose.py", "VALUE   = 1\n"),
    "mypy": ("app/mistyped.py", 'VALUE: int = "one"\n'),
}


@dataclass(frozen=True)
class Case:
    """A project whose container files, pipeline and hooks are run."""

    database: str
    example: bool
    io: str
    data_access: str

    def __str__(self) -> str:
        """Name the case in a test's id."""
        return "-".join([self.database, self.io, self.data_access, *([] if self.example else ["bare"])])

    @property
    def answers(self) -> dict[str, Any]:
        """Give the answers."""
        return {**vars(self), "ci": "github", "extras": list(choices("extras"))}


# Each database with and without the example; `io` and `data_access` take turns.
CASES = [
    Case(database, example, choices("io")[(turn + turn // 2) % 2], choices("data_access")[turn // 2 % 2])
    for turn, (database, example) in enumerate(product(choices("database"), [True, False]))
]
# Tests that share the fixture `rendered` run in one process.
together = pytest.mark.xdist_group("extras")
# For what takes long and differs in little else.
PIPELINES, IMAGES = [CASES[2]], [CASES[0], CASES[5]]


def check(*command: str | Path) -> None:
    """Run a checker of the tests' environment, which says what is wrong."""
    name, *arguments = map(str, command)
    run([tool(name), *arguments], ROOT, os.environ)


@pytest.fixture(scope="module")
def rendered(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give every case's project, and by its name one for each `ci` with none, one and all of `extras`, only to read."""
    answers = {str(case): case.answers for case in CASES}
    for ci, extras in product(choices("ci"), SUBSETS):
        answers["+".join([ci, *extras])] = {"ci": ci, "extras": extras}
    for case in CASES:
        answers[f"gitlab {case}"] = {**case.answers, "ci": "gitlab"}
    folder = tmp_path_factory.mktemp("extras")
    return {name: render(source, folder / name, given) for name, given in answers.items()}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for `case` on the cases that it is for, of each database that has a server in this run."""
    if "case" in metafunc.fixturenames:
        databases = {server.database for server in metafunc.config.stash[SERVERS]}
        everything = metafunc.config.getoption("everything")
        runs_pipeline = metafunc.function in {test_pipeline_and_hooks_run, test_gitlab_pipeline_runs}
        few = PIPELINES if runs_pipeline else IMAGES
        cases = CASES if everything else few
        metafunc.parametrize("case", [case for case in cases if case.database in databases], ids=str)


@pytest.fixture
def project(source: Path, tmp_path: Path, case: Case) -> Path:
    """Give the case's project, to be changed at will; it pins the releases that constraints.txt does."""
    return pin_releases(render(source, tmp_path / "project", case.answers))


@pytest.fixture
def gitlab_project(source: Path, tmp_path: Path, case: Case) -> Path:
    """Give the case's project with GitLab's pipeline."""
    return pin_releases(render(source, tmp_path / "gitlab", {**case.answers, "ci": "gitlab"}))


@pytest.fixture
def url(pytestconfig: pytest.Config, tmp_path: Path, case: Case) -> Iterator[str]:
    """Give the URL of an empty database of the case's kind."""
    server = next(server for server in pytestconfig.stash[SERVERS] if server.database == case.database)
    with new_database(server, tmp_path) as made:
        yield made


def having(projects: Mapping[str, Path], name: str) -> list[Path]:
    """Give the files `name` of the projects that have one."""
    found = [project / name for project in projects.values() if (project / name).exists()]
    assert len(found) >= len(CASES)
    return found


@together
def test_project_has_the_files_of_its_answers_only(rendered: dict[str, Path]) -> None:
    optional = set().union(*FILES.values())
    assert set(FILES) == {*choices("ci"), *choices("extras")} - {"none"}
    for ci, extras in product(choices("ci"), SUBSETS):
        project = rendered["+".join([ci, *extras])]
        asked = {ci, *extras} - {"none"}
        assert optional & set(files_of(project)) == set().union(*(FILES[name] for name in asked)), asked
        if ci == "github":
            assert ("image" in Workflow(project).jobs) == ("docker" in extras)


@together
def test_github_and_gitlab_files_are_valid(rendered: dict[str, Path]) -> None:
    check("check-jsonschema", "--builtin-schema", "vendor.dependabot", *having(rendered, ".github/dependabot.yml"))
    options = ["--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    check("check-jsonschema", *options, *having(rendered, NAME))


@together
def test_gitlab_runs_what_github_does(rendered: dict[str, Path]) -> None:
    """But for what checks GitHub's own files, and what one of them knows of a merge."""
    for case in CASES:
        workflow, pipeline = Workflow(rendered[str(case)]), Pipeline(rendered[f"gitlab {case}"])
        jobs = workflow.jobs.keys() - {"image"}
        assert pipeline.jobs.keys() == jobs | {"container"}
        for job in jobs:
            commands = "\n".join(step.command for step in workflow.steps(job))
            ours, theirs = (re.findall(r"uvx? [a-z]\w.*", text) for text in (commands, pipeline.script(job)))
            assert [line for line in ours if "zizmor" not in line and "HEAD^" not in line] == [
                line for line in theirs if not line.startswith(("uv lock", "uv run python -m migrations.lint"))
            ]


@together
def test_workflows_pass_the_security_linter(rendered: dict[str, Path]) -> None:
    workflows = [path for name in WORKFLOWS for path in having(rendered, name)]
    updates = having(rendered, ".github/dependabot.yml")
    check("zizmor", "--offline", "--quiet", *workflows, *updates, *ROOT.glob(".github/workflows/*"))


@together
def test_pipelines_pin_actions_and_limit_permissions(rendered: dict[str, Path]) -> None:
    for path in [path for name in WORKFLOWS for path in having(rendered, name)]:
        workflow = Workflow(path.parents[2], path.name)
        assert not workflow.unpinned
        assert all("timeout-minutes" in job for job in workflow.jobs.values())
        assert workflow.document["permissions"] == ({"contents": "read"} if path.name == "ci.yml" else {})


@together
def test_job_with_write_permission_runs_no_download(rendered: dict[str, Path]) -> None:
    for path in having(rendered, ".github/workflows/update.yml"):
        jobs = Workflow(path.parents[2], path.name).jobs
        assert {name: job["permissions"] for name, job in jobs.items()} == {
            "update": {"contents": "read"},
            "pull-request": {"contents": "write", "pull-requests": "write"},
        }
        assert "secrets." not in str(jobs["update"])
        assert "uv" not in str(jobs["pull-request"])


@together
def test_tools_are_pinned_as_in_the_constraints(rendered: dict[str, Path]) -> None:
    pinned = pins()
    for project in map(rendered.__getitem__, map(str, CASES)):
        image = (project / "Dockerfile").read_text(encoding="utf-8")
        assert set(re.findall(r"astral/uv:(\S+)", image)) == {pinned["uv"]}
        workflows = [Workflow(project, Path(name).name) for name in WORKFLOWS]
        steps = [step for workflow in workflows for job in workflow.jobs.values() for step in job["steps"]]
        assert {step["with"]["version"] for step in steps if "setup-uv" in step.get("uses", "")} == {pinned["uv"]}
        assert workflows[-1].jobs["update"]["env"]["COPIER"] == f"copier=={pinned['copier']}"
        assert f"uvx zizmor=={pinned['zizmor']} " in workflows[0].text


def test_new_constraints_pin_the_tools_of_the_template(tmp_path: Path) -> None:
    for name in PINS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    pin_tools({"uv": "98.0.1", "copier": "97.0", "zizmor": "96.0", **dict.fromkeys(RUN_ALONE, "95.0")}, tmp_path)
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in PINS]
    assert sum(text.count("98.0.1") for text in texts) == 7
    assert sum(text.count("uvx zizmor==96.0 ") for text in texts) == 1
    assert sum(text.count("uvx pip-audit==95.0 ") for text in texts) == 2
    assert sum(text.count("copier==97.0\n") for text in texts) == 1


@together
def test_devcontainer_has_what_the_project_needs(rendered: dict[str, Path]) -> None:
    """Its image can't be had in these tests: it must be of the project's Python, and its command one that they run."""
    for path in having(rendered, ".devcontainer/devcontainer.json"):
        project = path.parents[1]
        container = json.loads(path.read_text(encoding="utf-8"))
        version = (project / ".python-version").read_text(encoding="utf-8").strip()
        assert container["image"].partition(":")[2].startswith(f"{version}-")
        assert container["postCreateCommand"] == "pip install uv && uv sync"  # as test_install.py runs `uv sync`
        tests_need_docker = "testcontainers" in (project / "pyproject.toml").read_text(encoding="utf-8")
        needs_docker = tests_need_docker or (project / "Dockerfile").exists()
        assert any("docker-in-docker" in name for name in container["features"]) == needs_docker


@together
def test_hooks_are_local(rendered: dict[str, Path]) -> None:
    for path in having(rendered, ".pre-commit-config.yaml"):
        repositories = yaml.safe_load(path.read_text(encoding="utf-8"))["repos"]
        assert {repository["repo"] for repository in repositories} == {"local"}
        languages = {hook["language"] for repository in repositories for hook in repository["hooks"]}
        assert languages <= {"system", "pygrep"}


@together
def test_environment_replaces_passwords_of_compose(rendered: dict[str, Path]) -> None:
    for path in having(rendered, "compose.yaml"):
        services = services_of(path.parent, {"DATABASE_PASSWORD": "another"}).values()
        given = [pair for service in services for pair in service.get("environment", {}).items()]
        secrets = {value for key, value in given if key.endswith("_PASSWORD") or "@" in value} - {"yes"}
        assert all("another" in value for value in secrets), path
        assert bool(secrets) == ("DATABASE_PASSWORD" in path.read_text(encoding="utf-8")), path


def name_of(requirement: str) -> str:
    """Give the name of the distribution that a requirement asks for, as it is written in a path."""
    return re.split(r"[^\w.-]", requirement)[0].replace("-", "_").lower()


def check_image(image: Image, project: Path) -> None:
    """Check that an image has the service, compiled, no development dependency, and a user without rights."""
    pyproject = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    (packages,) = image.cwd.glob(".venv/lib/*/site-packages")
    found = list(importlib.metadata.distributions(path=[str(packages)]))
    installed = {name_of(distribution.name) for distribution in found}
    needed = {name_of(line) for distribution in found for line in distribution.requires or [] if "extra ==" not in line}
    assert name_of(pyproject["project"]["name"]) in installed
    assert not set(map(name_of, pyproject["dependency-groups"]["dev"])) & installed - needed
    assert list(packages.glob("app/__pycache__/main.*.pyc"))
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", image.user)


def test_image_is_built_migrated_and_served(project: Path, tmp_path: Path, url: str, gitlab_project: Path) -> None:
    start, question = [step.command for step in Workflow(project).steps("image")]
    assert start == "docker compose up --build --detach"
    assert question.endswith("http://127.0.0.1:8000/health/ready")
    image = build(project, tmp_path / "image")
    check_image(image, project)

    start, question = Pipeline(gitlab_project).jobs["container"]["script"]
    assert start == "docker compose up --build --detach --wait"
    inside = shlex.split(question.removeprefix("docker compose exec -T app "))

    before = image.files()
    run_services(project, image, tmp_path, url, inside)
    written = {path for path, changed in image.files().items() if before.get(path) != changed}

    # The file system is read-only but for volumes, and the user may write to those.
    services = [service for service in services_of(project).values() if "build" in service]
    assert all(service["read_only"] for service in services)
    volumes = {volume.partition(":")[2].strip("/") for service in services for volume in service.get("volumes", [])}
    assert image.owned == {f"{image.user} {volume}" for volume in volumes}
    assert {path for path in written if not any(path.startswith(f"{volume}/") for volume in volumes)} == set()
    assert bool(written) == bool(volumes)


def test_image_uses_committed_lock_file(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"extras": ["docker"]})
    environment = machine(tmp_path / "tools", "uv")
    run(["uv", "lock", "--upgrade-package", "click==8.1.8"], project, environment)
    image = build(project, tmp_path / "image")
    assert [path.name for path in image.cwd.glob(".venv/lib/*/site-packages/click-*")] == ["click-8.1.8.dist-info"]


def test_pipeline_refuses_outdated_lock_file(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"ci": "github"})
    environment = machine(tmp_path / "tools", "uv")
    run(["uv", "lock"], project, environment)
    pyproject = project / "pyproject.toml"
    unlocked = pyproject.read_text(encoding="utf-8").replace("\ndependencies = [", '\ndependencies = ["click", ', 1)
    pyproject.write_text(unlocked, encoding="utf-8")
    install = next(step for step in Workflow(project).steps("lint") if step.command == "uv sync")
    with pytest.raises(Failed, match="lockfile"):
        run(install.command, project, environment | install.environment)


def test_pipeline_refuses_conflict_markers(source: Path, tmp_path: Path) -> None:
    project = render(source, tmp_path / "project", {"ci": "github"})
    markers = next(Workflow(project).steps("lint"))
    run("git init --quiet && git add --all", project, os.environ)
    run(markers.command, project, os.environ)
    for number, marker in enumerate(("<<<<<<< before updating", "||||||| last update", ">>>>>>> after updating")):
        (project / f"{number}.txt").write_text(f"one\n{marker}\n", encoding="utf-8")
        run(["git", "add", "."], project, os.environ)
        with pytest.raises(Failed, match=marker[:3]):
            run(markers.command, project, os.environ)
        run(["git", "rm", "--quiet", "--force", f"{number}.txt"], project, os.environ)


def commit_all(project: Path, environment: Mapping[str, str], message: str) -> None:
    """Commit all there is in a project, which becomes a repository."""
    commit = f"git init --quiet && git add --all && git commit --quiet --allow-empty --message '{message}'"
    run(commit, project, {**environment, **IDENTITY})


def on_url(variables: Mapping[str, str], server: Mapping[str, Any] | None, address: str, url: str) -> dict[str, str]:
    """Give the variables of a job with a real database's URL for that of its service, which they must name."""
    urls = {key: value for key, value in variables.items() if "://" in value}
    if server:
        assert {value.partition("://")[2] for value in urls.values()} == {authority(server, address)}
    return {**variables, **dict.fromkeys(urls, url)}


def test_pipeline_and_hooks_run(project: Path, tmp_path: Path, url: str) -> None:
    environment = machine(tmp_path / "tools", "uv", "uvx")
    workflow = Workflow(project)
    commit_all(project, environment, "Start")
    commit_all(project, environment, "Change nothing")
    for job in workflow.jobs:
        if job == "image":
            continue
        server = workflow.service(job) or {}
        outside = server.get("ports", [""])[0].partition(":")[0]
        variables = on_url(workflow.environment(job), server.get("env"), f"127.0.0.1:{outside}", url)
        for step in workflow.steps(job):
            run(step.command, project, environment | variables | step.environment)
    run_openapi_check(project, environment)
    run_hooks(project, machine(tmp_path / "nothing") | {"PRE_COMMIT_HOME": str(tmp_path / "hooks")})


@pytest.mark.slow  # its commands are those of GitHub's, which run
def test_gitlab_pipeline_runs(gitlab_project: Path, tmp_path: Path, url: str) -> None:
    environment = machine(tmp_path / "tools", "uv", "uvx")
    pipeline = Pipeline(gitlab_project)
    commit_all(gitlab_project, environment, "Start")
    base = run("git rev-parse HEAD", gitlab_project, environment).strip()
    commit_all(gitlab_project, environment, "Change nothing")
    for job in pipeline.jobs.keys() - {"container"}:
        variables = pipeline.environment(job)
        if server := pipeline.service(job):
            port = {"postgresql": 5432, "mysql": 3306}[url.partition(":")[0].partition("+")[0]]
            variables = on_url(variables, variables, f"{server['alias']}:{port}", url)
        given = {"CI_MERGE_REQUEST_DIFF_BASE_SHA": base, "UV_PYTHON": environment["UV_PYTHON"]}
        run(pipeline.script(job), gitlab_project, environment | variables | given)


def run_openapi_check(project: Path, environment: Mapping[str, str]) -> None:
    """Keep the project's OpenAPI document, then change a route."""
    (check,) = (step.command for step in Workflow(project).steps("lint") if "openapi.json" in step.command)
    run("uv run python -m app openapi > openapi.json", project, environment)
    run(check, project, environment)
    health = project / "app/web/health.py"
    source = health.read_text(encoding="utf-8")
    health.write_text(source.replace('"/live"', '"/alive"'), encoding="utf-8")
    with pytest.raises(Failed, match="/health/alive"):
        run(check, project, environment)
    health.write_text(source, encoding="utf-8")
    (project / "openapi.json").unlink()


def run_hooks(project: Path, environment: Mapping[str, str]) -> None:
    """Run the hooks on a project as it is, then each on what it must refuse."""
    program = str(project / ".venv" / "bin" / "pre-commit")
    hooks = [program, "run", "--all-files"]
    run([program, "validate-config"], project, environment)
    run(hooks, project, environment)
    configured = yaml.safe_load((project / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    assert [hook["id"] for repository in configured["repos"] for hook in repository["hooks"]] == list(REFUSED)
    for hook, (name, content) in REFUSED.items():
        path = project / name
        path.write_text(content, encoding="utf-8")
        run(["git", "add", name], project, environment)
        with pytest.raises(Failed, match=f"hook id: {hook}"):
            run([*hooks, hook], project, environment)
        run(["git", "rm", "--quiet", "--force", name], project, environment)


def test_our_pipeline_is_valid_and_pins_actions() -> None:
    workflow = Workflow(ROOT)
    check("check-jsonschema", "--builtin-schema", "vendor.github-workflows", workflow.path)
    assert not workflow.unpinned
    assert workflow.document["permissions"] == {"contents": "read"}


def test_our_pipeline_runs_targets_of_the_makefile() -> None:
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    named = set(re.findall(r"run: make ([\w-]+)", Workflow(ROOT).text))
    assert {"demo", "docs", "lint", "test"} <= named <= targets
