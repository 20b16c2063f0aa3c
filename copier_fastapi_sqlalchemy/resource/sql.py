"""Statements of SQL for a revision that Alembic doesn't write."""

import re
from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import Dialect
from sqlalchemy.dialects import mysql, postgresql, sqlite

from copier_fastapi_sqlalchemy.resource.code import read_text
from copier_fastapi_sqlalchemy.resource.fields import Field

DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.dialect(),
    "postgresql": postgresql.dialect(),  # type: ignore[no-untyped-call]
    "mysql": mysql.dialect(),
}
SEARCH = "app/db/search.py"


def quoted(name: str, database: str) -> str:
    """Give a name as SQL has it."""
    return DIALECTS[database].identifier_preparer.quote(name)


def drop_search(table: str, database: str) -> tuple[str, ...]:
    """Give the statements that drop what the full-text search of a table is made of, but for indexes of MySQL."""
    if database == "postgresql":
        return (f"ALTER TABLE {quoted(table, database)} DROP COLUMN search",)  # its index goes with it
    search = f"{table}_search"
    triggers = [quoted(f"{search}_{change}", database) for change in ("insert", "delete", "update")]
    return (
        *(f"DROP TRIGGER IF EXISTS {name}" for name in triggers),
        f"DROP TABLE IF EXISTS {quoted(search, database)}",
    )


def search_vector(folder: Path, table: str, fields: Sequence[Field]) -> tuple[str, str]:
    """Give the statements that add PostgreSQL's vector of words, computed as app/db/search.py computes it."""
    settings = dict(
        re.findall(r"""^(CONFIGURATION|UNSPACED) = r?"([^"\n]*)"$""", read_text(folder, SEARCH), re.MULTILINE)
    )
    configuration, unspaced = settings.get("CONFIGURATION", "simple"), settings.get("UNSPACED", "")
    parts = []
    for number, field in enumerate(fields):
        text = quoted(field.name, "postgresql") + ("" if field.type == "text" else "::text")
        if field.nullable:
            text = f"coalesce({text}, ''::text)"
        if unspaced:
            text = rf"regexp_replace({text}, '([{unspaced}])', ' \1 ', 'g')"
        weight = "D" if number else "A"
        parts.append(f"""setweight(to_tsvector('{configuration}'::regconfig, {text}), '{weight}'::"char")""")
    name = quoted(table, "postgresql")
    return (
        f"ALTER TABLE {name} ADD COLUMN search TSVECTOR GENERATED ALWAYS AS ({' || '.join(parts)}) STORED",
        f"CREATE INDEX {quoted(f'ix_{table}_search', 'postgresql')} ON {name} USING gin (search)",
    )
