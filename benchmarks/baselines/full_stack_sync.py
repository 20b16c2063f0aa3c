"""The shape of fastapi/full-stack-fastapi-template, written by us for this benchmark.

Sync routes on psycopg, a session for each request by a dependency with `yield`, functions that write and commit, a
look for the address before an insert, and pages with a count. SQLAlchemy's ORM stands where it has SQLModel; its login,
its CORS and its Sentry are left out.
"""

import os
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, HTTPException
from sqlalchemy import create_engine, func, orm, select
from sqlalchemy.orm import joinedload, selectinload

from benchmarks.baselines import models, schemas

engine = create_engine(os.environ["DATABASE_URL"])
router = APIRouter(prefix="/api/v1")


class PostsWithCount(schemas.Posts):
    count: int


def get_db() -> Iterator[orm.Session]:
    with orm.Session(engine) as session:
        yield session


Session = Annotated[orm.Session, Depends(get_db)]


def get_user_by_email(*, session: orm.Session, email: str) -> models.User | None:
    return session.scalars(select(models.User).where(models.User.email == email)).first()


def create_user(*, session: orm.Session, new: schemas.UserCreate) -> models.User:
    user = models.User(**new.model_dump())
    session.add(user)
    session.commit()
    session.refresh(user)
    return user


@router.get("/users/{user_id}", response_model=schemas.User)
def read_user(user_id: int, session: Session) -> Any:
    user = session.get(models.User, user_id, options=[joinedload(models.User.profile)])
    if user is None:
        raise HTTPException(status_code=404, detail="User not found")
    return user


@router.get("/posts", response_model=PostsWithCount)
def read_posts(session: Session, skip: int = 0, limit: int = 20) -> Any:
    count = session.scalars(select(func.count()).select_from(models.Post)).one()
    statement = (
        select(models.Post)
        .options(selectinload(models.Post.tags))
        .order_by(models.Post.created_at.desc(), models.Post.id.desc())
        .offset(skip)
        .limit(limit)
    )
    return {"items": session.scalars(statement).all(), "count": count}


@router.post("/users", response_model=schemas.User, status_code=201)
def add_user(new: schemas.UserCreate, session: Session) -> Any:
    if get_user_by_email(session=session, email=new.email):
        raise HTTPException(status_code=400, detail="A user with this email exists")
    user = create_user(session=session, new=new)
    return {**{column.key: getattr(user, column.key) for column in models.User.__table__.columns}, "profile": None}


app = FastAPI()
app.include_router(router)
