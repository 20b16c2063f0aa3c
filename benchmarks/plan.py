"""Writes out how a database finds the posts that hold a word: the plan of the statement that the service sends.

Run as `python plan.py WORD` in the folder of an asynchronous service.
"""

import asyncio
import sys
from importlib import import_module
from typing import Any

from sqlalchemy import Engine, event

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN "}


async def main() -> None:
    """Search, note the first statement of it, and have it explained."""
    statements: list[tuple[str, Any]] = []
    database = import_module("app.main").open_database(import_module("app.settings").load_settings())
    query = import_module("app.posts.schemas").SearchQuery(q=sys.argv[1])
    async with database.begin() as db:
        connection = await db.connection() if hasattr(db, "add") else db
        event.listen(Engine, "before_cursor_execute", lambda *call: statements.append(call[2:4]))
        await import_module("app.posts.repository").PostRepository(db).search(query)
        statement, parameters = statements[0]
        explain = EXPLAIN.get(connection.dialect.name, "EXPLAIN ")
        for row in await connection.exec_driver_sql(explain + statement, parameters):
            sys.stdout.write(" ".join(map(str, row)) + "\n")
    await database.dispose()


asyncio.run(main())
