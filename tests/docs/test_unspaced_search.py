"""Who follows docs/mixins/full-text-search.md finds words inside of texts that have no spaces between them."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.harness.alembic import Alembic
from tests.harness.edits import replace_text
from tests.harness.pages import blocks_of
from tests.harness.rendering import render_variant
from tests.harness.servers import NewDatabase, Server
from tests.harness.service import calling
from tests.harness.variants import Variant
from tests.harness.warm_process import CommandFailed, WarmProcess

PAGE = "docs/mixins/full-text-search.md"
CHANGES = {
    "postgresql": ('UNSPACED = ""', r'UNSPACED = r"\u0E00-\u0E7F\u3040-\u30FF\u3400-\u9FFF"'),
    "mysql": ('PARSER = ""', 'PARSER = "ngram"'),
    "sqlite": ("TOKENIZER = \"unicode61 remove_diacritics 2 categories 'L* N* Co Mn Mc'\"", 'TOKENIZER = "trigram"'),
}
TEXTS = {
    "東京都に住んでいます": "住んで",
    "我们今天讨论数据库": "数据库",
    "ฉันชอบฐานข้อมูลมาก": "ฐานข้อมูล",
    "Old maps": "maps",
}


def count_found(warm_process: WarmProcess, project: Path, url: str, folder: Path) -> list[int]:
    """Serve the project, add posts of the texts, and count what is found of each word."""
    with calling(warm_process, project, {"DATABASE_URL": url}, folder) as api:
        user = {"email": f"{folder.name}@example.com", "name": "Ada"}
        author = api.post("/users", json=user).raise_for_status().json()["id"]
        for text in TEXTS:
            api.post("/posts", json={"author_id": author, "title": "T", "content": text}).raise_for_status()
        assert api.get("/posts/search", params={"q": "大阪府"}).json()["items"] == []
        return [len(api.get("/posts/search", params={"q": word}).json()["items"]) for word in TEXTS.values()]


def write_revision(project: Path, database: str) -> None:
    """Put what the page says into the newest revision."""
    block = blocks_of(PAGE, "python", "Scripts without spaces")[["postgresql", "mysql"].index(database)]
    lines = block.splitlines()
    imports = "".join(f"{line}\n" for line in lines if line.startswith("from "))
    indented = "".join(f"    {line}\n" for line in lines if line and not line.startswith("from "))
    (revision,) = (project / "migrations/versions").glob("*search_in_words.py")
    text = revision.read_text(encoding="utf-8")
    text = re.sub(r"(def upgrade\(\) -> None:\n)    pass\n", lambda match: match[1] + indented, text)
    text = re.sub(r"^(from alembic import op\n|import sqlalchemy as sa\n)", "", text, flags=re.MULTILINE)
    imports = f"\nimport sqlalchemy as sa\nfrom alembic import op\n{imports}\nrevision"
    revision.write_text(text.replace("\nrevision", imports, 1), encoding="utf-8")


@pytest.mark.each_database
@pytest.mark.example
@pytest.mark.mixin("full_text_search")
def test_word_inside_of_text_is_found(
    variant: Variant,
    server: Server,
    new_database: NewDatabase,
    source: Path,
    tmp_path: Path,
    warm_process: WarmProcess,
) -> None:
    project = render_variant(source, replace(variant, mixins=("full_text_search",)), tmp_path / "project")
    with new_database() as url:
        alembic = Alembic(warm_process, project, url)
        alembic("upgrade head")
        (tmp_path / "before").mkdir()
        assert count_found(warm_process, project, url, tmp_path / "before") == [0, 0, 0, 1]
        replace_text(project / "app/db/search.py", CHANGES[variant.database])
        if variant.database != "sqlite":
            alembic("revision -m 'search in words'")
            write_revision(project, variant.database)
        if server.product == "MariaDB":
            with pytest.raises(CommandFailed, match="ngram"):
                alembic("upgrade head")
            return
        alembic("upgrade head", "check")
        (tmp_path / "after").mkdir()
        assert count_found(warm_process, project, url, tmp_path / "after") == [2, 2, 2, 2]
