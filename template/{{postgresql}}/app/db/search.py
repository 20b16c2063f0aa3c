"""Full-text search: a vector of words that the database keeps, weighted, and its index."""

import re
from typing import Any, TypeVar

from sqlalchemy import Column, Computed, Index, Select, Text, func
from sqlalchemy.dialects.postgresql import REGCONFIG, TSVECTOR, dialect
from sqlalchemy.sql.expression import literal

from app.db.metadata import metadata

# The words as they are, in any language; "english" and others reduce them to their stems.
CONFIGURATION = "simple"
# Characters that are words of their own, as scripts without spaces need. Of Thai, Japanese
# and Chinese: r"\u0E00-\u0E7F\u3040-\u30FF\u3400-\u9FFF".
UNSPACED = ""

# A quoted phrase, or what has a letter or a digit: a hyphen alone would exclude the word after it.
TERM = re.compile(r"""-?"[^"]*"|\S*\w\S*""")
# PostgreSQL takes each hyphen before a word as a "not", and fails where there are too many.
HYPHENS = re.compile(r"""-[^\w\s"]*-""")

SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])


def make_searchable(table_name: str, title: str, *others: str) -> None:
    """Let the texts of columns of a table be found, the first before the others."""
    table = metadata.tables[table_name]
    parts = [_weighted(table.c[title], "A"), *(_weighted(table.c[name], "D") for name in others)]
    table.append_column(Column("search", TSVECTOR, Computed(" || ".join(parts), persisted=True)))
    Index(None, table.c.search, postgresql_using="gin")


def ranked(statement: SelectT, table_name: str, words: str) -> SelectT:
    """Return the statement for the rows alone that hold the words, the best first."""
    table = metadata.tables[table_name]
    terms = " ".join(map(_spaced, TERM.findall(HYPHENS.sub(" ", words))))
    query = func.websearch_to_tsquery(literal(CONFIGURATION, REGCONFIG), terms)
    rank = func.ts_rank(table.c.search, query)
    matching = statement.where(table.c.search.bool_op("@@")(query))
    return matching.order_by(rank.desc(), table.c.id.desc())


def _spaced(term: str) -> str:
    """Return a term as a phrase where characters of it are words of their own."""
    if not UNSPACED or re.search(f"[{UNSPACED}]", term) is None:
        return term
    phrase = re.sub(f"([{UNSPACED}])", r" \1 ", term.strip('-"'))
    return f'-"{phrase}"' if term.startswith("-") else f'"{phrase}"'


def _weighted(column: Column[Any], weight: str) -> str:
    preparer = dialect().identifier_preparer  # type: ignore[no-untyped-call]
    name = preparer.quote(column.name)
    text = name if isinstance(column.type, Text) else f"{name}::text"
    if column.nullable:  # a vector that is NULL would hide the others
        text = f"coalesce({text}, ''::text)"
    if UNSPACED:
        text = rf"regexp_replace({text}, '([{UNSPACED}])', ' \1 ', 'g')"
    return f"setweight(to_tsvector('{CONFIGURATION}'::regconfig, {text}), '{weight}'::\"char\")"
