"""Columns of databases become fields, and what no field can express is said."""

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.project import Answers, Project
from copier_fastapi_sqlalchemy.resource.reflection import IndexInfo, TableInfo
from copier_fastapi_sqlalchemy.resource.understanding import Imported, Reader, literal, values_of


def understood(
    database: str,
    column: dict[str, Any],
    *,
    mixins: tuple[str, ...] = ("timestamps",),
    indexes: tuple[IndexInfo, ...] = (),
    checks: tuple[tuple[str, str], ...] = (),
    references: tuple[dict[str, Any], ...] = (),
) -> Imported:
    """Read a table with a column of a database beside its key and a title."""
    key = {"name": "id", "type": sa.INTEGER(), "nullable": False, "autoincrement": True, "default": "nextval('s')"}
    title = {"name": "title", "type": sa.VARCHAR(9), "nullable": False}
    columns: dict[str, Any] = {
        str(one["name"]): one for one in (key, title, {"name": "it", "nullable": False, **column})
    }
    table = TableInfo("books", columns, ("id",), "", references, indexes, checks, (), (), "", "", frozenset())
    project = Project(Path(), Answers(database, "sync", "orm", mixins), {}, {}, {})
    return Reader(table, names_of("books"), project, frozenset({"authors"})).read(())


@pytest.mark.parametrize(
    ("database", "kind", "field"),
    [
        ("postgresql", sa.VARCHAR(20), "it:str:20"),
        ("postgresql", sa.VARCHAR(), "it:text"),
        ("postgresql", sa.VARCHAR(20_000), "it:text"),
        ("postgresql", sa.TEXT(), "it:text"),
        ("postgresql", sa.CHAR(13), "it:str:13"),
        ("postgresql", sa.SMALLINT(), "it:int"),
        ("postgresql", sa.INTEGER(), "it:int"),
        ("postgresql", sa.BIGINT(), "it:bigint"),
        ("postgresql", sa.BOOLEAN(), "it:bool"),
        ("postgresql", sa.REAL(), "it:float"),
        ("postgresql", sa.DOUBLE_PRECISION(53), "it:float"),
        ("postgresql", sa.NUMERIC(10, 2), "it:decimal:10,2"),
        ("postgresql", sa.DATE(), "it:date"),
        ("postgresql", postgresql.TIMESTAMP(timezone=True), "it:datetime"),
        ("postgresql", postgresql.TIME(), "it:time"),
        ("postgresql", postgresql.INTERVAL(), "it:interval"),
        ("postgresql", sa.UUID(), "it:uuid"),
        ("postgresql", postgresql.JSON(), "it:json"),
        ("postgresql", postgresql.JSONB(), "it:json"),
        ("postgresql", postgresql.BYTEA(), "it:bytes"),
        ("postgresql", postgresql.ENUM("draft", "in-print", name="state"), "it:enum:draft,in-print"),
        ("postgresql", postgresql.ENUM("Draft", "In print", name="state"), "it:str:8"),
        ("mysql", mysql.TINYINT(display_width=1), "it:bool"),
        ("mysql", mysql.TINYINT(), "it:int"),
        ("mysql", mysql.INTEGER(unsigned=True), "it:bigint"),
        ("mysql", mysql.BIGINT(), "it:bigint"),
        ("mysql", mysql.BIGINT(unsigned=True), "it:bigint"),
        ("mysql", mysql.DOUBLE(), "it:float"),
        ("mysql", mysql.FLOAT(), "it:float"),
        ("mysql", mysql.DECIMAL(18, 4), "it:decimal:18,4"),
        ("mysql", mysql.DATETIME(fsp=6), "it:datetime"),
        ("mysql", mysql.TIMESTAMP(), "it:datetime"),
        ("mysql", mysql.TIME(), "it:time"),
        ("mysql", mysql.MEDIUMTEXT(), "it:text"),
        ("mysql", mysql.JSON(), "it:json"),
        ("mysql", mysql.BLOB(), "it:bytes"),
        ("mysql", sa.VARBINARY(9), "it:bytes"),
        ("mysql", mysql.ENUM("a", "b"), "it:enum:a,b"),
        ("sqlite", sa.REAL(), "it:float"),
        ("sqlite", sa.NUMERIC(10, 2), "it:decimal:10,2"),
        ("sqlite", sa.TIMESTAMP(), "it:datetime"),
        ("sqlite", sa.BLOB(), "it:bytes"),
    ],
)
def test_types_become_fields(database: str, kind: sa.types.TypeEngine[Any], field: str) -> None:
    fields = [field.text for field in understood(database, {"type": kind}).resource.fields]
    assert fields == ["title:str:9", field]
    nullable = understood(database, {"type": kind, "nullable": True}).resource.fields[-1]
    assert nullable.nullable


@pytest.mark.parametrize(
    ("database", "column", "reason"),
    [
        ("postgresql", {"type": postgresql.INET()}, "its type is INET"),
        ("postgresql", {"type": sa.ARRAY(sa.INTEGER())}, "its type is "),
        ("postgresql", {"type": postgresql.TIME(timezone=True)}, "its type is TIME"),
        ("postgresql", {"type": sa.NUMERIC()}, "its type is NUMERIC, and a decimal has up to 18 digits"),
        ("postgresql", {"type": sa.NUMERIC(20, 2)}, "its type is NUMERIC(20, 2), and a decimal has up to 18 digits"),
        ("mysql", {"type": mysql.BIT()}, "its type is BIT"),
        ("mysql", {"type": mysql.YEAR()}, "its type is YEAR"),
        ("mysql", {"type": mysql.SET("a")}, "its type is SET"),
        ("postgresql", {"name": "list", "type": sa.INTEGER()}, "no field can have this name"),
        ("postgresql", {"name": "etag", "type": sa.INTEGER()}, "no field can have this name"),
        ("postgresql", {"name": "version", "type": sa.INTEGER()}, "no field can have this name"),
        ("postgresql", {"name": "Upper", "type": sa.INTEGER()}, "no field can have this name"),
    ],
)
def test_what_no_field_can_express_is_kept_or_refused(database: str, column: dict[str, Any], reason: str) -> None:
    name = column.get("name", "it")
    made = understood(database, {**column, "nullable": True})
    assert [field.name for field in made.resource.fields] == ["title"]
    assert [kept.column for kept in made.kept] == [name]
    assert made.notes[0].startswith(f"{name}: {reason}")
    assert made.notes[0].endswith(": it is in the model, and in no body")
    assert understood(database, {**column, "default": "1"}).kept == made.kept
    with pytest.raises(Refusal, match=rf"^Let books\.{name} be null, or give it a default: "):
        understood(database, column)


@pytest.mark.parametrize(
    ("default", "value"),
    [
        ("'draft'::character varying", "draft"),
        ("'it''s'", "it's"),
        ("0", "0"),
        ("(-1.5)", "-1.5"),
        ("'1'", "1"),
        ("false", "false"),
        ("'{}'::jsonb", "{}"),
        ("'00:00:00'::time without time zone", "00:00:00"),
        ("now()", None),
        ("lower('A')", None),
        ("CURRENT_TIMESTAMP", None),
        ("1 + 2", None),
        ("'a' || 'b'", None),
    ],
)
def test_literal_defaults_are_read(default: str, value: str | None) -> None:
    assert literal(default) == value


@pytest.mark.parametrize(
    ("condition", "values"),
    [
        ("state IN ('draft', 'out')", ["draft", "out"]),
        ("\"state\" in ('draft')", ["draft"]),
        (
            "(state)::text = ANY ((ARRAY['draft'::character varying, 'out'::character varying])::text[])",
            ["draft", "out"],
        ),
        ("state::text = ANY (ARRAY['draft'::character varying, 'out'::character varying]::text[])", ["draft", "out"]),
        ("(state = ANY (ARRAY['a'::text, 'b'::text]))", ["a", "b"]),
        ("(`state` in (_utf8mb4'draft',_utf8mb4'out'))", ["draft", "out"]),
        ("(`state` in (_utf8mb4\\'draft\\',_utf8mb4\\'out\\'))", ["draft", "out"]),
        ("`state` in ('draft','out')", ["draft", "out"]),
        ("(state)::text = 'draft'::text", ["draft"]),
        ("state <> 'draft'", None),
        ("state IN ('draft', 'out') AND pages > 0", None),
        ("other IN ('draft', 'out')", None),
        ("length(state) > 3", None),
    ],
)
def test_values_of_a_check_are_read(condition: str, values: list[str] | None) -> None:
    assert values_of(condition, "state") == values


def test_default_that_is_no_literal_stays_for_others() -> None:
    made = understood("postgresql", {"type": sa.INTEGER(), "default": "random()"})
    assert (made.resource.fields[-1].default, made.notes[0]) == (
        None,
        "it: DEFAULT random() stays, for other programs: a body has to give a value",
    )


def test_mixins_columns_are_the_mixins_where_the_project_has_them() -> None:
    moment = {"name": "created_at", "type": postgresql.TIMESTAMP(timezone=True), "default": "now()"}
    with_mixin, without = understood("postgresql", moment), understood("postgresql", moment, mixins=())
    assert (with_mixin.mixin_columns, with_mixin.kept) == (("created_at",), ())
    assert ([kept.column for kept in without.kept], without.mixin_columns) == (["created_at"], ())


def test_unique_columns_and_indexes_become_options() -> None:
    number = {"type": sa.INTEGER()}
    unique = IndexInfo("a", ("it",), is_unique=True, is_constraint=True)
    plain, other = IndexInfo("b", ("it",), is_unique=False), IndexInfo("c", ("it", "title"), is_unique=False)
    together = IndexInfo("d", ("title", "it"), is_unique=True)
    live = IndexInfo("e", ("it",), is_unique=True, where="(deleted_at IS NULL)")
    assert understood("postgresql", number, indexes=(plain,)).resource.fields[-1].text == "it:int:index"
    made = understood("postgresql", number, indexes=(plain, unique, other, together))
    assert (made.resource.fields[-1].text, made.resource.unique) == ("it:int:unique", (("title", "it"),))
    assert made.extra_indexes == (plain, other)
    assert understood("postgresql", number, indexes=(live,)).extra_indexes == (live,)
    hidden = understood("postgresql", number, indexes=(live,), mixins=("soft_delete",))
    assert (hidden.resource.fields[-1].text, hidden.extra_indexes) == ("it:int:unique", ())


@pytest.mark.parametrize(
    ("options", "nullable", "field"),
    [
        ({}, False, "author:ref:authors:restrict"),
        ({"ondelete": "NO ACTION"}, False, "author:ref:authors:restrict"),
        ({"ondelete": "CASCADE"}, False, "author:ref:authors"),
        ({"ondelete": "SET NULL"}, True, "author:ref?:authors"),
        ({"ondelete": "CASCADE"}, True, "author:ref?:authors:cascade"),
    ],
)
def test_foreign_keys_become_references(options: dict[str, str], nullable: bool, field: str) -> None:  # noqa: FBT001
    column = {"name": "author_id", "type": sa.BIGINT(), "nullable": nullable}
    key = {"constrained_columns": ["author_id"], "referred_table": "authors", "referred_columns": ["id"]}
    references = ({**key, "options": options},)
    assert understood("postgresql", column, references=references).resource.fields[-1].text == field


@pytest.mark.parametrize("options", [{}, {"ondelete": "RESTRICT"}])
@pytest.mark.parametrize(("nullable", "field"), [(False, "author:ref:authors"), (True, "author:ref?:authors")])
def test_reference_that_refuses_deletions_stays_with_soft_delete(
    options: dict[str, str],
    nullable: bool,  # noqa: FBT001
    field: str,
) -> None:
    column = {"name": "author_id", "type": sa.BIGINT(), "nullable": nullable}
    key = {"constrained_columns": ["author_id"], "referred_table": "authors", "referred_columns": ["id"]}
    made = understood("postgresql", column, references=({**key, "options": options},), mixins=("soft_delete",))
    assert made.resource.fields[-1].text == field
    assert "author_id: rows stay when theirs of authors is deleted; with ON DELETE CASCADE they would go with it" in (
        made.notes
    )


@pytest.mark.parametrize("name", ["password", "reset_token", "api_key", "password_hash"])
def test_secrets_are_in_no_response(name: str) -> None:
    made = understood("postgresql", {"name": name, "type": sa.VARCHAR(80)})
    assert made.resource.fields[-1].text == f"{name}:str:80:secret"
    assert made.notes[0].startswith(f"{name}: in no response")
