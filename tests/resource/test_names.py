"""Names that a database, the code of a resource or the project uses otherwise are refused in one line."""

from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import BaseModel

from copier_fastapi_sqlalchemy.resource.clashes import check_names, clashes, name_problems
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_fields
from copier_fastapi_sqlalchemy.resource.names import Names
from copier_fastapi_sqlalchemy.resource.project import Answers, KnownTable, Project
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.render import own_texts

USERS = KnownTable("users", "app.users.models", "User", has_generated_key=True)


def check(database: str, names: Names, *fields: str, known: tuple[str, ...] = ()) -> None:
    project = project_on(database)
    check_names(Resource(names, parse_fields(fields)), project, known)


def project_on(database: str) -> Project:
    answers = Answers(database, "sync", "orm", ())
    return Project(Path(), answers, {"users": USERS}, {}, {}, has_moment=False)


BOOKS = Names("books", "book")


@pytest.mark.parametrize(
    ("database", "names", "field", "word"),
    [
        ("postgresql", Names("lateral", "one"), "title:str", "lateral"),
        ("postgresql", BOOKS, "collation:str", "collation"),
        ("postgresql", Names("systems", "system"), "user:many:users", "system_user"),
        ("mysql", Names("library", "book"), "title:str", "library"),
        ("mysql", Names("value", "one"), "title:str", "value"),
        ("mysql", BOOKS, "portion:int", "portion"),
        ("mysql", BOOKS, "delete_domain:ref:users", "delete_domain_id"),
        ("mysql", Names("domains", "delete_domain"), "users:many:users", "delete_domain_id"),
        ("sqlite", BOOKS, "returning:bool", "returning"),
    ],
)
def test_word_of_the_database_is_refused(database: str, names: Names, field: str, word: str) -> None:
    with pytest.raises(Refusal, match=rf"^Choose another name: '{word}' is a word of SQL in "):
        check(database, names, field)


def test_word_of_another_database_is_a_name() -> None:
    check("sqlite", Names("libraries", "library"), "collation:str", "value:int")
    check("mysql", BOOKS, "value:int", "returning:bool")


def test_name_that_was_there_stays() -> None:
    old = Resource(BOOKS, parse_fields(["library:str"]))
    known = tuple(name_problems(old, project_on("mysql")))
    check("mysql", BOOKS, "library:str", "title:str", known=known)
    with pytest.raises(Refusal, match="'external' is a word of SQL in MySQL"):
        check("mysql", BOOKS, "library:str", "external:str", known=known)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        (["relationship:str", "users:many:users"], "relationship"),
        (["string_enum:enum:a,b", "state:enum:a,b"], "string_enum"),
    ],
)
def test_field_that_hides_what_its_class_needs_is_refused(fields: list[str], name: str) -> None:
    with pytest.raises(Refusal, match=f"another name: app/books/models.py has '{name}' for something else"):
        check("sqlite", BOOKS, *fields)
    check("sqlite", BOOKS, fields[0].replace(name, "other"), fields[1])


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("from a import X\nfrom b import X", ["X"]),
        ("from a import X\nfrom a import X", []),
        ("from a import X\nclass X: ...", ["X"]),
        ("X = 1\ndef f(X): return X", ["X"]),
        ("X = 1\ndef f(): return [X for X in ()]", ["X"]),
        ("@pytest.fixture\ndef x(): ...\ndef test(x): return x", []),
        ("class A:\n    x: int = x()\n    y: int = x()", ["x"]),
        ("class A:\n    x: int\n    def y(self, z: x): ...", ["x"]),
        ("class A:\n    x: int\n    def y(self): return x", []),
    ],
)
def test_names_for_two_things_are_found(code: str, names: list[str]) -> None:
    assert sorted(set(clashes(code))) == names


def test_attribute_of_bodies_is_refused_as_a_field() -> None:
    for name in {*dir(BaseModel), "offset_page", "keyset_page"}:
        with pytest.raises(Refusal):
            parse_fields([f"{name}:str"])


def test_path_has_another_name_in_tests_where_its_own_is_taken() -> None:
    resource = Resource(Names("max_interval", "one"), parse_fields(["title:str"]))
    text = own_texts(resource, project_on("sqlite"))["tests/max_interval/test_router.py"]
    assert 'PATH = "/api/v1/max-interval"' in text
    assert "MAX_INTERVAL" not in text


def test_operation_that_the_project_has_is_refused() -> None:
    project = replace(project_on("sqlite"), operations={"list_post_counts": "app.users.router"})
    resource = Resource(Names("post_counts", "post_count"), parse_fields(["title:str"]))
    message = r"^Give the resource another name: app\.users\.router has a route list_post_counts\.$"
    with pytest.raises(Refusal, match=message):
        check_names(resource, project)
    check_names(replace(resource, only=("create", "read")), project)
    check_names(resource, replace(project, operations={"list_post_counts": "app.post_counts.router"}))
