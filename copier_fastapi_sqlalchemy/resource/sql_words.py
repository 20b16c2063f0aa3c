"""Words that a database reserves, and that SQLAlchemy doesn't put into quotes."""

from collections.abc import Iterable, Iterator

# Found by making a table and a column of each word that PostgreSQL 18, MySQL 9, MariaDB 10.11 and SQLite list.
WORDS = {
    "postgresql": "collation concurrently lateral system_user tablesample",
    "mysql": "delete_domain_id external library master_demote_to_replica master_demote_to_slave portion tablesample",
    "sqlite": "nothing returning",
}
WORDS_OF_TABLES = {"mysql": "value"}  # in MariaDB
DATABASES = {"postgresql": "PostgreSQL", "mysql": "MySQL or MariaDB", "sqlite": "SQLite"}


def reserved_tables(database: str, names: Iterable[str]) -> Iterator[str]:
    """Give the names that a table can't have."""
    words = f"{WORDS[database]} {WORDS_OF_TABLES.get(database, '')}".split()
    return (name for name in names if name in words)


def reserved_columns(database: str, names: Iterable[str]) -> Iterator[str]:
    """Give the names that a column can't have."""
    return (name for name in names if name in WORDS[database].split())
