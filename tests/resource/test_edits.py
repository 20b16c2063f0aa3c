"""Edits of a resource's fields are understood, or refused with what to write instead."""

import pytest

from copier_fastapi_sqlalchemy.resource.edits import change_resource, changes_between
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_field, parse_fields
from copier_fastapi_sqlalchemy.resource.names import names_of
from copier_fastapi_sqlalchemy.resource.record import Resource

BOOKS = Resource(
    names_of("books"),
    parse_fields(["title:str:200", "isbn:str:13:unique", "author:ref:users", "tags:many:tags"]),
    (("title", "author"),),
)


def texts(resource: Resource) -> list[str]:
    return [field.text for field in resource.fields]


def test_fields_are_added_removed_and_replaced_in_their_place() -> None:
    changed = change_resource(BOOKS, ["+pages:int=0", "-isbn", "title:str:300?"])
    assert texts(changed) == ["title:str?:300", "author:ref:users", "tags:many:tags", "pages:int=0"]
    back = change_resource(changed, ["-pages", "title:str:200"])
    assert texts(back) == ["title:str:200", "author:ref:users", "tags:many:tags"]


def test_constraints_are_added_and_removed() -> None:
    changed = change_resource(BOOKS, [], ["isbn,title", "isbn,author_id"], ["author,title"])
    assert changed.unique == (("isbn", "title"), ("isbn", "author_id"))
    assert change_resource(BOOKS, ["-title"], [], ["title,author"]).unique == ()


REFUSED = {
    "": "Give a change: books is as that would make it.",
    "title:str:200": "Give a change: books is as that would make it.",
    "+title:str": "Write `title:str` without +: books has a field 'title' already.",
    "pages:int": "Name a field of books (title, isbn, author, tags), or +pages:int to add it: 'pages' isn't one.",
    "-pages": "Name a field of books (title, isbn, author, tags): 'pages' isn't one.",
    "-isbn:str": "Write -isbn: a field is removed by its name.",
    "-isbn isbn:int": "Change each field once: 'isbn' is there twice.",
    "--no-tets": "Leave out --no-tets: there is no such option. --help has those that are.",
    "--all=yes": "Leave out --all: there is no such option. --help has those that are.",
    "+": "Name a field in lower case, as in published_on, with up to 40 characters: not ''.",
    "title": "Give 'title' a type, as in title:str:200.",
    "+pages:words": "Give 'pages' one of these types: ",
    "-title": "Give --no-unique title,author too: 'title' is one of them.",
}


@pytest.mark.parametrize("edits", REFUSED)
def test_edit_is_refused(edits: str) -> None:
    with pytest.raises(Refusal) as raised:
        change_resource(BOOKS, edits.split())
    assert str(raised.value).startswith(REFUSED[edits])


def test_last_field_stays() -> None:
    with pytest.raises(Refusal, match="Keep a field, or remove all of it with `resource remove books`"):
        change_resource(Resource(names_of("books"), parse_fields(["title:str"])), ["-title"])


@pytest.mark.parametrize(
    ("unique", "no_unique", "message"),
    [
        (["title,pages"], [], "Name fields of the resource in --unique: 'pages' isn't one."),
        (["author,title"], [], "Leave out --unique author,title: they are unique together already."),
        ([], ["title,isbn"], "Name fields that are unique together (title,author): title,isbn aren't."),
    ],
)
def test_constraint_is_refused(unique: list[str], no_unique: list[str], message: str) -> None:
    with pytest.raises(Refusal) as raised:
        change_resource(BOOKS, [], unique, no_unique)
    assert str(raised.value) == message


@pytest.mark.parametrize(
    ("before", "after", "loses", "needs_value"),
    [
        ("x:str:200", "x:str:300:unique", False, False),
        ("x:str", "x:str:199", True, False),
        ("x:str:200?", "x:text", False, True),
        ("x:text", "x:str:300", True, False),
        ("x:email", "x:str:254", False, False),
        ("x:url", "x:email", True, False),
        ("x:int", "x:bigint?", False, False),
        ("x:bigint", "x:int", True, False),
        ("x:int", "x:str:20", True, False),
        ("x:decimal:10,2", "x:decimal:12,4", False, False),
        ("x:decimal:10,2", "x:decimal:11,4", True, False),
        ("x:decimal:10,2", "x:decimal:12,1", True, False),
        ("x:enum:a,b", "x:enum:c,b,a", False, False),
        ("x:enum:a,b", "x:enum:a,c", True, False),
        ("x:ref:users", "x:ref:users?:null", False, False),
        ("x:ref:users", "x:ref:posts", True, False),
        ("x:many:tags", "", True, False),
        ("", "x:many:tags", False, False),
        ("", "x:int=0", False, True),
        ("", "x:int?", False, False),
        ("x:int", "", True, False),
    ],
)
def test_change_that_loses_values_or_needs_some_is_known(
    before: str, after: str, *, loses: bool, needs_value: bool
) -> None:
    old, new = (
        Resource(BOOKS.names, (parse_field(text), *BOOKS.fields) if text else BOOKS.fields) for text in (before, after)
    )
    (pair,) = changes_between(old, new)
    assert (pair.loses, pair.needs_value) == (loses, needs_value)
