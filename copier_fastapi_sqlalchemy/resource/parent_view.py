"""The records that those of a resource belong to, as its templates show them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.names import Names

if TYPE_CHECKING:
    from copier_fastapi_sqlalchemy.resource.project import KnownTable


@dataclass(frozen=True)
class ParentView:
    """The table below whose path the list of a resource is."""

    names: Names
    table: "KnownTable"

    @property
    def field(self) -> Field:
        """The field that refers to the parent."""
        return Field(self.names.singular, "ref", (self.table.name,))

    @property
    def column(self) -> str:
        """The column that refers to it: `user_id`, which is the parameter of the path too."""
        return f"{self.names.singular}_id"

    def path_of(self, child: Names) -> str:
        """Give the path of the children of one."""
        return f"/{self.names.path}/{{{self.column}}}/{child.path}"

    def words(self) -> dict[str, str]:
        """Give what stands for the words of the templates, in which the parent is an owner."""
        return {
            "owner": self.names.singular,
            "owners": self.names.plural,
            "/owners": f"/{self.names.path}",
            "Owner": self.table.symbol,
        }
