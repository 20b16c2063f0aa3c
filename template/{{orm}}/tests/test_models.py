import pytest
from sqlalchemy.orm import RelationshipProperty, configure_mappers

from app.db.base import Base
from app.tables import metadata


def relationships() -> list[RelationshipProperty[object]]:
    configure_mappers()
    return [each for mapper in Base.registry.mappers for each in mapper.relationships]


@pytest.mark.parametrize("relationship", relationships(), ids=str)
def test_relationship_refuses_lazy_loads(relationship: RelationshipProperty[object]) -> None:
    assert relationship.lazy == "raise"


def test_metadata_has_every_mapped_table() -> None:
    assert {mapper.local_table for mapper in Base.registry.mappers} <= set(metadata.tables.values())
