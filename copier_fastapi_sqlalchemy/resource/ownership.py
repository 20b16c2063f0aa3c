"""Whose the records of a resource are, and what that asks of callers, in a project with accounts."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from copier_fastapi_sqlalchemy.resource.access import ADMINISTER, READ, WRITE, roles_of
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import OWNER
from copier_fastapi_sqlalchemy.resource.names import Names
from copier_fastapi_sqlalchemy.resource.project import Project
from copier_fastapi_sqlalchemy.resource.record import Resource
from copier_fastapi_sqlalchemy.resource.view import View

USERS = "users"


def check_owner(resource: Resource, project: Project) -> None:
    """Raise Refusal where a resource can't have the owner that it is asked for with."""
    owners = [field for field in resource.fields if field.owner]
    if not owners:
        return
    name = owners[0].name
    if not project.has_accounts:
        raise Refusal(f"Leave `owner` out of {name!r}: the project has no accounts, which tell callers apart.")
    if len(owners) > 1:
        raise Refusal(f"Leave `owner` out of {owners[1].name!r}: {name!r} has it, and a record has one owner.")
    if View(resource, project).routes["updates"] and owners == [*resource.fields]:
        raise Refusal(f"Add a field that can change, or leave update out with --only: {name!r} never changes.")


def rules_of(resource: Resource, project: Project, router: str) -> dict[str, str]:
    """Give the code of the rule for each route of a resource, by the name of its function, in order."""
    names, view = resource.names, View(resource, project)
    rules = roles_of(router)
    if resource.owner:
        [column] = [field.column_name for field in view.fields if field.field.owner]
        create = f'signed(Role.{WRITE}, "{column}")'
    elif view.parent and view.parent.table.name == USERS:
        column = view.parent.column
        create = f'own(Role.{WRITE}, "{column}", "{USERS}.id")'
    else:
        return rules
    change = f'own(Role.{WRITE}, "{names.singular}_id", "{names.plural}.{column}")'
    owned = {f"create_{names.singular}": create, f"create_{names.plural}": ADMINISTER}
    owned |= {f"update_{names.singular}": change, f"delete_{names.singular}": change}
    return {name: owned.get(name, rule) for name, rule in rules.items()}


def summary_of(rules: Mapping[str, str], names: Names) -> str:
    """Say in a line who may do what, by the rules of the routes."""
    verbs = {f"create_{names.singular}": "create", f"create_{names.plural}": "create"}
    verbs |= {f"update_{names.singular}": "change", f"delete_{names.singular}": "delete"}
    parts = ["readers read"] if READ in rules.values() else []
    theirs = [verbs[name] for name, rule in rules.items() if "(" in rule]
    any_one = dict.fromkeys(verbs[name] for name, rule in rules.items() if rule == WRITE and name in verbs)
    parts += [f"authors {_listed(theirs)} their own"] if theirs else []
    parts += [f"authors {_listed([*any_one])} any"] if any_one else []
    return "; ".join([*parts, "admins all"])


def advice_of(resource: Resource, project: Project, rules: Mapping[str, str]) -> Iterator[str]:
    """Say how to limit authors to their own, where a resource refers to users, and any author may write any record."""
    refs = [field for field in resource.fields if field.type == "ref" and field.arguments == (USERS,)]
    if not refs or not project.has_accounts or f"update_{resource.names.singular}" not in rules:
        return
    if WRITE in rules.values():
        owned = replace(refs[0], nullable=False, options=(refs[0].options - {"null"}) | {OWNER})
        command = f"resource change {resource.names.plural} {owned.text}"
        yield f"Any author may change any {resource.names.label}: `{command}` limits that to their own"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
