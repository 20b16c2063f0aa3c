import subprocess
import sys

import pytest
from sqlalchemy.orm import RelationshipProperty, configure_mappers

from app.db.base import Base

IMPORT_EACH = """
import importlib, pkgutil, sys, app

for module in pkgutil.walk_packages(app.__path__, "app."):
    if module.name.endswith(".repository"):
        for name in [name for name in sys.modules if name.startswith("app.")]:
            del sys.modules[name]
        importlib.import_module(module.name)
"""


def relationships() -> list[RelationshipProperty[object]]:
    configure_mappers()
    return [each for mapper in Base.registry.mappers for each in mapper.relationships]


@pytest.mark.parametrize("relationship", relationships(), ids=str)
def test_relationship_refuses_lazy_loads(relationship: RelationshipProperty[object]) -> None:
    assert relationship.lazy == "raise"


def test_each_repository_can_be_imported_first() -> None:
    subprocess.run([sys.executable, "-c", IMPORT_EACH], check=True)  # noqa: S603
