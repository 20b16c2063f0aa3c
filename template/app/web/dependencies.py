"""What a route can ask for as a parameter."""

from typing import Annotated

from fastapi import Depends, Request

from app.db.database import Database


async def get_database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


DatabaseDep = Annotated[Database, Depends(get_database)]
