from collections.abc import Iterator

import pytest
from sqlalchemy import (
    Column,
    Connection,
    StaticPool,
    String,
    Table,
    create_engine,
    insert,
    inspect,
    select,
    text,
)

from app.db import search
from app.db.metadata import metadata
from app.db.search import make_searchable, ranked, repair
from app.db.types import Key


@pytest.fixture
def leaflets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """Yield a table that only these tests use, whose titles can be searched."""
    monkeypatch.setattr(search, "_columns", {})
    texts = (Column("title", String(40)), Column("content", String(40)))
    leaflets = Table("leaflets", metadata, Column("id", Key, primary_key=True), *texts)
    make_searchable("leaflets", "title")
    yield leaflets
    metadata.remove(leaflets)


@pytest.fixture
def memory(leaflets: Table) -> Iterator[Connection]:
    """Yield a connection to a new database in memory that has the table."""
    engine = create_engine("sqlite://", poolclass=StaticPool)
    with engine.connect() as connection:
        leaflets.create(connection)
        yield connection
    engine.dispose()


def test_words_are_found_best_match_first(memory: Connection, leaflets: Table) -> None:
    titles = ("Sourdough", "Maps of railways", "Maps maps maps")
    memory.execute(insert(leaflets), [{"title": title} for title in titles])
    found = memory.scalars(ranked(select(leaflets.c.title), "leaflets", "maps"))
    assert found.all() == ["Maps maps maps", "Maps of railways"]


def test_lost_triggers_are_made_again_beside_other_triggers(
    memory: Connection, leaflets: Table
) -> None:
    for number in range(3):
        other = f"CREATE TRIGGER other_{number} AFTER INSERT ON leaflets BEGIN SELECT 1; END"
        memory.execute(text(other))
    memory.execute(text("DROP TRIGGER leaflets_search_insert"))
    repair(memory)
    memory.execute(insert(leaflets), {"title": "Maps"})
    assert memory.scalars(ranked(select(leaflets.c.title), "leaflets", "maps")).all() == ["Maps"]


def test_accents_are_found_however_they_are_written(memory: Connection, leaflets: Table) -> None:
    memory.execute(insert(leaflets), {"title": "Caf\u00e9s"})
    memory.execute(insert(leaflets), {"title": "Cafe\u0301s"})
    for words in ("Cafes", "Caf\u00e9s", "Cafe\u0301s"):
        assert len(memory.scalars(ranked(select(leaflets), "leaflets", words)).all()) == 2


def test_index_has_the_columns_of_today(memory: Connection, leaflets: Table) -> None:
    memory.execute(insert(leaflets), {"title": "Maps", "content": "of railways"})
    make_searchable("leaflets", "title", "content")
    repair(memory)
    memory.execute(insert(leaflets), {"title": "Plans", "content": "of railways"})
    found = memory.scalars(ranked(select(leaflets.c.title), "leaflets", "railways"))
    assert found.all() == ["Plans", "Maps"]


def test_generated_column_is_searched(memory: Connection, leaflets: Table) -> None:
    memory.execute(text("ALTER TABLE leaflets ADD COLUMN heading AS (title || content)"))
    make_searchable("leaflets", "heading")
    repair(memory)
    memory.execute(insert(leaflets), {"title": "Maps", "content": " of railways"})
    found = memory.scalars(ranked(select(leaflets.c.title), "leaflets", "railways"))
    assert found.all() == ["Maps"]


def test_no_index_where_the_table_lacks_a_column(memory: Connection) -> None:
    make_searchable("leaflets", "title", "content")
    repair(memory)
    for change in ("insert", "delete", "update"):
        memory.execute(text(f"DROP TRIGGER leaflets_search_{change}"))
    memory.execute(text("ALTER TABLE leaflets DROP COLUMN content"))
    repair(memory)
    memory.execute(text("INSERT INTO leaflets (title) VALUES ('Maps')"))
    assert not inspect(memory).has_table("leaflets_search")
