"""The shape of benavlabs/FastAPI-boilerplate, written by us for this benchmark.

Async routes on asyncpg that call a service, which calls a CRUD class as FastCRUD is one: it selects the columns of a
schema, gives dictionaries, counts with each page, and looks whether a row exists before an insert. The pool has its
defaults: 20 connections, each checked before use. Its sessions, caches, middleware and logs are left out.
"""

import os
from collections import defaultdict
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from pydantic import BaseModel
from sqlalchemy import func, inspect, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from benchmarks.baselines import models, schemas

engine = create_async_engine(os.environ["DATABASE_URL"], pool_size=20, max_overflow=0, pool_pre_ping=True)
sessions = async_sessionmaker(engine, expire_on_commit=False)
router = APIRouter(prefix="/api/v1")
profile_columns = [getattr(models.Profile, name).label(f"profile_{name}") for name in schemas.Profile.model_fields]


class PostsWithCount(schemas.Posts):
    total_count: int


class Crud:
    def __init__(self, model: type[models.Base], schema: type[BaseModel]) -> None:
        self.model = model
        self.names = [column.key for column in inspect(model).column_attrs]
        self.columns = [getattr(model, name) for name in schema.model_fields if name in self.names]

    async def exists(self, db: AsyncSession, **filters: Any) -> bool:
        return (await db.execute(select(self.model).filter_by(**filters).limit(1))).first() is not None

    async def count(self, db: AsyncSession) -> int:
        return await db.scalar(select(func.count()).select_from(self.model)) or 0

    async def create(self, db: AsyncSession, new: BaseModel) -> dict[str, Any]:
        row = self.model(**new.model_dump())
        db.add(row)
        await db.commit()
        await db.refresh(row)
        return {name: getattr(row, name) for name in self.names}

    async def get_multi(self, db: AsyncSession, offset: int, limit: int, *order: Any) -> dict[str, Any]:
        statement = select(*self.columns).order_by(*order).offset(offset).limit(limit)
        rows = [dict(row) for row in (await db.execute(statement)).mappings()]
        return {"data": rows, "total_count": await self.count(db)}


crud_users, crud_posts = Crud(models.User, schemas.User), Crud(models.Post, schemas.Post)


class UserService:
    async def get(self, user_id: int, db: AsyncSession) -> dict[str, Any]:
        statement = (
            select(*crud_users.columns, *profile_columns)
            .outerjoin_from(models.User, models.Profile)
            .where(models.User.id == user_id)
        )
        row = (await db.execute(statement)).mappings().first()
        if row is None:
            raise HTTPException(status_code=404, detail="User not found")
        profile = {name: row[f"profile_{name}"] for name in schemas.Profile.model_fields}
        return {**row, "profile": profile if profile["bio"] is not None else None}

    async def create(self, new: schemas.UserCreate, db: AsyncSession) -> dict[str, Any]:
        if await crud_users.exists(db, email=new.email):
            raise HTTPException(status_code=409, detail="Email already registered")
        return {**await crud_users.create(db, new), "profile": None}


class PostService:
    async def get_paginated(self, skip: int, limit: int, db: AsyncSession) -> dict[str, Any]:
        order = models.Post.created_at.desc(), models.Post.id.desc()
        page = await crud_posts.get_multi(db, skip, limit, *order)
        tagged = (
            select(models.post_tags.c.post_id, models.Tag.name)
            .join(models.Tag)
            .where(models.post_tags.c.post_id.in_([post["id"] for post in page["data"]]))
            .order_by(models.Tag.name)
        )
        tags = defaultdict(list)
        for post_id, name in await db.execute(tagged):
            tags[post_id].append(name)
        items = [{**post, "tags": tags[post["id"]]} for post in page["data"]]
        return {"items": items, "total_count": page["total_count"]}


async def async_session() -> AsyncIterator[AsyncSession]:
    async with sessions() as db:
        yield db


def get_user_service() -> UserService:
    return UserService()


def get_post_service() -> PostService:
    return PostService()


Session = Annotated[AsyncSession, Depends(async_session)]
Users = Annotated[UserService, Depends(get_user_service)]
Posts = Annotated[PostService, Depends(get_post_service)]


@router.get("/users/{user_id}", response_model=schemas.User)
async def get_user(user_id: int, db: Session, users: Users) -> dict[str, Any]:
    return await users.get(user_id, db)


@router.get("/posts", response_model=PostsWithCount)
async def get_posts(db: Session, posts: Posts, skip: int = 0, limit: int = 20) -> dict[str, Any]:
    return await posts.get_paginated(skip, limit, db)


@router.post("/users", response_model=schemas.User, status_code=201)
async def create_user(new: schemas.UserCreate, db: Session, users: Users) -> dict[str, Any]:
    return await users.create(new, db)


app = FastAPI()
app.include_router(router)
