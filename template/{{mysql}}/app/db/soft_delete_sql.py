"""The SQL of soft deletion that differs by the database, for MySQL.

An update can't read the table that it changes, but a copy of it: DISTINCT makes one.
"""

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Computed,
    ForeignKey,
    Select,
    Subquery,
    Table,
    UniqueConstraint,
    select,
)

from app.db.metadata import metadata


def unique_among_live(table_name: str, *column_names: str) -> None:
    """Keep the values of one or more columns unique, together, but for those of deleted rows.

    MySQL has no index of some rows: a column that is NULL for a deleted row keeps it apart.
    """
    table = metadata.tables[table_name]
    if "is_live" not in table.c:
        is_live = Computed("CASE WHEN deleted_at IS NULL THEN 1 END")
        table.append_column(Column("is_live", Boolean, is_live))
    table.append_constraint(UniqueConstraint(*column_names, "is_live"))


def select_keys(table: Table, condition: ColumnElement[bool]) -> Select[int]:
    """Return a query for the keys of rows, for an update of the rows that belong to these."""
    keys = select(table.c.id).where(condition).distinct().subquery()
    return select(keys.c.id)


def select_deleted_owners(key: ForeignKey) -> Subquery:
    """Return the deleted rows that a foreign key can refer to, for an update of its table."""
    owner = key.column.table
    columns = (owner.c.id, owner.c.deleted_at, owner.c.deletion_id)
    rows = select(*columns).where(owner.c.deleted_at.is_not(None))
    return (rows.distinct() if key.parent.table is owner else rows).subquery()
