import pytest
from sqlalchemy.orm import RelationshipProperty, configure_mappers

from app.db.base import Base


def relationships() -> list[RelationshipProperty[object]]:
    configure_mappers()
    return [each for mapper in Base.registry.mappers for each in mapper.relationships]


@pytest.mark.parametrize("relationship", relationships(), ids=str)
def test_relationship_refuses_lazy_loads(relationship: RelationshipProperty[object]) -> None:
    assert relationship.lazy == "raise"
