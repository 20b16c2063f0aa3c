import pytest
from sqlalchemy.orm import RelationshipProperty, configure_mappers

from app.db.base import Base
from app.tables import metadata


def relationships() -> list[RelationshipProperty[object]]:
    configure_mappers()
    return [each for mapper in Base.registry.mappers for each in mapper.relationships]


@pytest.mark.parametrize("relationship", relationships(), ids=str)
def test_a_relationship_is_loaded_on_purpose(relationship: RelationshipProperty[object]) -> None:
    assert relationship.lazy == "raise"


def test_every_mapped_table_is_known_to_the_migrations() -> None:
    assert {mapper.local_table for mapper in Base.registry.mappers} <= set(metadata.tables.values())
