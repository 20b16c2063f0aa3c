"""The textbook: FastAPI and SQLAlchemy's Core, asynchronous, as their tutorials write it."""

import os
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from benchmarks.baselines import models, schemas

engine = create_async_engine(os.environ["DATABASE_URL"])
app = FastAPI()
tables = models.Base.metadata.tables
users, profiles, posts, tags, post_tags = (tables[n] for n in ("users", "profiles", "posts", "tags", "post_tags"))


async def get_connection() -> AsyncIterator[AsyncConnection]:
    async with engine.connect() as connection:
        yield connection


Connection = Annotated[AsyncConnection, Depends(get_connection)]


@app.get("/api/v1/users/{user_id}", response_model=schemas.User)
async def read_user(user_id: int, connection: Connection) -> Any:
    statement = select(users, profiles).outerjoin_from(users, profiles).where(users.c.id == user_id)
    row = (await connection.execute(statement)).mappings().one_or_none()
    if row is None:
        raise HTTPException(status_code=404, detail="User not found")
    return {**row, "profile": row if row["user_id"] is not None else None}


@app.get("/api/v1/posts", response_model=schemas.Posts)
async def list_posts(connection: Connection, limit: int = 20) -> Any:
    statement = select(posts).order_by(posts.c.created_at.desc(), posts.c.id.desc()).limit(limit)
    rows = (await connection.execute(statement)).mappings().all()
    tagged = (
        select(post_tags.c.post_id, tags.c.name)
        .join(tags, tags.c.id == post_tags.c.tag_id)
        .where(post_tags.c.post_id.in_([row["id"] for row in rows]))
        .order_by(tags.c.name)
    )
    tags_of = defaultdict(list)
    for row in (await connection.execute(tagged)).mappings():
        tags_of[row["post_id"]].append(row["name"])
    return {"items": [{**row, "tags": tags_of[row["id"]]} for row in rows]}


@app.post("/api/v1/users", response_model=schemas.User, status_code=201)
async def create_user(body: schemas.UserCreate, connection: Connection) -> Any:
    result = await connection.execute(insert(users).values(**body.model_dump()))
    key: Any = result.inserted_primary_key
    result = await connection.execute(select(users).where(users.c.id == key[0]))
    user = result.mappings().one()
    await connection.commit()
    return {**user, "profile": None}
