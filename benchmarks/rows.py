"""Fills the database of a rendered project with users, tags and posts, by SQL."""

from typing import Any

from sqlalchemy import MetaData, Table, text

from tests.harness.servers import engine

USERS, TAGS, BATCH = 1_000, 50, 10_000
# How many posts hold each word: a fixed number, or one in so many.
RARE_POSTS, MIDDLE_SHARE, FREQUENT_SHARE = 10, 1000, 100
WORDS = {"rare": "quartz", "middle": "lantern", "frequent": "harbour"}

NUMBERS = """
    WITH digits (d) AS (
        SELECT 0 UNION ALL SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3 UNION ALL SELECT 4
        UNION ALL SELECT 5 UNION ALL SELECT 6 UNION ALL SELECT 7 UNION ALL SELECT 8 UNION ALL SELECT 9
    ), numbers (n) AS (
        SELECT :first + a.d * 1000 + b.d * 100 + c.d * 10 + e.d FROM digits a, digits b, digits c, digits e
    )"""
POST = """
    (id, author_id, title, content, published, created_at, updated_at) {numbers}
    SELECT n, 1 + n % :users, 'Post ' || n || ' on word' || (n % 997),
        'word' || (n * 31 % 5003) || ' word' || (n * 37 % 4999) || ' word' || (n * 41 % 3001)
        || CASE WHEN n % :rare = 0 THEN ' quartz' ELSE '' END
        || CASE WHEN n % :middle = 1 THEN ' lantern' ELSE '' END
        || CASE WHEN n % :frequent = 0 THEN ' harbour' ELSE '' END
        || :padding,
        true, {timestamp}, {timestamp} FROM numbers"""
INSERTS = {
    "users": "(id, email, name, role, is_active, preferences) {numbers}"
    " SELECT n, 'user' || n || '@example.com', 'User ' || n, 'reader', true, '{{}}' FROM numbers",
    "profiles": "(user_id, bio) {numbers} SELECT n, 'Writes.' FROM numbers",
    "tags": "(id, name) {numbers} SELECT n, 'tag' || n FROM numbers",
    "posts": POST,
    "post_tags": "(post_id, tag_id) {numbers} SELECT n, 1 + (n + m) % :tags"
    " FROM numbers, (SELECT 0 AS m UNION ALL SELECT 7) AS pairs",
}
TIMESTAMP = {  # of post n: n seconds after 2020 began
    "sqlite": "datetime('2020-01-01', n || ' seconds') || '.000000'",
    "postgresql": "TIMESTAMPTZ '2020-01-01 00:00:00+00' + n * INTERVAL '1 second'",
    "mysql": "TIMESTAMP '2020-01-01 00:00:00' + INTERVAL n SECOND",
}
# Foreign keys aren't checked, as the rows are known to be right.
SETTINGS = {
    "sqlite": (),
    "postgresql": ("session_replication_role = replica", "maintenance_work_mem = '512MB'"),
    "mysql": ("sql_mode = 'PIPES_AS_CONCAT'", "foreign_key_checks = 0", "unique_checks = 0"),
}
ANALYZE = {"sqlite": "ANALYZE", "postgresql": "VACUUM ANALYZE", "mysql": "ANALYZE TABLE"}


def fill(url: str, posts: int, padding: str = "") -> None:
    """Write users with profiles, tags, and posts with two tags each; a post's content ends with `padding`."""
    database = engine(url)
    name = database.dialect.name
    counts = {"users": USERS, "profiles": USERS, "tags": TAGS, "posts": posts, "post_tags": posts}
    values: dict[str, Any] = {"users": USERS, "tags": TAGS, "rare": max(1, posts // RARE_POSTS), "padding": padding}
    values |= {"middle": MIDDLE_SHARE, "frequent": FREQUENT_SHARE}
    with database.begin() as connection:
        for setting in SETTINGS[name]:
            connection.execute(text(f"SET {setting}"))
        table = Table("posts", MetaData(), autoload_with=connection, resolve_fks=False)
        search_indexes = [index for index in table.indexes if any(index.dialect_kwargs.values())]
        for index in search_indexes:  # faster to build once the rows are there
            index.drop(connection)
        for target, count in counts.items():
            select = INSERTS[target].format(numbers=NUMBERS, timestamp=TIMESTAMP[name])
            statement = text(f"INSERT INTO {target} {select} WHERE n <= :last ORDER BY n")
            used = {key: value for key, value in values.items() if f":{key}" in select}
            for first in range(1, count + 1, BATCH):
                connection.execute(statement, {"first": first, "last": count, **used})
        for index in search_indexes:
            index.create(connection)
        if name == "postgresql":
            for target in ("users", "tags", "posts"):
                sequence = f"SELECT setval('{target}_id_seq', max(id)) FROM {target}"  # noqa: S608 - names from above
                connection.execute(text(sequence))
    with database.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        for target in INSERTS:
            connection.execute(text(f"{ANALYZE[name]} {target}"))
