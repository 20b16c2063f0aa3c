"""The types and defaults with which a project declares the columns of fields and mixins."""

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import mysql, postgresql
from sqlalchemy.types import TypeEngine

from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.fill import literal_of
from copier_fastapi_sqlalchemy.resource.types import length_of
from copier_fastapi_sqlalchemy.resource.understanding import LIVE_COLUMN, literal

ENUM_LENGTH = 20


def key_type(database: str) -> TypeEngine[Any]:
    """Give the type of generated keys, and of references to them."""
    return sa.Integer() if database == "sqlite" else sa.BigInteger()


def moment_type(database: str) -> TypeEngine[Any]:
    """Give the type of moments."""
    return {
        "sqlite": sa.DateTime(),
        "postgresql": sa.DateTime(timezone=True),
        "mysql": mysql.DATETIME(fsp=6),
    }[database]


def type_of(field: Field, database: str) -> TypeEngine[Any]:
    """Give the type of the column of a field."""
    kinds: dict[str, TypeEngine[Any]] = {
        "text": sa.Text(),
        "int": sa.Integer(),
        "bigint": sa.BigInteger(),
        "bool": sa.Boolean(),
        "float": sa.Double(),
        "date": sa.Date(),
        "datetime": moment_type(database),
        "time": mysql.TIME(fsp=6) if database == "mysql" else sa.Time(),
        "interval": sa.Interval(),  # on PostgreSQL alone: elsewhere a table has a number
        "uuid": sa.Uuid(),
        "json": postgresql.JSONB() if database == "postgresql" else sa.JSON(),
        "bytes": sa.LargeBinary(),
        "ref": key_type(database),
    }
    if field.type == "str":
        return sa.String(length_of(field))
    if field.type == "enum":
        return sa.String(max(ENUM_LENGTH, *map(len, field.arguments)))
    if field.type == "decimal":
        digits, decimals = map(int, field.arguments)
        return sa.BigInteger() if database == "sqlite" else sa.Numeric(digits, decimals)
    return kinds[field.type]


def mixin_column(name: str, database: str) -> sa.Column[Any]:
    """Give a column of a mixin, as its class declares it."""
    now = {
        "sqlite": "(strftime('%Y-%m-%d %H:%M:%f000', 'now'))",
        "postgresql": "now()",
        "mysql": "(UTC_TIMESTAMP(6))",
    }
    if name in {"created_at", "updated_at"}:
        return sa.Column(name, moment_type(database), server_default=sa.text(now[database]), nullable=False)
    if name == "version":
        return sa.Column(name, sa.Integer(), server_default="1", nullable=False)
    if name == LIVE_COLUMN:
        return sa.Column(name, sa.Boolean(), sa.Computed("CASE WHEN deleted_at IS NULL THEN 1 END"))
    return sa.Column(name, sa.BigInteger() if name == "deletion_id" else moment_type(database))


def server_default(column: Any, field: Field | None, database: str) -> str | sa.TextClause | None:
    """Give the default of a column as it is declared: a literal as its text, an expression as it is."""
    if column.get("default") is None or column.get("computed"):
        return None
    text = str(column["default"])
    found = literal(text)
    if field and field.type == "decimal" and database == "sqlite":  # which has a whole number there
        return None if field.default is None else sa.text(literal_of(field, field.default, database))
    if found is None:
        is_bare = database == "sqlite" and not text.startswith("(")
        return sa.text(f"({text})" if is_bare else text)
    return found if "'" in text else sa.text(found)


def default_sql(column: sa.Column[Any]) -> str:
    """Give the SQL of a column's default."""
    default = column.server_default
    if not isinstance(default, sa.DefaultClause):
        raise TypeError(f"{column} has no default")
    if isinstance(default.arg, str):
        return "'" + default.arg.replace("'", "''") + "'"
    return str(default.arg)


def plain(kind: TypeEngine[Any]) -> TypeEngine[Any]:
    """Give a type without what MySQL says of its character set and of how wide it is shown."""
    changed = kind.copy() if hasattr(kind, "copy") else kind
    if changed is kind:
        changed = kind.adapt(type(kind))
    for name in ("collation", "charset"):
        if hasattr(changed, name):
            setattr(changed, name, None)
    is_bool = isinstance(changed, mysql.TINYINT) and changed.display_width == 1
    if hasattr(changed, "display_width") and not is_bool:
        changed.display_width = None
    return changed


def normal(text: str) -> str:
    """Give the name of a type as all that mean the same have it."""
    text = re.sub(r"^DECIMAL|^DEC\b", "NUMERIC", text)
    text = re.sub(r"^TINYINT\(1\)$|^BOOLEAN$", "BOOL", text)
    return re.sub(r"^INT\b", "INTEGER", re.sub(r"^(DOUBLE PRECISION|FLOAT\(53\))$", "DOUBLE", text))
