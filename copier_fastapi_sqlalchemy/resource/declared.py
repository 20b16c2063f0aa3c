"""Tables that are imported, as the models of a project declare them."""

from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import render_python_code
from alembic.operations.ops import CreateIndexOp, CreateTableOp, UpgradeOps
from alembic.runtime.migration import MigrationContext

from copier_fastapi_sqlalchemy.resource.column_view import FieldView
from copier_fastapi_sqlalchemy.resource.declared_types import key_type, mixin_column, plain, server_default, type_of
from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.project import Answers
from copier_fastapi_sqlalchemy.resource.reflection import IndexInfo, TableInfo
from copier_fastapi_sqlalchemy.resource.sql import quoted
from copier_fastapi_sqlalchemy.resource.understanding import Imported, Kept, column_name

# As app/db/metadata.py has it.
NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Declared:
    """The tables as the project's models declare them, but for columns that the tables don't have."""

    def __init__(
        self, imports: Sequence[Imported], answers: Answers, dialect: sa.Dialect, kept_enums: Collection[str]
    ) -> None:
        """Take the tables, in the order of their references, and the enums of PostgreSQL that others use."""
        self.dialect, self.kept_enums = dialect, kept_enums
        self.imports, self.answers, self.database = imports, answers, answers.database
        self.metadata = sa.MetaData(naming_convention=NAMES)
        self.renamed: dict[str, list[tuple[str, IndexInfo, sa.Index | sa.UniqueConstraint]]] = {}
        for one in imports:
            self._add(one.table, one)
            for association in one.associations:
                self._add(association, None)

    @cached_property
    def infos(self) -> list[TableInfo]:
        """The tables as the database has them, in the order of their references."""
        return list(chain.from_iterable((one.table, *one.associations) for one in self.imports))

    @property
    def tables(self) -> list[sa.Table]:
        """The tables as they are declared."""
        return [self.metadata.tables[info.name] for info in self.infos]

    def _add(self, info: TableInfo, one: Imported | None) -> None:
        fields = {column_name(field): field for field in one.resource.fields} if one else {}
        kept = {kept.column: kept for kept in one.kept} if one else {}
        table = sa.Table(info.name, self.metadata)
        for name, column in info.columns.items():
            table.append_column(
                self._column(name, column, one, fields.get(name), kept.get(name)), replace_existing=True
            )
        if not one:
            table.append_constraint(sa.PrimaryKeyConstraint(*info.key))
        for reference in info.references:
            self._add_reference(table, reference)
        self.renamed[info.name] = []
        for index in info.indexes:
            self._add_index(table, index, is_extra=bool(one and index in one.extra_indexes))
        for name in one.enum_checks if one else ():
            self._add_check(table, one, fields[name])  # type: ignore[arg-type]
        for name, field in fields.items():
            if one and field.type == "enum" and name not in one.enum_checks:
                self._add_check(table, one, field)

    def _column(
        self, name: str, column: Any, one: Imported | None, field: Field | None, kept: Kept | None
    ) -> sa.Column[Any]:
        comment = column.get("comment")
        if name == "id" or one is None:
            return sa.Column(name, key_type(self.database), primary_key=name == "id", nullable=False)
        if one and name in one.mixin_columns:
            return mixin_column(name, self.database)
        default = server_default(column, field, self.database)
        if kept or field is None:
            computed = column.get("computed")
            arguments = [sa.Computed(computed["sqltext"], persisted=computed.get("persisted"))] if computed else []
            return sa.Column(
                name,
                plain(column["type"]),
                *arguments,
                nullable=column["nullable"],
                server_default=default,
                comment=comment,
            )
        kind = sa.Text() if one and name in one.long_texts else type_of(field, self.database)
        return sa.Column(name, kind, nullable=column["nullable"], server_default=default, comment=comment)

    def _add_reference(self, table: sa.Table, reference: Any) -> None:
        target = reference["referred_table"]
        if target not in self.metadata.tables:
            sa.Table(target, self.metadata, sa.Column("id", key_type(self.database), primary_key=True))
        columns = [f"{target}.{name}" for name in reference["referred_columns"]]
        options = {name: value for name, value in reference.get("options", {}).items() if value is not None}
        table.append_constraint(sa.ForeignKeyConstraint(reference["constrained_columns"], columns, **options))

    def _add_index(self, table: sa.Table, index: IndexInfo, *, is_extra: bool) -> None:
        columns = [table.c[name] for name in index.columns]
        if is_extra and index.name:
            options = dict(index.options)
            if index.where:
                options[f"{self.database}_where"] = sa.text(index.where)
            if index.is_constraint:
                table.append_constraint(sa.UniqueConstraint(*columns, name=sa.schema.conv(index.name)))
            else:
                parts = [sa.text(part) for part in index.expressions] or columns
                sa.Index(sa.schema.conv(index.name), *parts, unique=index.is_unique, _table=table, **options)
            return
        made: sa.Index | sa.UniqueConstraint
        if index.is_unique and not index.where:
            made = sa.UniqueConstraint(*columns)
            table.append_constraint(made)
        else:
            where: dict[str, Any] = {f"{self.database}_where": sa.text(index.where)} if index.where else {}
            made = sa.Index(None, *columns, unique=index.is_unique, **where)
        self.renamed[table.name].append((self.name(made), index, made))

    def _add_check(self, table: sa.Table, one: Imported, field: Field) -> None:
        view = FieldView(field, one.names, self.answers)
        values = ", ".join("'" + member.replace("'", "''") + "'" for member in field.arguments)
        condition = f"{quoted(column_name(field), self.database)} IN ({values})"
        table.append_constraint(sa.CheckConstraint(condition, name=view.enum_name.lower()))

    def name(self, constraint: sa.Constraint | sa.Index) -> str:
        """Give the name that the project's convention gives a constraint or index."""
        preparer = self.dialect.identifier_preparer
        if isinstance(constraint, sa.Index):
            return preparer.format_index(constraint).strip('"`')
        return str(preparer.format_constraint(constraint)).strip('"`')

    def checks(self, table: sa.Table) -> Iterator[sa.CheckConstraint]:
        """Give the CHECKs of a table's enums."""
        return (one for one in table.constraints if isinstance(one, sa.CheckConstraint))

    def creation(self, table: sa.Table) -> str:
        """Give the code that creates a table with its indexes."""
        indexes = sorted(table.indexes, key=lambda index: str(index.name))
        operations = [CreateTableOp.from_table(table), *map(CreateIndexOp.from_index, indexes)]
        context = MigrationContext.configure(dialect=self.dialect)
        code = render_python_code(UpgradeOps(operations), migration_context=context)
        return "\n".join(line for line in code.splitlines() if "# ###" not in line)
