"""Lines of code about a field that is an association with records of another table."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from copier_fastapi_sqlalchemy.resource.fields import Field
from copier_fastapi_sqlalchemy.resource.names import Names, camel, singular_of

if TYPE_CHECKING:
    from copier_fastapi_sqlalchemy.resource.project import Answers, KnownTable


@dataclass(frozen=True)
class ManyView:
    """Lines of code about an association with many records of another table."""

    source: Field
    names: Names
    answers: "Answers"
    target: "KnownTable"

    @property
    def field(self) -> str:
        """The name of the relationship: `tags`."""
        return self.source.name

    @property
    def one(self) -> str:
        """The name of one of them: `tag`."""
        return singular_of(self.source.name)

    @property
    def column(self) -> str:
        """The column of the association table: `tag_id`, which is the name of a filter too."""
        return f"{self.one}_id"

    @property
    def name(self) -> str:
        """The name in bodies: `tag_ids`."""
        return f"{self.one}_ids"

    @property
    def words(self) -> str:
        """The name in a sentence."""
        return self.source.name.replace("_", " ")

    @property
    def table(self) -> str:
        """The association table: `book_tags`."""
        return f"{self.names.singular}_{self.source.name}"

    @property
    def class_name(self) -> str:
        """The class of the association table's columns."""
        return f"{self.names.class_name}{camel(self.one)}Columns"

    @property
    def columns_class(self) -> str:
        """The class of the association table's columns (Core)."""
        own = f'ForeignKey("{self.names.plural}.id", ondelete="CASCADE")'
        return (
            f"class {self.class_name}(TypedColumns):\n"
            f"    {self.names.singular}_id: Named[int] = Column(Key, {own}, primary_key=True)\n"
            f"    {self.core}"
        )

    @property
    def core_table(self) -> str:
        """The association table (Core)."""
        return f'{self.table} = Table("{self.table}", metadata, {self.class_name})'

    @property
    def association(self) -> str:
        """The association table (ORM)."""
        own = f'ForeignKey("{self.names.plural}.id", ondelete="CASCADE")'
        own = f'Column("{self.names.singular}_id", {own}, primary_key=True)'
        return f'{self.table} = Table("{self.table}", metadata, {own}, {self.mapped})'

    @property
    def keys(self) -> str:
        """The property of a mapped class that gives the keys of the others."""
        return (
            f"@property\ndef {self.name}(self) -> list[int]:\n"
            f"    return [{self.one}.id for {self.one} in self.{self.field}]"
        )

    @property
    def core(self) -> str:
        """The column of the association table that refers to the others."""
        key = f'ForeignKey("{self.target.name}.id", ondelete="CASCADE")'
        return f"{self.column}: Named[int] = Column(Key, {key}, primary_key=True, index=True)"

    @property
    def mapped(self) -> str:
        """The same, beside a mapped class."""
        key = f'ForeignKey({self.target.symbol}.id, ondelete="CASCADE")'
        return f'Column("{self.column}", {key}, primary_key=True, index=True)'

    @property
    def relationship(self) -> str:
        """The attribute of a mapped class."""
        symbol = self.target.symbol
        options = f'secondary={self.table}, order_by={symbol}.id, passive_deletes=True, lazy="raise"'
        return f"{self.field}: Mapped[list[{symbol}]] = relationship({options})"

    @property
    def alias_name(self) -> str:
        """The name of the annotation of a list of keys."""
        return f"{camel(self.one)}Ids"

    @property
    def alias(self) -> str:
        """The line that defines it."""
        return f"{self.alias_name} = Annotated[list[Id], Field(max_length=100), AfterValidator(without_duplicates)]"

    @property
    def create(self) -> str:
        """Its line in the body of a new record."""
        return f"{self.name}: {self.alias_name} = Field(default_factory=list)"

    @property
    def patch(self) -> str:
        """Its line in the body of a change."""
        return f"{self.name}: Patchable[{self.alias_name}] = None"

    @property
    def public(self) -> str:
        """Its line in the body of a response."""
        return f"{self.name}: list[int]"

    @property
    def query(self) -> str:
        """Its line in the parameters of a list."""
        return f"{self.column}: PathId | None = None"

    @property
    def load(self) -> str:
        """The option that loads the relationship."""
        return f"selectinload({self.names.class_name}.{self.field})"

    @property
    def condition(self) -> str:
        """The code that filters a list."""
        own, column = self.names, self.column
        if self.answers.orm:
            condition = f"{own.class_name}.{self.field}.any({self.target.symbol}.id == query.{column})"
            return f"if query.{column} is not None:\n    statement = statement.where({condition})"
        keys = f"select({self.table}.c.{own.singular}_id).where({self.table}.c.{column} == query.{column})"
        return (
            f"if query.{column} is not None:\n    with_{self.one} = {keys}\n"
            f"    statement = statement.where({own.plural}.c.id.in_(with_{self.one}))"
        )

    @property
    def find_new(self) -> str:
        """The line that finds what a new record is to have (ORM)."""
        return f'{self.field} = await self._find("{self.name}", {self.target.symbol}, new.{self.name})'

    @property
    def insert_new(self) -> str:
        """The line that inserts what a new record is to have (Core)."""
        own = self.names.singular
        return f'await self._add({self.table}, {own}["id"], {self.table}.c.{self.column}, new.{self.name})'

    @property
    def require_new(self) -> str:
        """The line that requires what a new record is to have (Core)."""
        return f'await self._require("{self.name}", {self.target.symbol}, new.{self.name})'

    @property
    def replace(self) -> str:
        """The code that replaces what a record has."""
        one = self.names.singular
        value = f"changes.{self.name}"
        if self.answers.orm:
            touch = (
                f"\n    {one}.touch()  # {self.names.article} {self.names.label} changes with its {self.words}"
                if self.answers.touched
                else ""
            )
            found = f'list(await self._find("{self.name}", {self.target.symbol}, {value}))'
            return f"if {value} is not None:\n    {one}.{self.field} = {found}{touch}"
        require = f'await self._require("{self.name}", {self.target.symbol}, {value})'
        replace = f"await self._replace({self.table}, {one}_id, {self.table}.c.{self.column}, {value})"
        return f"if {value} is not None:\n    {require}\n    {replace}"

    @property
    def collect(self) -> str:
        """The code that reads the keys of a page's records (Core)."""
        own, table, column = f"{self.names.singular}_id", self.table, self.column
        live = "soft_delete" in self.answers.mixins and self.target.is_record
        target = self.target.symbol
        statement = f"select({table}).where({table}.c.{own}.in_(keys)).order_by({table}.c.{column})"
        if live:
            statement = (
                f"select({table}).join({target}).where(is_live({target}), {table}.c.{own}.in_(keys))"
                f".order_by({table}.c.{column})"
            )
        return (
            f"{self.name}: dict[int, list[int]] = defaultdict(list)\n"
            f"statement = {statement}\n"
            f"for {own}, {column} in await self.connection.execute(statement):\n"
            f"    {self.name}[{own}].append({column})"
        )
