"""Reads the whole schema of a database from its catalogue, as lines that two databases can be compared by.

SQLAlchemy's reflection, and so `alembic check`, misses changed CHECKs, computed expressions, collations and predicates
of indexes. What the server itself says leaves nothing out.
"""

import re

from sqlalchemy import Connection, text

from tests.harness.servers import engine

POSTGRESQL = """
SELECT 'column', c.relname || '.' || a.attname, concat_ws(' ', format_type(a.atttypid, a.atttypmod),
       CASE WHEN a.attnotnull THEN 'NOT NULL' END, a.attidentity, a.attgenerated, pg_get_expr(d.adbin, d.adrelid),
       (SELECT collname FROM pg_collation l JOIN pg_type t ON t.oid = a.atttypid
        WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
     LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
  AND a.attnum > 0 AND NOT a.attisdropped
UNION ALL
SELECT 'constraint', conrelid::regclass || '.' || conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL
SELECT 'index', tablename || '.' || indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'trigger', tgrelid::regclass || '.' || tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
UNION ALL
SELECT 'function', proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace
  AND prokind = 'f'
UNION ALL
SELECT 'enum', typname, (SELECT string_agg(enumlabel, ',' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid)
FROM pg_type t WHERE typnamespace = 'public'::regnamespace AND typtype = 'e'
"""


def schema_of(url: str) -> set[str]:
    """Give one line for each column, constraint, index, trigger and function in the database at `url`.

    Alembic's own table of the version is left out.
    """
    made = engine(url)
    read = {"sqlite": _sqlite, "postgresql": _postgresql, "mysql": _mysql}[made.dialect.name]
    with made.connect() as connection:
        lines = read(connection)
    return {line for line in lines if "alembic_version" not in line}


def _postgresql(connection: Connection) -> list[str]:
    return [" ".join(map(str, row)) for row in connection.execute(text(POSTGRESQL))]


def _mysql(connection: Connection) -> list[str]:
    lines = []
    for name in connection.execute(text("SHOW TABLES")).scalars().all():
        statement = connection.execute(text(f"SHOW CREATE TABLE `{name}`")).one()[1]
        body = re.sub(r" AUTO_INCREMENT=\d+| CHARACTER SET utf8mb4(?= COLLATE utf8mb4_)", "", statement)
        lines += [f"{name}: {line.strip().rstrip(',')}" for line in body.splitlines()]
    triggers = "SELECT trigger_name, event_object_table, action_statement FROM information_schema.triggers"
    rows = connection.execute(text(f"{triggers} WHERE trigger_schema = DATABASE()"))
    return lines + [f"trigger {' '.join(map(str, row))}" for row in rows]


def _sqlite(connection: Connection) -> list[str]:
    rows = connection.execute(
        text("SELECT type, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")
    )
    lines = []
    for kind, name, statement in rows:
        flat = re.sub(r"(?<=\() | (?=\))", "", re.sub(r"\s+", " ", statement.replace('"', "")).strip())
        if kind == "table" and "(" in flat and not flat.upper().startswith("CREATE VIRTUAL"):
            inside, _, options = flat.partition("(")[2].rpartition(")")
            lines += [f"{name}: {part}" for part in [*split_at_commas(inside), options.strip()]]
        else:
            lines.append(f"{kind} {flat}")
    return lines


def split_at_commas(inside: str) -> list[str]:
    """Split the inside of a CREATE TABLE at the commas that stand in no brackets and no quotes."""
    parts, depth, quoted = [""], 0, False
    for character in inside:
        quoted ^= character == "'"
        depth += 0 if quoted else (character == "(") - (character == ")")
        if character == "," and not depth and not quoted:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts]
