"""Renders variants, in this process and fast."""

import functools
import shutil
import warnings
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from types import CodeType
from typing import Any

import copier
import jinja2
from copier import _template, _vcs
from copier._main import Worker

from tests.harness.variants import ROOT, Variant, check_keys

SOURCES = ("copier.yml", "macros", "template")
SYNTAX = (
    *(f"{kind}_{end}_string" for kind in ("block", "variable", "comment") for end in ("start", "end")),
    *(f"line_{kind}_prefix" for kind in ("statement", "comment")),
    *("trim_blocks", "lstrip_blocks", "newline_sequence", "keep_trailing_newline", "autoescape"),
)
# What Jinja made of a text, by what that depends on.
COMPILED: dict[tuple[str, ...], CodeType] = {}


def snapshot(destination: Path, origin: Path = ROOT) -> Path:
    """Copy the template to `destination`, without the repository around it, and give that folder back.

    Copier clones a repository and commits its changes before it renders; a plain folder spares that.
    """
    destination.mkdir(parents=True, exist_ok=True)
    for name in SOURCES:
        source = origin / name
        if source.is_dir():
            shutil.copytree(source, destination / name)
        else:
            shutil.copy(source, destination / name)
    return destination


def render(source: Path, destination: Path, answers: dict[str, Any]) -> Path:
    """Render the template in `source` to `destination`, with copier.yml's defaults for what `answers` leaves out.

    Raises:
        ValueError: a key of `answers` is no question's, or a value can't be its answer.

    """
    check_keys(answers)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        copier.run_copy(str(source), destination, data=answers, defaults=True, quiet=True)
    return destination


def render_variant(source: Path, variant: Variant, destination: Path) -> Path:
    """Render `variant` to `destination`."""
    return render(source, destination, variant.answers)


def files_of(project: Path) -> dict[str, bytes]:
    """Give the content of every file of a rendered project by its path, in order."""
    paths = sorted(path for path in project.rglob("*") if path.is_file())
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in paths}


def _remember_compiled_templates() -> None:
    """Compile each Jinja text once a process: Copier makes a new environment, alike in all else, for every render."""
    compile_text = jinja2.Environment.compile

    @functools.wraps(compile_text)
    def remembering(
        self: jinja2.Environment, source: Any, name: Any = None, filename: Any = None, *args: Any, **options: Any
    ) -> Any:
        if not isinstance(source, str) or args or options:
            return compile_text(self, source, name, filename, *args, **options)
        made_with = (type(self).__name__, self.undefined.__name__, *self.extensions, *map(vars(self).get, SYNTAX))
        key = (*map(str, made_with), name or "", source)
        if key not in COMPILED:
            COMPILED[key] = compile_text(self, source, name, filename)
        return COMPILED[key]

    jinja2.Environment.compile = remembering  # type: ignore[method-assign]


def _remember_questions() -> None:
    """Parse each copier.yml once a process."""
    load = functools.cache(_template.load_template_config)
    _template.load_template_config = lambda path, **_: deepcopy(load(path))


def _spare_git() -> None:
    """Ask git nothing about each file: what is rendered here lies in a new folder that no repository holds.

    Nor whether a folder is a bundle, which is a file.
    """
    Worker._sync_git_index_executable_bit = lambda *_: None  # type: ignore[method-assign]  # noqa: SLF001
    is_bundle = _vcs.is_git_bundle
    _vcs.is_git_bundle = lambda path: path.is_file() and is_bundle(path)


def _remember_answers() -> None:
    """Work out once a render what Copier works out anew for each path: the answers, and where their file lies.

    And render no name that has nothing to render.
    """
    render, answers, string = Worker._render_template, Worker._answers_to_remember, Worker._render_string  # noqa: SLF001
    relpath: Any = Worker.answers_relpath.fget  # type: ignore[attr-defined]

    def rendering(self: Worker) -> None:
        vars(self)["known"] = {"answers": answers(self), "relpath": relpath(self)}
        try:
            render(self)
        finally:
            del vars(self)["known"]

    def read(key: str, find: Callable[[Worker], Any]) -> Callable[[Worker], Any]:
        return lambda self: vars(self)["known"][key] if "known" in vars(self) else find(self)

    def written(self: Worker, text: str, extra_context: dict[str, Any] | None = None) -> str:
        return string(self, text, extra_context) if "{" in text else text

    patches = {
        "_render_template": rendering,
        "_render_string": written,
        "_answers_to_remember": read("answers", answers),
        "answers_relpath": property(read("relpath", relpath)),
    }
    for name, patched in patches.items():
        setattr(Worker, name, patched)


_remember_answers()
_remember_compiled_templates()
_remember_questions()
_spare_git()
