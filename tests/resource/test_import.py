"""Tables that are there become resources: their rows stay, and no revision makes them again."""

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from httpx2 import Client
from sqlalchemy import text
from typer.testing import CliRunner, Result

from copier_fastapi_sqlalchemy.cli import app
from copier_fastapi_sqlalchemy.resource import steps
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.steps import Step
from tests.contract.blog import Blog
from tests.contract.storage import Storage
from tests.harness.alembic import Alembic
from tests.harness.commands import check_code
from tests.harness.project_tests import COMMAND, run_tests
from tests.harness.rendering import files_of
from tests.harness.schema import schema_of
from tests.harness.servers import NewDatabase, engine
from tests.harness.service import calling
from tests.harness.variants import Variant, choices
from tests.harness.warm_process import WarmProcess
from tests.resource.conftest import Render
from tests.resource.records import Records
from tests.resource.test_every_resource import BOOKS, ORDER_ITEMS, REFERENCES
from tests.resource.test_rendered import add, resource

# What SQLite, and MySQL for intervals, has no type for: as numbers they are imported as such.
NOT_TOLD = {"sqlite": {"price", "share", "amount", "lasts"}, "mysql": {"lasts"}}
IGNORED = shutil.ignore_patterns("*cache*")
# Tables as others write them, with rows. The first of each is as the project's own, but for names.
LIKE_OURS = {
    "sqlite": """
        CREATE TABLE authors (id INTEGER PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE, born DATE);
        CREATE TABLE books (
            id INTEGER PRIMARY KEY, title VARCHAR(200) NOT NULL, pages INTEGER NOT NULL DEFAULT 0,
            state VARCHAR(20) DEFAULT 'draft' CHECK (state IN ('draft', 'out')), shelf VARCHAR(9) DEFAULT (lower('A')),
            author_id INTEGER NOT NULL REFERENCES authors (id), series_id INTEGER REFERENCES books (id)
                ON DELETE SET NULL, place GEOMETRY DEFAULT 1, UNIQUE (author_id, title)
        );
        CREATE INDEX books_author ON books (author_id);
        CREATE INDEX books_pages_title ON books (pages, title);
        CREATE INDEX books_lower ON books (lower(title));
        CREATE TRIGGER books_kept AFTER DELETE ON books WHEN old.pages < 0 BEGIN SELECT RAISE(ABORT, 'no'); END;
    """,
    "postgresql": """
        CREATE TABLE authors (
            id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name varchar(80) NOT NULL UNIQUE, born date
        );
        CREATE TABLE books (
            id bigserial PRIMARY KEY, title varchar(200) NOT NULL, pages integer NOT NULL DEFAULT 0,
            state varchar(20) DEFAULT 'draft' CHECK (state IN ('draft', 'out')), shelf varchar(9) DEFAULT lower('A'),
            author_id bigint NOT NULL REFERENCES authors, series_id bigint REFERENCES books ON DELETE SET NULL,
            place inet DEFAULT '127.0.0.1', twice integer GENERATED ALWAYS AS (pages * 2) STORED,
            UNIQUE (author_id, title)
        );
        CREATE INDEX books_author ON books (author_id);
        CREATE INDEX books_pages_title ON books (pages, title);
        CREATE INDEX books_lower ON books (lower(title)) WHERE pages > 1;
        COMMENT ON COLUMN books.pages IS 'with the cover';
    """,
    "mysql": """
        CREATE TABLE authors (
            id BIGINT AUTO_INCREMENT PRIMARY KEY, name VARCHAR(80) NOT NULL UNIQUE, born DATE
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
        CREATE TABLE books (
            id BIGINT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(200) NOT NULL, pages INTEGER NOT NULL DEFAULT 0,
            state VARCHAR(20) DEFAULT 'draft', shelf VARCHAR(9) DEFAULT (lower('A')),
            author_id BIGINT NOT NULL, series_id BIGINT, place SET('here', 'there') DEFAULT 'here',
            CONSTRAINT known_state CHECK (state IN ('draft', 'out')),
            CONSTRAINT by_author FOREIGN KEY (author_id) REFERENCES authors (id),
            CONSTRAINT in_series FOREIGN KEY (series_id) REFERENCES books (id) ON DELETE SET NULL,
            UNIQUE (author_id, title), INDEX books_author (author_id), INDEX books_pages_title (pages, title)
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
    """,
}
OTHERS = {
    "sqlite": "CREATE TABLE invoices (id INTEGER PRIMARY KEY, book_id INTEGER REFERENCES books (id));",
    "postgresql": """
        CREATE TYPE paid AS ENUM ('no', 'yes');
        CREATE TABLE invoices (id serial PRIMARY KEY, book_id bigint REFERENCES books, paid paid);
    """,
    "mysql": """
        CREATE TABLE invoices (
            id BIGINT AUTO_INCREMENT PRIMARY KEY, book_id BIGINT, FOREIGN KEY (book_id) REFERENCES books (id)
        );
    """,
}
ROWS = """
    INSERT INTO authors (name) VALUES ('Ada'), ('Grace');
    INSERT INTO books (title, author_id) VALUES ('Notes', 1), ('Notes', 2);
"""
CONVERTED = {
    "sqlite": """
        CREATE TABLE books (
            id INTEGER PRIMARY KEY, title TEXT NOT NULL UNIQUE, price NUMERIC(10, 2) NOT NULL DEFAULT 9.5, ratio REAL,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        );
        CREATE TRIGGER count_books AFTER INSERT ON books BEGIN UPDATE books SET ratio = 2 WHERE id = new.id; END;
        INSERT INTO books (title, price, created_at) VALUES ('Notes', 12.25, '2020-01-02 03:04:05');
    """,
    "postgresql": """
        CREATE TYPE state AS ENUM ('draft', 'out');
        CREATE TABLE books (
            id serial PRIMARY KEY, title text NOT NULL UNIQUE, price numeric(10, 2) NOT NULL DEFAULT 9.5, ratio real,
            state state NOT NULL DEFAULT 'draft', extra json, read_at timestamp,
            created_at timestamp DEFAULT CURRENT_TIMESTAMP
        );
        INSERT INTO books (title, price, ratio, extra, read_at, created_at)
            VALUES ('Notes', 12.25, 2, '{"a": 1}', '2026-01-31 12:00', '2020-01-02 03:04:05');
    """,
    "mysql": """
        CREATE TABLE books (
            id INTEGER UNSIGNED AUTO_INCREMENT PRIMARY KEY, title VARCHAR(100) NOT NULL UNIQUE,
            price DECIMAL(10, 2) NOT NULL DEFAULT 9.5, ratio FLOAT, state ENUM('draft', 'out') NOT NULL DEFAULT 'draft',
            created_at DATETIME DEFAULT CURRENT_TIMESTAMP, parent_id INTEGER UNSIGNED,
            FOREIGN KEY (parent_id) REFERENCES books (id) ON DELETE CASCADE
        ) CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci;
        INSERT INTO books (title, price, ratio, created_at) VALUES ('Notes', 12.25, 2, '2020-01-02 03:04:05');
    """,
}
# What the service shows of its row.
SHOWN: dict[str, object] = {
    "id": 1,
    "title": "Notes",
    "price": "12.25",
    "ratio": 2.0,
    "created_at": "2020-01-02T03:04:05Z",
}
SHOWN_BESIDE: dict[str, dict[str, object]] = {
    "sqlite": {},
    "postgresql": {"state": "draft", "extra": {"a": 1}, "read_at": "2026-01-31T12:00:00Z"},
    "mysql": {"state": "draft", "parent_id": None},
}

WITH_TAGS = {
    "sqlite": ("INTEGER PRIMARY KEY", "INTEGER"),
    "postgresql": ("bigserial PRIMARY KEY", "bigint"),
    "mysql": ("BIGINT AUTO_INCREMENT PRIMARY KEY", "BIGINT"),
}
TAGGED = """
    CREATE TABLE books (id {key}, title VARCHAR(200) NOT NULL UNIQUE, series_id {kind},
        FOREIGN KEY (series_id) REFERENCES books (id) ON DELETE RESTRICT){options};
    CREATE TABLE book_tags (book_id {kind} NOT NULL, tag_id {kind} NOT NULL, PRIMARY KEY (book_id, tag_id),
        FOREIGN KEY (book_id) REFERENCES books (id) ON DELETE CASCADE,
        FOREIGN KEY (tag_id) REFERENCES tags (id) ON DELETE CASCADE){options};
    INSERT INTO tags (name) VALUES ('new');
    INSERT INTO books (title) VALUES ('Notes');
    INSERT INTO book_tags (book_id, tag_id) SELECT books.id, tags.id FROM books, tags;
    INSERT INTO books (title, series_id) VALUES ('More notes', 1);
"""


def execute(url: str, script: str) -> None:
    """Execute statements that semicolons end, but for those in a trigger."""
    made = engine(url)
    with made.begin() as connection:
        for statement in re.split(r";\s*\n", script):
            if statement.strip():
                connection.execute(text(statement.replace(":", "\\:")))
    made.dispose()


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    made = engine(url)
    with made.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(query))]
    made.dispose()
    return found


def revisions(project: Path) -> set[str]:
    return {path.name for path in (project / "migrations/versions").glob("*.py")}


@pytest.fixture
def start(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_process: WarmProcess
) -> Callable[[str], Path]:
    """Copy the project, whose own database is at a URL, and whose commands run in the warm process."""

    def of(url: str) -> Path:
        copy = Path(shutil.copytree(project, tmp_path / "project", ignore=IGNORED))
        environment = {"DATABASE_URL": url, "TEST_DATABASE_URL": url}

        def run(folder: Path, step: Step, *_: object) -> tuple[int, str]:
            command = [*(COMMAND if step.module == "pytest" else ["-m", step.module]), *step.arguments]
            child = warm_process.run(command, folder, environment, check=False)
            return child.status or 0, child.output

        monkeypatch.setattr(steps, "_run", run)
        monkeypatch.setenv("DATABASE_URL", url)
        return copy

    return of


@pytest.fixture
def passes(warm_process: WarmProcess) -> Callable[[Path, str, tuple[str, ...]], bool]:
    """Run the tests of imported resources, those of the migrations and those of the tables, in one process."""

    def run(project: Path, url: str, names: tuple[str, ...]) -> bool:
        paths = [*(f"tests/{name}" for name in names), "tests/test_migrations.py", "tests/test_tables.py"]
        return " passed" in run_tests(warm_process, project, {"TEST_DATABASE_URL": url}, *paths).output

    return run


def run(project: Path, *arguments: str, command: str = "import") -> Result:
    result = CliRunner().invoke(app, ["resource", command, *arguments, "--project", str(project), "--force"])
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def done(project: Path, *arguments: str, command: str = "import") -> str:
    result = run(project, *arguments, command=command)
    assert (result.exit_code, result.stderr) == (0, ""), result.stdout + result.stderr
    return result.stdout


@pytest.mark.each_database
@pytest.mark.mixin(*choices("mixins"))
def test_tables_that_add_made_are_imported_without_a_second_revision(
    variant: Variant,
    project: Path,
    new_database: NewDatabase,
    tmp_path: Path,
    start: Callable[[str], Path],
    passes: Callable[[Path, str, tuple[str, ...]], bool],
    warm_process: WarmProcess,
) -> None:
    first = Path(shutil.copytree(project, tmp_path / "first", ignore=IGNORED))
    fields = [field.replace(":search", "") for field in [*BOOKS, *REFERENCES]]
    added = (
        resource("books", *fields),
        resource("order_items", *ORDER_ITEMS, unique=(("name", "book"), ("code",))),
    )
    for one in added:
        add(first, one)
    with new_database() as url:
        made = Alembic(warm_process, first, url)
        made("upgrade head", "revision --autogenerate -m 'Add books'", "upgrade head")
        with calling(warm_process, first, {"DATABASE_URL": url}, tmp_path, path="") as client:
            services = records_of(client, url, variant, added)
            for records in services:
                fill(records)
            before = [records.listed() for records in services]
        second = start(url)
        alembic = Alembic(warm_process, second, url)
        alembic("stamp --purge head")
        schema, known = schema_of(url), revisions(second)
        output = done(second, "order_items", "books", "--no-test")
        assert len(revisions(second) - known) == 1, output
        assert "no revision: the database stays as it is" in output, output
        assert schema_of(url) == schema
        alembic("check")
        with calling(warm_process, second, {"DATABASE_URL": url}, tmp_path, path="") as client:
            after = [records.listed() for records in records_of(client, url, variant, added)]
            left_out = NOT_TOLD.get(variant.database, set())
            for old, new in zip(before, after, strict=True):
                shown = old[0].keys() - left_out
                assert [{name: one[name] for name in shown} for one in new] == [
                    {name: one[name] for name in shown} for one in old
                ]
        assert passes(second, url, ("books", "order_items"))


def records_of(client: Client, url: str, variant: Variant, resources: Sequence[Resource]) -> list[Records]:
    """Give a way to the records of resources of a service."""
    document, mixins = client.get("/openapi.json").json(), frozenset(variant.mixins)
    blog, stored = Blog(client), Storage(engine(url), hides="soft_delete" in mixins)
    found: dict[str, Records] = {}
    for one in resources:
        found[one.names.plural] = Records(blog, stored, document, one, mixins, dict(found))
    return [*found.values()]


def fill(records: Records) -> None:
    """Make records with values at the edges of each type."""
    for values in records.rounds({member.name: member.values.valid for member in records.members}):
        body = records.body(**{name: sent for name, (sent, _) in values.items() if name != "code"})
        records.create(body, (201, 409))  # 0 and -0 are one, where a value is unique


@pytest.mark.each_database
@pytest.mark.base
def test_tables_of_others_keep_their_rows(
    variant: Variant,
    new_database: NewDatabase,
    tmp_path: Path,
    start: Callable[[str], Path],
    passes: Callable[[Path, str, tuple[str, ...]], bool],
    warm_process: WarmProcess,
    mypy_cache: Path,
) -> None:
    with new_database() as url:
        project = start(url)
        alembic = Alembic(warm_process, project, url)
        alembic("upgrade head")
        execute(url, LIKE_OURS[variant.database])
        execute(url, OTHERS[variant.database] + ROWS)
        output = done(project, "books", "authors", "--no-test")
        assert "title:str:200 pages:int=0 state:enum?:draft,out=draft" in output
        assert rows(url, "SELECT title, pages, state, author_id FROM books ORDER BY id") == [
            ("Notes", 0, "draft", 1),
            ("Notes", 0, "draft", 2),
        ]
        alembic("check")
        if variant.database == "sqlite":
            kept = "SELECT name FROM sqlite_master WHERE name IN ('books_kept', 'books_lower') ORDER BY name"
            assert rows(url, kept) == [("books_kept",), ("books_lower",)]
        changes = ("+note:str?", "title:str:300", "state:enum?:draft,out,lost=draft")
        done(project, "books", *changes, "--no-test", command="change")
        alembic("check")
        assert passes(project, url, ("authors", "books"))
        check_code(project, mypy_cache)
        with calling(warm_process, project, {"DATABASE_URL": url}, tmp_path) as client:
            shown = client.get("/books", params={"author_id": 2}).json()["items"]
            assert [(book["title"], book["state"], book["shelf"]) for book in shown] == [("Notes", "draft", "a")]
            created = client.post("/authors", json={"name": "Edsger"})
            assert (created.status_code, created.json()["id"]) == (201, 3)
            assert client.post("/authors", json={"name": "Ada"}).status_code == 409
            assert client.delete("/authors/1").status_code == 409


@pytest.mark.each_database
@pytest.mark.base
def test_conversion_is_left_to_be_read(
    variant: Variant,
    new_database: NewDatabase,
    tmp_path: Path,
    start: Callable[[str], Path],
    passes: Callable[[Path, str, tuple[str, ...]], bool],
    warm_process: WarmProcess,
) -> None:
    with new_database() as url:
        project = start(url)
        alembic = Alembic(warm_process, project, url)
        alembic("upgrade head")
        execute(url, CONVERTED[variant.database])
        before = schema_of(url)
        output = done(project, "books")
        assert "Read the first revision, which changes columns: books." in output
        again = "Make count_books again, as the first revision does, if this one copies books without it"
        assert (again in output) == (variant.database == "sqlite")
        assert schema_of(url) == before
        alembic("upgrade head", "revision --autogenerate -m 'Complete import books'", "upgrade head", "check")
        assert passes(project, url, ("books",))
        with calling(warm_process, project, {"DATABASE_URL": url}, tmp_path) as client:
            (book,) = client.get("/books").json()["items"]
            assert {name: value for name, value in book.items() if name != "updated_at"} == {
                **SHOWN,
                **SHOWN_BESIDE[variant.database],
            }
            assert client.post("/books", json={"title": "More", "price": "1"}).status_code == 201
        with pytest.raises(Exception, match="books has rows, and stays"):
            alembic("downgrade base")
        assert rows(url, "SELECT title FROM books ORDER BY id") == [("Notes",), ("More",)]


@pytest.mark.each_database
@pytest.mark.mixin("soft_delete", "timestamps")
def test_rows_get_what_mixins_need(
    variant: Variant,
    new_database: NewDatabase,
    tmp_path: Path,
    start: Callable[[str], Path],
    passes: Callable[[Path, str, tuple[str, ...]], bool],
    warm_process: WarmProcess,
) -> None:
    key, kind = WITH_TAGS[variant.database]
    options = " CHARACTER SET utf8mb4 COLLATE utf8mb4_bin" if variant.database == "mysql" else ""
    with new_database() as url:
        project = start(url)
        alembic = Alembic(warm_process, project, url)
        alembic("upgrade head")
        execute(url, TAGGED.format(key=key, kind=kind, options=options))
        output = done(project, "books", "--no-test")
        assert "books title:str:200:unique series:ref?:books tags:many:tags\n" in output
        assert "series_id: rows stay when theirs of books is deleted; with ON DELETE CASCADE they would go" in output
        assert "deleted_at, deletion_id: the revision adds what soft_delete needs" in output
        alembic("check")
        assert passes(project, url, ("books",))
        with calling(warm_process, project, {"DATABASE_URL": url}, tmp_path) as client:
            book, later = client.get("/books").json()["items"]
            tags = [tag["id"] for tag in client.get("/tags").json()["items"]]
            assert (book["title"], book["tag_ids"], book["created_at"][:2]) == ("Notes", tags, "20")
            etag = {"If-Match": client.get(f"/books/{book['id']}").headers["etag"]}
            assert client.delete(f"/books/{book['id']}", headers=etag).status_code == 204
            assert client.get("/books").json()["items"] == [later]
            assert client.post("/books", json={"title": "Notes"}).status_code == 201


SQLITE = Variant("sqlite", "sync", "orm", ("timestamps",))
ID = "id INTEGER PRIMARY KEY"


@pytest.mark.parametrize(
    ("script", "names", "message"),
    [
        (
            f"CREATE TABLE books ({ID}, pages INT)",
            ["boks"],
            "Name tables of the database, such as books: boks isn't one.",
        ),
        ("", ["books"], "Give another database with --from: this one has no table books, nor any other to import."),
        (
            f"CREATE TABLE users ({ID}, pages INT)",
            ["users"],
            "Leave out users: app.users.models has this table already.",
        ),
        (f"CREATE TABLE fish ({ID}, pages INT)", ["fish"], "Give the name of one record: --singular NAME"),
        (
            "CREATE TABLE books (pages INT)",
            ["books"],
            "Leave out books: its primary key is none, and has to be `id` alone.",
        ),
        (
            "CREATE TABLE books (a INT, b INT, c INT, PRIMARY KEY (a, b))",
            ["books"],
            "Leave out books: its primary key is a, b, and has to be `id` alone.",
        ),
        (
            "CREATE TABLE books (id CHAR(36) PRIMARY KEY, pages INT)",
            ["books"],
            "Leave out books: its id is CHAR(36), and has to be an integer.",
        ),
        (
            "CREATE TABLE books (id BIGINT PRIMARY KEY, pages INT)",
            ["books"],
            "Let the database generate the id of books first: a new row has to get one.",
        ),
        (
            f"CREATE TABLE books ({ID}, pages INT, list INT NOT NULL)",
            ["books"],
            "Let books.list be null, or give it a default: no field can have this name",
        ),
        (
            f"CREATE TABLE books ({ID}, pages INT, x)",
            ["books"],
            "Leave out books: SQLAlchemy doesn't know the type of x.",
        ),
        (
            f"CREATE TABLE books ({ID}, author_id INT REFERENCES authors);\nCREATE TABLE authors ({ID}, name TEXT)",
            ["books"],
            "Name authors too: books.author_id refers to it.",
        ),
        (
            (
                f"CREATE TABLE books ({ID}, author_id INT REFERENCES authors);\n"
                f"CREATE TABLE authors ({ID}, book_id INT REFERENCES books)"
            ),
            ["books", "authors"],
            "Import one without the other, with its reference dropped: authors, books refer to each other",
        ),
        (
            (
                f"CREATE TABLE books ({ID}, pages INT);\nCREATE TABLE a_b (book_id INT"
                " REFERENCES books ON DELETE CASCADE, tag_id INT REFERENCES tags ON DELETE CASCADE,"
                " PRIMARY KEY (book_id, tag_id))"
            ),
            ["books", "a_b"],
            "Leave out a_b: an association is called as in book_tags with book_id and tag_id",
        ),
        (f"CREATE TABLE requests ({ID}, pages INT)", ["requests"], "Give the resource another name, or --singular"),
        (f"CREATE TABLE books ({ID})", ["books"], "Leave out books: none of its columns can be a field."),
    ],
)
def test_what_cannot_be_is_refused(
    rendered: Render, tmp_path: Path, script: str, names: list[str], message: str
) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    execute(url, script + ";\n" if script else "SELECT 1")
    project = rendered(SQLITE)
    before = files_of(project)
    result = run(project, *names, "--from", url)
    assert result.exit_code == 2
    assert result.stderr.startswith(message), result.stderr
    assert files_of(project) == before


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "CREATE VIEW short AS SELECT * FROM Books WHERE pages < 100;\nCREATE VIEW shorter AS SELECT * FROM short",
            "Drop the views short, shorter first, and make them again afterwards: SQLite can't copy a table they use.",
        ),
        (
            "CREATE TRIGGER spread AFTER INSERT ON users BEGIN INSERT INTO books (pages) VALUES (1); END",
            "Drop the trigger spread first, and make it again afterwards: SQLite can't copy a table it uses.",
        ),
    ],
)
def test_what_keeps_sqlite_from_copying_a_table_is_refused(
    copied: Render, monkeypatch: pytest.MonkeyPatch, script: str, message: str
) -> None:
    project = copied(SQLITE)
    url = f"sqlite:///{project / 'own.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    tables = f"CREATE TABLE books ({ID}, pages INT);\nCREATE TABLE users ({ID}, bookshelf INT);\n"
    view = "CREATE VIEW others AS SELECT bookshelf AS books FROM users;\n"
    own = "CREATE TRIGGER own AFTER INSERT ON books BEGIN UPDATE books SET pages = 1; END;\n"
    execute(url, f"{tables}{view}{own}{script};\n")
    before = files_of(project)
    result = run(project, "books")
    assert (result.exit_code, result.stderr) == (2, message + "\n")
    assert files_of(project) == before


def test_trigger_between_imported_tables_is_refused(copied: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    project = copied(SQLITE)
    url = f"sqlite:///{project / 'own.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    trigger = "CREATE TRIGGER spread AFTER INSERT ON journals BEGIN UPDATE books SET pages = 1; END"
    execute(url, f"CREATE TABLE books ({ID}, pages INT);\nCREATE TABLE journals ({ID}, pages INT);\n{trigger};\n")
    assert run(project, "books", "journals").stderr.startswith("Drop the trigger spread first, and make it again")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("nonsense", "--from is not the URL of a SQLite, PostgreSQL or MySQL database"),
        ("postgresql://localhost/shop", "Move the data first, with `move-data`: the project is on sqlite"),
        ("sqlite:////nowhere/app.db", "The database is not a file"),
    ],
)
def test_url_that_cannot_be_is_refused(rendered: Render, url: str, message: str) -> None:
    result = run(rendered(SQLITE), "books", "--from", url)
    assert (result.exit_code, result.stderr[: len(message)]) == (2, message)


def test_own_database_is_that_of_the_environment_or_of_dotenv(
    copied: Render, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    project = copied(SQLITE)
    refused = run(project, "books")
    assert refused.stderr == (
        "Give the database with --from URL: neither the environment nor .env here has DATABASE_URL.\n"
    )
    (project / ".env").write_text("# DATABASE_URL=no\nDATABASE_URL='sqlite:///./own.db'  \n", encoding="utf-8")
    execute(f"sqlite:///{project / 'own.db'}", f"CREATE TABLE books ({ID}, title VARCHAR(9))")
    assert "+app/books/models.py" not in run(project, "books", "--dry-run").stdout
    result = run(project, "books", "--dry-run")
    assert (result.exit_code, result.stderr.splitlines()) == (
        0,
        ["books title:str?:9", "  created_at, updated_at: the revision adds what timestamps needs"],
    )
    other = f"sqlite:///{tmp_path / 'other.db'}"
    execute(other, f"CREATE TABLE books ({ID}, title VARCHAR(9))")
    assert run(project, "books", "--dry-run", "--from", other).stderr.endswith(
        "This isn't the project's own database: there, the tables are made, without rows.\n"
    )


def test_collation_of_sqlite_is_a_change(copied: Render, monkeypatch: pytest.MonkeyPatch) -> None:
    project = copied(SQLITE)
    url = f"sqlite:///{project / 'own.db'}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setattr(steps, "_run", lambda *_: (1, "nothing is to run"))
    execute(url, f"CREATE TABLE books ({ID}, title VARCHAR(9) /* , */ COLLATE NOCASE NOT NULL, code VARCHAR(9))")
    result = run(project, "books", "--no-test")
    assert result.exit_code == 0
    changed = "Read the first revision, which changes columns: "
    assert [line.strip() for line in result.stdout.splitlines() if changed in line] == [
        f"{changed}books.title: VARCHAR(9) COLLATE NOCASE NOT NULL becomes VARCHAR(9)"
    ]
    assert "Run it: " in result.stdout


def test_dry_run_shows_the_diff_and_writes_nothing(rendered: Render, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    execute(
        url,
        f"CREATE TABLE books ({ID}, title VARCHAR(9) NOT NULL);\n"
        f"CREATE TABLE tags ({ID});\nCREATE TABLE book_tags (book_id INTEGER REFERENCES books ON DELETE CASCADE,"
        " tag_id INTEGER REFERENCES tags ON DELETE CASCADE, PRIMARY KEY (book_id, tag_id))",
    )
    project = rendered(SQLITE)
    before = files_of(project)
    result = run(project, "books", "--from", url, "--dry-run")
    assert result.exit_code == 0
    assert "books title:str:9 tags:many:tags\n" in result.stderr
    assert "+++ b/app/books/models.py" in result.stdout
    assert re.search(r"\+\+\+ b/migrations/versions/\d{8}_\d{6}_import_books\.py", result.stdout)
    assert files_of(project) == before
