"""Fields and names are understood, or refused in one line that begins with the remedy."""

import keyword

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import parse_field, parse_fields
from copier_fastapi_sqlalchemy.resource.names import camel, names_of
from copier_fastapi_sqlalchemy.resource.record import FORM, Resource, from_toml
from copier_fastapi_sqlalchemy.resource.shape import parse_only, parse_paging
from copier_fastapi_sqlalchemy.resource.types import TYPES, default_of


def test_field_has_arguments_options_and_a_default() -> None:
    field = parse_field("status:enum?:draft,in-print:index=draft")
    assert (field.name, field.type, field.arguments) == ("status", "enum", ("draft", "in-print"))
    assert (field.nullable, set(field.options), field.default) == (True, {"index"}, "draft")


@pytest.mark.parametrize(
    ("text", "on_delete"),
    [
        ("author:ref:users", "CASCADE"),
        ("author:ref:users?", "SET NULL"),
        ("author:ref?:users:restrict", "RESTRICT"),
        ("author:ref:users:cascade", "CASCADE"),
        ("author:ref:users:owner", "CASCADE"),
        ("author:ref:users:owner:restrict", "RESTRICT"),
    ],
)
def test_reference_says_what_a_deletion_does(text: str, on_delete: str) -> None:
    assert parse_field(text).on_delete == on_delete


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("title", "Give 'title' a type, as in title:str:200."),
        ("title:", "Give 'title' a type, as in title:str:200."),
        (":str", "Name a field in lower case"),
        ("Title:str", "Name a field in lower case"),
        ("2nd:str", "Name a field in lower case"),
        ("titel_ä:str", "Name a field in lower case"),
        ("x" * 41 + ":str", "Name a field in lower case"),
        ("l:str", "Give the field 'l' another name"),
        ("class:str", "Give the field 'class' another name"),
        ("metadata:json", "Give the field 'metadata' another name"),
        ("created_at:datetime", "Give the field 'created_at' another name"),
        ("version:int", "Give the field 'version' another name"),
        ("model_name:str", "Give the field 'model_name' another name"),
        ("date:date", "Give the field 'date' another name"),
        ("title:varchar", "Give 'title' one of these types: str, text"),
        ("title:str:0", "Give 'title' a length from 1 to 10,000"),
        ("title:str:many", "Give 'title' a length from 1 to 10,000"),
        ("title:str:20000", "Give 'title' a length from 1 to 10,000"),
        ("title:str:1000:unique", "Give 'title' a length from 1 to 700"),
        ("title:text:unique", "Leave `unique` and `index` out of 'title'"),
        ("title:text:200", "Take '200' out of 'title:text:200'."),
        ("title:str:200:uniqe", "Take 'uniqe' out of"),
        ("title:str:200:cascade", "Take 'cascade' out of"),
        ("done:bool:unique", "Leave `unique` out of 'done'"),
        ("pages:int:search", "Leave `search` out of 'pages'"),
        ("price:decimal", "Give 'price' its digits and how many are decimals, as in price:decimal:10,2"),
        ("price:decimal:2,10", "Give 'price' its digits"),
        ("price:decimal:19,2", "Give 'price' its digits"),
        ("price:decimal:0,0", "Give 'price' its digits"),
        ("status:enum", "Give 'status' its values"),
        ("status:enum:draft,draft", "Give 'status' its values"),
        ("status:enum:Draft", "Give 'status' its values"),
        ("status:enum:a-b,a_b", "Give 'status' values that differ"),
        ("author:ref", "Give 'author' the table that it refers to"),
        ("author:ref:users,posts", "Give 'author' the table that it refers to"),
        ("author:ref:users?:owner", "Write author:ref:users:owner, or leave `owner` out"),
        ("author:ref:posts:owner", "Write author:ref:users:owner, or leave `owner` out"),
        ("author:ref:users:null:owner", "Write author:ref:users?:null"),
        ("title:str:200:owner", "Take 'owner' out of 'title:str:200:owner'."),
        ("tags:many:users:owner", "Take 'owner' out of 'tags:many:users:owner'."),
        ("author:ref:users:null", "Write author:ref:users?:null"),
        ("tags:many:tags?", "Write `tags:many:tags`"),
        ("tags:many:tags:unique", "Write `tags:many:tags`"),
        ("pages:int=many", "Give 'pages' a default of its type, int: 'many' isn't one."),
        ("pages:int=2147483648", "Give 'pages' a default of its type"),
        ("ratio:float=nan", "Give 'ratio' a default of its type"),
        ("price:decimal:4,2=1.234", "Give 'price' a default of its type"),
        ("price:decimal:4,2=100", "Give 'price' a default of its type"),
        ("done:bool=maybe", "Give 'done' a default of its type"),
        ("status:enum:draft=out", "Give 'status' a default of its type"),
        ("born:date?=2026-02-30", "Give 'born' a default of its type"),
        ("starts_at:datetime=2026-01-01T00:00:00", "Give 'starts_at' a default of its type"),
        ("author:ref:users:cascade:restrict", "Choose one of cascade, restrict for 'author'."),
        ("mail:email=nobody", "Give 'mail' a default of its type"),
        ("home:url=javascript:alert", "Give 'home' a default of its type"),
        ("pages:int=1_000", "Give 'pages' a default of its type"),
        ("extra:json={}", "Leave out the default of 'extra'"),
        ("author:ref:users=1", "Leave out the default of 'author'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(text: str, remedy: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_field(text)
    assert str(refusal.value).startswith(remedy)
    assert "\n" not in str(refusal.value)


def test_field_that_is_there_twice_is_refused() -> None:
    with pytest.raises(Refusal, match="'title' is there twice"):
        parse_fields(["title:str", "title:text"])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('title:str:200=say "hi"\\', '"say \\"hi\\"\\\\"'),
        ("pages:int=-1", "-1"),
        ("price:decimal:10,2=9.99", 'Decimal("9.99")'),
        ("price:decimal:10,2=1e2", 'Decimal("100")'),
        ("price:decimal:010,02=-0", 'Decimal("0")'),
        ("done:bool=False", "False"),
        ("born:date=2026-01-31", "date(2026, 1, 31)"),
        ("starts_at:datetime=2026-01-31T12:00:00Z", 'datetime.fromisoformat("2026-01-31T12:00:00+00:00")'),
        ("code:uuid=00000000-0000-4000-8000-000000000001", "UUID('00000000-0000-4000-8000-000000000001')"),
    ],
)
def test_default_is_code(text: str, code: str) -> None:
    assert default_of(parse_field(text)) == code


@pytest.mark.parametrize(
    ("plural", "singular", "class_name", "article"),
    [
        ("books", "book", "Book", "a"),
        ("order_items", "order_item", "OrderItem", "an"),
        ("addresses", "address", "Address", "an"),
        ("categories", "category", "Category", "a"),
        ("people", "person", "Person", "a"),
        ("statuses", "status", "Status", "a"),
        ("analyses", "analysis", "Analysis", "an"),
    ],
)
def test_names_are_derived(plural: str, singular: str, class_name: str, article: str) -> None:
    names = names_of(plural)
    assert (names.singular, names.class_name, names.article) == (singular, class_name, article)


@pytest.mark.parametrize(
    "name", ["Books", "order-items", "class", "app", "metadata", "audit_log", "x" * 41, "", "bücher"]
)
def test_reserved_or_malformed_name_is_refused(name: str) -> None:
    with pytest.raises(Refusal):
        names_of(name)


@pytest.mark.parametrize("name", ["news", "series", "user"])
def test_singular_has_to_be_given_where_it_cannot_be_told(name: str) -> None:
    with pytest.raises(Refusal, match="--singular NAME"):
        names_of(name)
    assert names_of(name, f"{name}_item").singular == f"{name}_item"


ARGUMENTS = {"str": "200", "decimal": "10,2", "enum": "a,b", "ref": "users", "many": "tags"}


@settings(suppress_health_check=[HealthCheck.too_slow])  # what it knows of characters is made at the first draw
@given(
    st.lists(
        st.tuples(st.from_regex(r"[a-z]{1,8}_[a-z]{1,8}", fullmatch=True), st.sampled_from(sorted(TYPES))), max_size=6
    )
)
def test_record_reads_back_as_it_was_written(chosen: list[tuple[str, str]]) -> None:
    texts = {
        name: f"{name}:{kind}:{ARGUMENTS[kind]}" if kind in ARGUMENTS else f"{name}:{kind}" for name, kind in chosen
    }
    fields = parse_fields([text for name, text in texts.items() if not name.startswith("model_")])
    resource = Resource(
        names_of("books"), fields, (("a", "b"),), only=("read", "list"), paging="cursor", parent="users"
    )
    assert from_toml(resource.to_toml()) == resource


@pytest.mark.parametrize(
    ("text", "routes"),
    [
        ("list,read", ("read", "list")),
        ("read, list,read", ("read", "list")),
        ("bulk,delete,update,list,read,create", ()),
    ],
)
def test_routes_are_in_order(text: str, routes: tuple[str, ...]) -> None:
    assert parse_only(text) == routes


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("", "Choose routes among create, read, list, update, delete, bulk in --only: there is no ''."),
        (
            "read,search",
            "Choose routes among create, read, list, update, delete, bulk in --only: there is no 'search'.",
        ),
        ("create", "Add read to --only: the answer to create has the address of what it made."),
        ("read,list,bulk", "Add create or delete to --only: bulk is many of these at once."),
        ("create,read,bulk", "Add list to --only: the answers of bulk have no keys."),
    ],
)
def test_routes_that_cannot_be_alone_are_refused(text: str, remedy: str) -> None:
    with pytest.raises(Refusal) as refusal:
        parse_only(text)
    assert str(refusal.value) == remedy


def test_paging_is_one_of_two() -> None:
    with pytest.raises(Refusal, match=r"^Choose --paging pages or cursor: there is no 'offset'\.$"):
        parse_paging("offset")
    with pytest.raises(Refusal, match=r"^Add list to --only, or leave --paging out"):
        parse_paging("cursor", ("read",))


def test_record_of_a_newer_form_is_refused() -> None:
    text = Resource(names_of("books"), parse_fields(["title:str"])).to_toml()
    assert from_toml(text.replace(f"form = {FORM}\n", "")).form == 1
    with pytest.raises(Refusal, match=r"^Use a newer version of this command: it doesn't know form 6 "):
        from_toml(text.replace(f"form = {FORM}", "form = 6"))


@given(st.text(max_size=40))
def test_any_text_is_a_field_or_refused_in_one_line(text: str) -> None:
    try:
        field = parse_field(text)
    except Refusal as refusal:
        message = str(refusal)
    else:
        message = ""
        assert field.name.isidentifier()
        assert not keyword.iskeyword(field.name)
        assert parse_field(field.text) == field
    assert "\n" not in message


def test_class_name_is_camel_case() -> None:
    assert camel("order_items") == "OrderItems"
