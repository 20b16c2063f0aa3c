"""Every rendered project's own tests pass, on a database of the matrix's servers."""

from pathlib import Path

import pytest

from tests.zygote import Zygote


@pytest.mark.covering
def test_they_pass(zygote: Zygote, project: Path, database_url: str) -> None:
    plugins = [part for name in ("schemathesis", "xdist", "cacheprovider") for part in ("-p", f"no:{name}")]
    warm = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
    done = zygote.run(["-m", "pytest", *plugins, *warm], project, {"TEST_DATABASE_URL": database_url}, timeout=600)
    assert " passed" in done.output
    assert "skipped" not in done.output
