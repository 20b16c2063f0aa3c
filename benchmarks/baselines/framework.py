"""The framework: FastAPI and its response models on asyncpg, with SQL written by hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import asyncpg
from fastapi import Depends, FastAPI, HTTPException, Request

from benchmarks.baselines.schemas import Posts, User, UserCreate
from benchmarks.baselines.sql import INSERT, POSTS, TAGS, USER, open_pool


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.pool = await open_pool()
    yield
    await app.state.pool.close()


app = FastAPI(lifespan=lifespan)


def get_pool(request: Request) -> asyncpg.Pool:
    pool: asyncpg.Pool = request.app.state.pool
    return pool


Pool = Annotated[asyncpg.Pool, Depends(get_pool)]


@app.get("/api/v1/users/{user_id}", response_model=User)
async def read_user(user_id: int, pool: Pool) -> dict[str, Any]:
    row = await pool.fetchrow(USER, user_id)
    if row is None:
        raise HTTPException(404)
    profile = None if row["profile_id"] is None else {"bio": row["bio"], "avatar_url": row["avatar_url"]}
    return {**row, "profile": profile}


@app.get("/api/v1/posts", response_model=Posts)
async def list_posts(pool: Pool, limit: int = 20) -> dict[str, Any]:
    async with pool.acquire() as connection:
        rows = await connection.fetch(POSTS, limit)
        tagged = await connection.fetch(TAGS, [row["id"] for row in rows])
    tags: dict[int, list[str]] = {row["id"]: [] for row in rows}
    for tag in tagged:
        tags[tag["post_id"]].append(tag["name"])
    return {"items": [{**row, "tags": tags[row["id"]]} for row in rows]}


@app.post("/api/v1/users", response_model=User, status_code=201)
async def create_user(body: UserCreate, pool: Pool) -> dict[str, Any]:
    row = await pool.fetchrow(INSERT, body.email, body.name, body.role, body.is_active, body.preferences)
    return {**body.model_dump(), **row, "profile": None}
