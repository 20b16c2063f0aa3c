"""The textbook: FastAPI and SQLAlchemy's ORM, synchronous, as their tutorials write it."""

import os
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import create_engine, orm, select
from sqlalchemy.orm import joinedload, selectinload, sessionmaker

from benchmarks.baselines import models, schemas

engine = create_engine(os.environ["DATABASE_URL"])
sessions = sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


def get_session() -> Iterator[orm.Session]:
    with sessions() as session:
        yield session


Session = Annotated[orm.Session, Depends(get_session)]


@app.get("/api/v1/users/{user_id}", response_model=schemas.User)
def read_user(user_id: int, session: Session) -> Any:
    user = session.get(models.User, user_id, options=[joinedload(models.User.profile)])
    if user is None:
        raise HTTPException(status_code=404, detail="User not found")
    return user


@app.get("/api/v1/posts", response_model=schemas.Posts)
def list_posts(session: Session, limit: int = 20) -> Any:
    statement = (
        select(models.Post)
        .options(selectinload(models.Post.tags))
        .order_by(models.Post.created_at.desc(), models.Post.id.desc())
        .limit(limit)
    )
    result = session.execute(statement)
    return {"items": result.scalars().all()}


@app.post("/api/v1/users", response_model=schemas.User, status_code=201)
def create_user(body: schemas.UserCreate, session: Session) -> Any:
    user = models.User(**body.model_dump(), profile=None)
    session.add(user)
    session.commit()
    session.refresh(user, ["created_at", "updated_at"])
    return user
