"""A number that counts the writes to a record."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Mapped, declared_attr, mapped_column


class VersionMixin:
    """Adds `version`, which a flush compares, and which bulk and Core updates raise too."""

    version: Mapped[int] = mapped_column(
        default=1, onupdate=text("version + 1"), server_default="1", sort_order=102
    )

    @declared_attr.directive
    @classmethod
    def __mapper_args__(cls) -> dict[str, Any]:
        return {"version_id_col": cls.version}
