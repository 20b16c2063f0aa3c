"""Tests of the recipes in docs/cookbook.md: `test_cookbook.py` copies this file into projects, beside the recipes.

A test is named for the recipe's heading, and `recipe` is the recipe's module. In a project with `io=sync`, `async` and
`await` are left out, here as in the recipes.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, column, create_engine, event, insert, inspect, select, table, text, update
from sqlalchemy.exc import IntegrityError, OperationalError

ADA, BEN, CLEO = 101, 102, 103
FIRST, SECOND = 201, 202
IS_ORM = Path("app/users/models.py").exists()
BLOG: dict[str, list[dict[str, Any]]] = {
    "users": [
        {"id": ADA, "email": "ada@example.com", "name": "Ada", "is_active": True, "preferences": {}},
        {"id": BEN, "email": "ben@example.com", "name": "Ben", "is_active": False, "preferences": {}},
        {"id": CLEO, "email": "cleo@example.org", "name": "Cleo", "is_active": True, "preferences": {"theme": "dark"}},
    ],
    "profiles": [{"user_id": ADA, "bio": "Writes."}],
    "posts": [
        {"id": FIRST, "author_id": ADA, "title": "First", "content": "Hello."},
        {"id": SECOND, "author_id": BEN, "title": "Second", "content": "Bye."},
    ],
    "tags": [{"id": 301, "name": "a"}, {"id": 302, "name": "b"}],
    "post_tags": [{"post_id": FIRST, "tag_id": 301}, {"post_id": FIRST, "tag_id": 302}],
    "comments": [
        {"id": 401, "post_id": FIRST, "author_id": BEN, "content": "Nice."},
        {"id": 402, "post_id": FIRST, "author_id": CLEO, "content": "Thanks."},
    ],
}


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def tables() -> dict[str, Any]:
    """Every table, those of the recipes too."""
    for path in sorted(Path("cookbook").glob("*.py")):
        import_module(f"cookbook.{path.stem}")
    return dict(import_module("app.tables").metadata.tables)


@pytest.fixture(scope="session")
def committed(tables: dict[str, Any]) -> Iterator[Engine]:
    """An engine of one's own, which sees what was committed."""
    engine = create_engine(os.environ["COOKBOOK_URL"])
    next(iter(tables.values())).metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture(autouse=True)
def blog(committed: Engine, tables: dict[str, Any]) -> None:
    """The rows that each test finds."""
    with committed.begin() as connection:
        for table in reversed(next(iter(tables.values())).metadata.sorted_tables):
            connection.execute(table.delete())
        for name, rows in BLOG.items():
            connection.execute(insert(tables[name]), rows)


@pytest.fixture(scope="session")
async def database(committed: Engine) -> AsyncIterator[Any]:  # noqa: ARG001 - the tables are there
    database = import_module("app.main").open_database(import_module("app.settings").Settings())
    yield database
    await database.dispose()


@pytest.fixture
async def transaction(database: Any, blog: None) -> AsyncIterator[Any]:  # noqa: ARG001 - the rows are there
    async with database.begin() as transaction:
        yield transaction


@pytest.fixture
def recipe(request: pytest.FixtureRequest) -> ModuleType:
    return import_module(f"cookbook.{request.node.originalname.removeprefix('test_')}")


@contextmanager
def levels_of_queries(database: Any) -> Iterator[list[str]]:
    """Yield a list of the isolation level of each SELECT that the database runs."""
    found: list[str] = []

    def note(connection: Any, _cursor: Any, statement: str, *_others: Any) -> None:
        if statement.startswith("SELECT"):
            found.append(connection.get_isolation_level())

    engine = getattr(database.engine, "sync_engine", database.engine)
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_and_or_not_in_like(recipe: Any, transaction: Any) -> None:
    assert await recipe.find_active(transaction, ["cleo@example.org"]) == ["Ada", "Cleo"]
    assert await recipe.find_active(transaction, []) == ["Ada"]


async def test_one_row_by_a_unique_column_needed_columns_only(recipe: Any, transaction: Any) -> None:
    assert await recipe.find_by_email(transaction, "ada@example.com") == (ADA, "Ada")
    assert await recipe.find_by_email(transaction, "absent@example.com") is None


async def test_eager_loading_nested(recipe: Any, transaction: Any, database: Any) -> None:
    with levels_of_queries(database) as queries:
        first, second = await recipe.list_posts(transaction)
    assert len(queries) == (3 if IS_ORM else 2)
    if IS_ORM:
        assert (first.author.profile.bio, second.author.profile) == ("Writes.", None)
        assert [tag.name for tag in first.tags] == ["a", "b"]
        assert [comment.content for comment in first.comments] == ["Nice.", "Thanks."]
    else:
        comments = ["Nice.", "Thanks."]
        assert first == {"id": FIRST, "title": "First", "author": "Ada", "bio": "Writes.", "comments": comments}
        assert second == {"id": SECOND, "title": "Second", "author": "Ben", "bio": None, "comments": []}


async def test_filter_by_a_related_row_and_load_it_from_the_same_join(recipe: Any, transaction: Any) -> None:
    rows = await recipe.list_posts_of_active_authors(transaction)
    assert [(row.title, row.author.name if IS_ORM else row.name) for row in rows] == [("First", "Ada")]


async def test_raw_sql_with_bound_parameters(recipe: Any, transaction: Any) -> None:
    assert await recipe.count_posts(transaction, "First") == 1
    assert await recipe.count_posts(transaction, "' OR title = 'First") == 0


async def test_raw_sql_that_gives_entities_or_typed_rows(recipe: Any, transaction: Any) -> None:
    (cleo,) = await recipe.find_users(transaction, "Cleo")
    assert (cleo.id, cleo.preferences, type(cleo.role).__name__) == (CLEO, {"theme": "dark"}, "Role")


async def test_upsert(recipe: Any, transaction: Any) -> None:
    profiles = import_module("app.users.models").Profile if IS_ORM else import_module("app.users.tables").profiles
    for user_id, bio in ((ADA, "Reads."), (BEN, "Paints.")):
        await transaction.execute(recipe.upsert(profiles, "user_id", {"user_id": user_id, "bio": bio}))
    rows = await transaction.execute(text("SELECT user_id, bio FROM profiles ORDER BY user_id"))
    assert rows.all() == [(ADA, "Reads."), (BEN, "Paints.")]


async def test_bulk_update_and_delete(recipe: Any, transaction: Any) -> None:
    await recipe.deactivate(transaction, ["ada@example.com", "absent@example.com"])
    await recipe.rename(transaction, {BEN: "Bo", CLEO: "Cy"})
    rows = await transaction.execute(text("SELECT name FROM users ORDER BY id"))
    assert rows.scalars().all() == ["Ada", "Bo", "Cy"]
    await recipe.delete_inactive(transaction)
    rows = await transaction.execute(text("SELECT name FROM users"))
    assert rows.scalars().all() == ["Cy"]


async def test_delete_a_child_by_removing_it_from_its_parent(recipe: Any, transaction: Any) -> None:
    await recipe.remove_profile(transaction, ADA)
    assert await transaction.scalar(text("SELECT count(*) FROM profiles")) == 0


async def test_flush_without_commit(recipe: Any, database: Any, committed: Engine) -> None:
    async with database.begin() as transaction:
        key = await recipe.add_user(transaction, "dora@example.com", "New.")
        with committed.connect() as connection:
            assert connection.scalar(text("SELECT count(*) FROM users")) == 3
    with committed.connect() as connection:
        assert connection.execute(text("SELECT user_id, bio FROM profiles WHERE bio = 'New.'")).all() == [(key, "New.")]


async def test_savepoint(recipe: Any, transaction: Any) -> None:
    emails = ["dora@example.com", "ada@example.com", "eve@example.com"]
    assert await recipe.add_users(transaction, emails) == ["ada@example.com"]
    assert await transaction.scalar(text("SELECT count(*) FROM users")) == 5


async def test_isolation_level_of_one_transaction(recipe: Any, database: Any) -> None:
    with levels_of_queries(database) as levels:
        assert await recipe.count_all(database) == (3, 2)
        async with database.begin() as transaction:
            await transaction.execute(text("SELECT 1"))
    assert levels == ["REPEATABLE READ", "REPEATABLE READ", "READ COMMITTED"]


async def test_isolation_level_of_one_connection(recipe: Any, database: Any, committed: Engine) -> None:
    await recipe.maintain(database, "DELETE FROM comments")
    with committed.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM comments")) == 0
    if committed.name == "postgresql":
        await recipe.maintain(database, "VACUUM comments")


async def test_retry_of_a_whole_transaction(recipe: Any, database: Any) -> None:
    failures: list[OperationalError] = []

    async def publish(transaction: Any) -> int:
        await transaction.execute(text("UPDATE posts SET title = 'Done'"))
        if len(failures) < 2:
            failures.append(deadlock())
            raise failures[-1]
        done: int = await transaction.scalar(text("SELECT count(*) FROM posts WHERE title = 'Done'"))
        return done

    with pytest.raises(OperationalError):
        await recipe.retry(database, publish, attempts=1)
    assert await recipe.retry(database, publish, attempts=2) == 2


def deadlock() -> OperationalError:
    """Give an error that has the codes of a deadlock on PostgreSQL and on MySQL."""
    cause = type("Deadlock", (Exception,), {"sqlstate": "40P01"})(1213, "deadlock")
    return OperationalError("", {}, cause)


async def test_hybrid_property_hybrid_method_repr(recipe: Any, transaction: Any) -> None:
    now = datetime.now(UTC)
    full = {"title": "Full", "seats": 2, "booked": 2, "deleted_at": None}
    free = {"title": "Free", "seats": 5, "booked": 3, "deleted_at": now}
    if IS_ORM:
        workshop = recipe.Workshop
        transaction.add_all([workshop(**full), workshop(**free)])
        await transaction.flush()
        has_room_for, is_deleted, title = workshop.has_room_for, workshop.is_deleted, workshop.title
        found = await transaction.scalars(select(workshop).order_by(workshop.id))
        assert [(w.has_room_for(2), w.is_deleted) for w in found] == [(False, False), (True, True)]
        assert repr(workshop(id=7, title="Free")) == "Workshop(id=7, title='Free')"
    else:
        await transaction.execute(insert(recipe.workshops), [full, free])
        has_room_for, is_deleted, title = recipe.has_room_for, recipe.is_deleted(), recipe.workshops.c.title
    for condition in (has_room_for(2), is_deleted):
        found = await transaction.scalars(select(title).where(condition))
        assert found.all() == ["Free"]
    found = await transaction.scalars(select(title).where(has_room_for(3)))
    assert found.all() == []


async def test_custom_column_type(recipe: Any, transaction: Any) -> None:
    email = column("email", recipe.LowerCase(254))
    await transaction.execute(
        update(table("users", email)).where(email == "ADA@example.com").values(email="Dora@X.com")
    )
    emails = await transaction.scalars(text("SELECT email FROM users WHERE name = 'Ada'"))
    assert emails.all() == ["dora@x.com"]


async def test_partial_index(tables: dict[str, Any], transaction: Any, committed: Engine) -> None:
    invite = insert(tables["invitations"]).values(email="ada@example.com")
    for is_open in (False, False, True):
        await transaction.execute(invite.values(is_open=is_open))
    with pytest.raises(IntegrityError):
        await transaction.execute(invite)
    await transaction.rollback()
    (index,) = inspect(committed).get_indexes("invitations")
    assert index["unique"]


async def test_listeners_before_insert_and_after_update(tables: dict[str, Any], recipe: Any, transaction: Any) -> None:
    if IS_ORM:
        page = recipe.Page(title="Old Title")
        transaction.add(page)
        await transaction.flush()
        assert page.slug == "old-title"
        page.title = "New Title"
        await transaction.flush()
        page_id = page.id
    else:
        await transaction.execute(insert(recipe.pages).values(title="Old Title"))
        assert await transaction.scalar(select(recipe.pages.c.slug)) == "old-title"
        page_id = await transaction.scalar(select(recipe.pages.c.id))
        await recipe.rename_page(transaction, page_id, "New Title")
    assert await transaction.scalar(select(tables["pages"].c.slug)) == "new-title"
    assert await transaction.scalar(select(tables["page_changes"].c.page_id)) == page_id


async def test_pool_events_as_metrics(recipe: Any, database: Any) -> None:
    metrics = {"checkouts": 0.0, "seconds_held": 0.0}
    recipe.measure_pool(SimpleNamespace(engine=database.engine), metrics)
    for _ in range(2):
        async with database.begin() as transaction:
            await transaction.execute(text("SELECT 1"))
    assert metrics["checkouts"] == 2
    assert 0 < metrics["seconds_held"] < 10
