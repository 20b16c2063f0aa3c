from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from app.db.base import Entity


class Tag(Entity):
    __tablename__ = "tags"

    name: Mapped[str] = mapped_column(String(50), unique=True)

    def __repr__(self) -> str:
        return f"Tag(id={self.id!r}, name={self.name!r})"
