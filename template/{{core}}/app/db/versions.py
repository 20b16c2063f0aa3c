"""A number that counts the writes to a record."""

from sqlalchemy import Column, Integer, Named, TypedColumns, text


class VersionColumns(TypedColumns):
    """Adds `version`, which every update statement raises."""

    version: Named[int] = Column(
        Integer, nullable=False, default=1, onupdate=text("version + 1"), server_default="1"
    )
