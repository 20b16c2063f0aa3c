"""Brings resources to a project's present answers, after `copier update --data io=sync` and the like."""

from collections.abc import Sequence
from dataclasses import replace

from copier_fastapi_sqlalchemy.resource.changes import Side
from copier_fastapi_sqlalchemy.resource.errors import Refusal
from copier_fastapi_sqlalchemy.resource.fields import OWNER
from copier_fastapi_sqlalchemy.resource.names import camel, singular_of
from copier_fastapi_sqlalchemy.resource.project import ANSWERS, RECORD, Answers, KnownTable, Project
from copier_fastapi_sqlalchemy.resource.record import Resource, answer_lines
from copier_fastapi_sqlalchemy.resource.shape import ROUTES

MODULES = {True: ".models", False: ".tables"}  # by whether tables are mapped classes


def outdated(project: Project, resources: Sequence[Resource]) -> list[Resource]:
    """Give the resources that were written for other answers than the project has, or in an older form.

    Raises:
        Refusal: it isn't recorded what one was written for.

    """
    for resource in resources:
        if resource.answers is None:
            lines = " ".join(line.strip() for line in answer_lines(project.answers))
            raise Refusal(
                f"Add [answers] to app/{resource.names.plural}/{RECORD} first, each on a line, with what {ANSWERS}"
                f" had when it was written: today's are {lines}."
            )
    return [
        resource
        for resource in resources
        if (resource.answers, resource.form) != (project.answers, project.form)
        or (resource.owner and not project.has_accounts)
    ]


def sides(project: Project, resource: Resource, refreshed: Sequence[Resource]) -> tuple[Side, Side]:
    """Give a resource as it was written, and as it is written now, when all of `refreshed` are."""
    answers = resource.answers or project.answers
    now = {other.names.plural: project.own_table(other.names) for other in refreshed}
    then = {name: _converted(table, answers) for name, table in project.tables.items()}
    old = replace(project, answers=answers, tables=then, has_moment="timestamps" in answers.mixins)
    new = replace(project, tables={**project.tables, **now})
    return Side(resource, old), Side(_suitable(resource, project), new)


def _suitable(resource: Resource, project: Project) -> Resource:
    """Give a resource in the form of now, which suits the project.

    A search needs its mixin, an owner accounts, and a write that takes ETags the route `read`.
    """
    answers, resource = project.answers, replace(resource, form=project.form)
    if not project.has_accounts:
        resource = _without(resource, OWNER)
    if "optimistic_locking" in answers.mixins and {"update", "delete"} & {*resource.only}:
        resource = replace(resource, only=tuple(name for name in ROUTES if name in {"read", *resource.only}))
    if "full_text_search" in answers.mixins:
        return resource
    return _without(resource, "search")


def _without(resource: Resource, option: str) -> Resource:
    fields = tuple(replace(field, options=field.options - {option}) for field in resource.fields)
    return replace(resource, fields=fields)


def lost_mixins(before: Answers, after: Answers) -> list[str]:
    """Give the mixins whose columns go with the rows' values."""
    return [mixin for mixin in before.mixins if mixin not in after.mixins]


def _converted(table: KnownTable, answers: Answers) -> KnownTable:
    """Give a table as other answers declare it: `User` in models.py is `users` of `UserColumns` in tables.py."""
    was_class = not table.columns
    if was_class == answers.orm:
        return table
    module = table.module.removesuffix(MODULES[was_class]) + MODULES[answers.orm]
    if answers.orm:
        name = table.columns.removesuffix("Columns") or camel(singular_of(table.name))
        return replace(table, module=module, symbol=name, columns="")
    return replace(table, module=module, symbol=table.name, columns=f"{table.symbol}Columns")
