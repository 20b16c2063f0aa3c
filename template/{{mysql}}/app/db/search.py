"""Full-text search: indexes of words, which see a row once it is committed.

Words that the server leaves out are never found: its stopwords, such as "the", and those of fewer
than `innodb_ft_min_token_size` characters, three by default.
"""

import re
from typing import Any, TypeVar, cast
from unicodedata import category, normalize

from sqlalchemy import Column, Index, Select, String
from sqlalchemy.dialects.mysql import match

from app.db.metadata import metadata

# Words are found in any case, which the collation of the tables tells apart.
COLLATION = "utf8mb4_unicode_520_ci"
# With "ngram", which MariaDB lacks, any two or more characters in a row are found, inside of words
# too: for scripts without spaces between words.
PARSER = ""

ACCENTS = re.compile(r"[\u0300-\u036F]")

SelectT = TypeVar("SelectT", bound=Select[*tuple[Any, ...]])

_columns: dict[str, list[Column[Any]]] = {}


def make_searchable(table_name: str, title: str, *others: str) -> None:
    """Let the texts of columns of a table be found, the first before the others."""
    columns = [metadata.tables[table_name].c[name] for name in (title, *others)]
    for column in columns:
        text = cast("String", column.type)
        column.type = text.adapt(type(text), collation=COLLATION)
    options: dict[str, Any] = {"mysql_prefix": "FULLTEXT"}
    if PARSER:
        options["mysql_with_parser"] = PARSER
    Index(None, columns[0], **options)
    if others:
        Index(None, *columns, **options)
    _columns[table_name] = columns


def ranked(statement: SelectT, table_name: str, words: str) -> SelectT:
    """Return the statement for the rows alone that hold any of the words, the best first."""
    table = metadata.tables[table_name]
    columns = _columns[table_name]
    # MySQL counts the rows of a word twice where it is asked for twice, and ranks them wrongly.
    terms = list({_folded(word): word for word in _words_of(words)}.values())
    in_title, anywhere = _match(columns[:1], terms), _match(columns, terms)
    matching = statement.where(anywhere > 0)
    return matching.order_by((in_title > 0).desc(), anywhere.desc(), table.c.id.desc())


def _words_of(text: str) -> list[str]:
    """Return the words of a text: letters and digits with their marks, such as vowel signs."""
    words = "".join(c if c == "_" or category(c)[0] in "LNM" else " " for c in text).split()
    return [word for word in words if re.search(r"\w", word)]


def _folded(word: str) -> str:
    """Return a word without what the collation takes as equal: case and accents."""
    return ACCENTS.sub("", normalize("NFD", word)).casefold()


def _match(columns: list[Column[Any]], terms: list[str]) -> match:
    if PARSER:  # in natural language mode a word is found by any two characters of it
        return match(*columns, against=" ".join(f'"{term}"' for term in terms)).in_boolean_mode()
    return match(*columns, against=" ".join(terms)).in_natural_language_mode()
