"""The limit: Starlette and asyncpg, with SQL and JSON written by hand."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.baselines.sql import INSERT, POSTS, TAGS, USER, open_pool


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    app.state.pool = await open_pool()
    yield
    await app.state.pool.close()


def json_response(body: Any, status: int = 200) -> Response:
    return Response(json.dumps(body, separators=(",", ":")), status, media_type="application/json")


def record(row: asyncpg.Record) -> dict[str, Any]:
    return {
        "id": row["id"],
        "created_at": row["created_at"].isoformat(),
        "updated_at": row["updated_at"].isoformat(),
    }


async def read_user(request: Request) -> Response:
    row = await request.app.state.pool.fetchrow(USER, int(request.path_params["id"]))
    if row is None:
        return json_response({"detail": "Not found"}, 404)
    profile = None if row["profile_id"] is None else {"bio": row["bio"], "avatar_url": row["avatar_url"]}
    names = ("email", "name", "role", "is_active", "preferences")
    return json_response({**record(row), **{name: row[name] for name in names}, "profile": profile})


async def list_posts(request: Request) -> Response:
    limit = int(request.query_params.get("limit", "20"))
    async with request.app.state.pool.acquire() as connection:
        rows = await connection.fetch(POSTS, limit)
        tagged = await connection.fetch(TAGS, [row["id"] for row in rows])
    tags: dict[int, list[str]] = {row["id"]: [] for row in rows}
    for tag in tagged:
        tags[tag["post_id"]].append(tag["name"])
    names = ("author_id", "title", "published")
    items = [{**record(row), **{name: row[name] for name in names}, "tags": tags[row["id"]]} for row in rows]
    return json_response({"items": items, "next_cursor": None})


async def create_user(request: Request) -> Response:
    body = await request.json()
    values = {"role": "reader", "is_active": True, "preferences": {}, **body}
    names = ("email", "name", "role", "is_active", "preferences")
    row = await request.app.state.pool.fetchrow(INSERT, *(values[name] for name in names))
    return json_response({**record(row), **{name: values[name] for name in names}, "profile": None}, 201)


app = Starlette(
    lifespan=lifespan,
    routes=[
        Route("/api/v1/users/{id:int}", read_user),
        Route("/api/v1/posts", list_posts),
        Route("/api/v1/users", create_user, methods=["POST"]),
    ],
)
