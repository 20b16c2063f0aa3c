"""The textbook: FastAPI and SQLAlchemy's ORM, synchronous, as their tutorials write it."""

import os
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException
from sqlalchemy import create_engine, orm, select
from sqlalchemy.orm import joinedload, selectinload, sessionmaker

from benchmarks.yardsticks import bodies, models

engine = create_engine(os.environ["DATABASE_URL"])
sessions = sessionmaker(engine, expire_on_commit=False)
app = FastAPI()


def get_session() -> Iterator[orm.Session]:
    """Give a session for a request."""
    with sessions() as session:
        yield session


Session = Annotated[orm.Session, Depends(get_session)]


@app.get("/api/v1/users/{user_id}", response_model=bodies.User)
def read_user(user_id: int, session: Session) -> Any:
    """Read a user by its key."""
    user = session.get(models.User, user_id, options=[joinedload(models.User.profile)])
    if user is None:
        raise HTTPException(status_code=404, detail="User not found")
    return user


@app.get("/api/v1/posts", response_model=bodies.Posts)
def list_posts(session: Session, limit: int = 20) -> Any:
    """Read a page of posts with their tags."""
    statement = (
        select(models.Post)
        .options(selectinload(models.Post.tags))
        .order_by(models.Post.created_at.desc(), models.Post.id.desc())
        .limit(limit)
    )
    result = session.execute(statement)
    return {"items": result.scalars().all()}


@app.post("/api/v1/users", response_model=bodies.User, status_code=201)
def create_user(body: bodies.UserCreate, session: Session) -> Any:
    """Insert a user."""
    user = models.User(**body.model_dump(), profile=None)
    session.add(user)
    session.commit()
    session.refresh(user, ["created_at", "updated_at"])
    return user
