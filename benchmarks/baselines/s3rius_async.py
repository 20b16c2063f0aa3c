"""The shape of s3rius/FastAPI-template, written by us for this benchmark.

Async routes on asyncpg, and a DAO class that gets its session from a dependency. The dependency commits when the route
is done, which is after the response was sent. Its access log is off; its metrics and traces are left out.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import joinedload, selectinload

from benchmarks.baselines import models, schemas

router = APIRouter(prefix="/api/v1")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    engine = create_async_engine(os.environ["DATABASE_URL"])
    app.state.session_factory = async_sessionmaker(engine, expire_on_commit=False)
    yield
    await engine.dispose()


async def get_session(request: Request) -> AsyncIterator[AsyncSession]:
    session: AsyncSession = request.app.state.session_factory()
    try:
        yield session
    finally:
        await session.commit()
        await session.close()


Session = Annotated[AsyncSession, Depends(get_session)]


class UserDAO:
    def __init__(self, session: Session) -> None:
        self.session = session

    async def get(self, user_id: int) -> models.User | None:
        return await self.session.get(models.User, user_id, options=[joinedload(models.User.profile)])

    async def create(self, **values: Any) -> models.User:
        user = models.User(**values, profile=None)
        self.session.add(user)
        await self.session.flush()
        return user


class PostDAO:
    def __init__(self, session: Session) -> None:
        self.session = session

    async def get_all(self, limit: int, offset: int) -> list[models.Post]:
        statement = (
            select(models.Post)
            .options(selectinload(models.Post.tags))
            .order_by(models.Post.created_at.desc(), models.Post.id.desc())
            .limit(limit)
            .offset(offset)
        )
        return list((await self.session.execute(statement)).scalars().fetchall())


@router.get("/users/{user_id}", response_model=schemas.User)
async def get_user(user_id: int, users: Annotated[UserDAO, Depends()]) -> Any:
    user = await users.get(user_id)
    if user is None:
        raise HTTPException(status_code=404, detail="User not found")
    return user


@router.get("/posts", response_model=schemas.Posts)
async def get_posts(posts: Annotated[PostDAO, Depends()], limit: int = 20, offset: int = 0) -> Any:
    return {"items": await posts.get_all(limit, offset)}


@router.post("/users", response_model=schemas.User, status_code=201)
async def create_user(new: schemas.UserCreate, users: Annotated[UserDAO, Depends()]) -> Any:
    return await users.create(**new.model_dump())


app = FastAPI(lifespan=lifespan)
app.include_router(router)
