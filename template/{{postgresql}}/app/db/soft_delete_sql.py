"""The SQL of soft deletion that differs by the database, for PostgreSQL."""

from sqlalchemy import ColumnElement, ForeignKey, Index, Select, Subquery, Table, select

from app.db.metadata import metadata


def unique_among_live(table_name: str, *column_names: str) -> None:
    """Keep the values of one or more columns unique, together, but for those of deleted rows."""
    table = metadata.tables[table_name]
    live = table.c.deleted_at.is_(None)
    Index(None, *(table.c[name] for name in column_names), unique=True, postgresql_where=live)


def select_keys(table: Table, condition: ColumnElement[bool]) -> Select[int]:
    """Return a query for the keys of rows, for an update of the rows that belong to these."""
    return select(table.c.id).where(condition)


def select_deleted_owners(key: ForeignKey) -> Subquery:
    """Return the deleted rows that a foreign key can refer to, for an update of its table."""
    owner = key.column.table
    columns = (owner.c.id, owner.c.deleted_at, owner.c.deletion_id)
    return select(*columns).where(owner.c.deleted_at.is_not(None)).subquery()
