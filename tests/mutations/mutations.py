"""Ways to break the template, each with the check of the matrix that must find it out."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ASYNC_ORM = "sqlite-async-orm-timestamps"
SYNC_CORE = "sqlite-sync-core-timestamps"
POSTGRESQL = "postgresql-sync-core-plain"
ASYNCPG = "postgresql-async-core-plain"
MYSQL = "mysql-async-core-plain"
SOFT_DELETE = "sqlite-sync-core-soft_delete"
AUDIT_LOG = "sqlite-async-orm-timestamps+audit_log"
LOCKING = "sqlite-sync-core-optimistic_locking"
SEARCH = "sqlite-sync-core-full_text_search"
ACCOUNTS = "sqlite-async-orm-timestamps-password"
ON_A_SERVER = "postgresql-async-orm-timestamps-password"
OIDC = "sqlite-async-orm-timestamps-oidc"
OIDC_THAT_HIDES = "sqlite-async-orm-timestamps+soft_delete-oidc"
ALL_MIXINS = "sqlite-async-orm-timestamps+soft_delete+audit_log+optimistic_locking+full_text_search"
# What tests/fuzz is given: how much to try, and what to do with the count of responses.
FEW: dict[str, Any] = {"examples": 10, "keep_tally": dict}
MANY: dict[str, Any] = {"examples": 100, "keep_tally": dict}


@dataclass(frozen=True)
class Check:
    """A test on one variant, such as `rendered/test_files.py::test_mypy_strict_passes`; `given` are its parameters."""

    test: str
    variant: str = ASYNC_ORM
    given: dict[str, Any] = field(default_factory=dict, hash=False)


@dataclass(frozen=True)
class Mutation:
    """An edit of a file of the template that must turn `check` red, with a text that the pattern `says` is found in."""

    name: str
    path: str
    old: str
    new: str
    check: Check
    says: str

    def apply(self, source: Path) -> None:
        """Edit the template in `source`; fail where the text to replace isn't there exactly once."""
        path = source / self.path
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        count = text.count(self.old)
        if count != 1:
            pytest.fail(f"{self.path} has this {count} times, not once: adapt the mutation.\n{self.old}", pytrace=False)
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


LINTED = Check("every_variant/test_every_variant.py::test_lint")
CLEAN = Check("rendered/test_files.py::test_no_leftovers")
MIGRATED = Check("every_variant/test_every_variant.py::test_migrate", SYNC_CORE)
PROJECT_TESTS = Check("rendered/test_project_tests.py::test_project_tests_pass")
CRUD = "every_variant/test_every_variant.py::test_crud"

REVISION = "template/migrations/versions/0001_blog.py.jinja"
USERS_TABLE = "macros/users_table.jinja"

# The form of what is rendered.
WRITTEN = (
    Mutation(
        "leftover import",
        "template/app/db/pagination.py.jinja",
        "from typing import Any, TypeVar\n",
        "from typing import Any, Literal, TypeVar\n",
        LINTED,
        r"F401 .*Literal",
    ),
    Mutation(
        "unformatted line",
        "template/app/main.py.jinja",
        "1024 * 1024",
        "1024*1024",
        LINTED,
        r"(?s)ruff format.*1024\*1024.*1 file would be reformatted",
    ),
    Mutation(
        "wrong type",
        "template/app/db/pagination.py.jinja",
        '.decode().rstrip("=")',
        '.rstrip(b"=")',
        Check("rendered/test_files.py::test_mypy_strict_passes"),
        r"app/db/pagination\.py:\d+: error: Incompatible return value type",
    ),
    Mutation(
        "deprecated call",
        "template/app/web/schemas.py.jinja",
        "    model_config = ConfigDict(from_attributes=True)\n",
        "    class Config:\n        from_attributes = True\n",
        Check("rendered/test_files.py::test_modules_import_without_warnings"),
        r"PydanticDeprecatedSince20: Support for class-based `config`",
    ),
    Mutation(
        "text that changes from copy to copy",
        "template/README.md.jinja",
        "{{ description | trim }}\n",
        "{{ description | trim }} {{ _copier_conf.dst_path }}\n",
        Check("rendered/test_files.py::test_rendering_is_reproducible"),
        r"Differing items:\s+\{'README\.md'",
    ),
    Mutation(
        "broken YAML",
        "template/.pre-commit-config.yaml",
        "repos:\n",
        "repos: [\n",
        Check("rendered/test_files.py::test_configuration_files_parse"),
        r"while parsing a flow (node|sequence)",
    ),
    Mutation(
        "doubled blank line",
        "template/README.md.jinja",
        "## Layout\n",
        "\n## Layout\n",
        CLEAN,
        r"README\.md: has doubled blank lines",
    ),
    Mutation(
        "tag in a file that is no template",
        "template/app/db/clock.py",
        '"""What',
        '"""{{ project_name }}: what',
        CLEAN,
        r"app/db/clock\.py:1: .*project_name",
    ),
)

# What belongs to another variant, or to no variant.
HELD = (
    Mutation(
        "word of another database",
        "template/app/web/health.py.jinja",
        "Ask the database, within",
        "Ask PostgreSQL, within",
        Check("rendered/test_files.py::test_other_databases_are_not_mentioned"),
        r"app/web/health\.py:\d+: .*Ask PostgreSQL",
    ),
    Mutation(
        "session in Core",
        "template/{{core}}/app/db/database.py.jinja",
        '"""Two engines;',
        '"""Two engines and their Session;',
        Check("rendered/test_files.py::test_core_has_no_session", SYNC_CORE),
        r"app/db/database\.py:\d+: .*Session",
    ),
    Mutation(
        "coroutine in a sync service",
        "macros/io.jinja",
        "(def|with|for) ",
        "(with|for) ",
        Check("rendered/test_files.py::test_sync_and_async_are_not_mixed", SYNC_CORE),
        r"app/users/router\.py:\d+: async def create_user",
    ),
    Mutation(
        "extra that was not asked for",
        "copier.yml",
        "  - \"{{ 'compose.yaml' if 'docker' not in extras }}\"\n",
        "",
        Check("rendered/test_files.py::test_without_ci_and_extras_their_files_are_absent"),
        r"\['compose\.yaml'\] == \[\]",
    ),
    Mutation(
        "setting that nothing reads",
        "template/app/settings.py.jinja",
        "    db_echo: bool = False\n",
        "    db_echo: bool = False\n    db_trace: bool = False\n",
        Check("rendered/test_files.py::test_every_name_is_used"),
        r"app/settings\.py:\d+ db_trace",
    ),
    Mutation(
        "word of where it came from",
        "template/app/main.py.jinja",
        '"""The application:',
        '"""The application of this variant:',
        Check("rendered/test_files.py::test_template_is_not_mentioned"),
        r"app/main\.py:1: .*variant",
    ),
)

# What a project requires, its pipeline, and what Copier asks.
REQUIRED = (
    Mutation(
        "one dependency for another",
        "template/pyproject.toml.jinja",
        '"pydantic-settings>=',
        '"jinja2>=',
        Check("rendered/test_files.py::test_declared_dependencies_are_those_imported"),
        r"(?s)(?=.*DEP00[13] 'pydantic_settings')(?=.*DEP002 'jinja2')",
    ),
    Mutation(
        "undeclared driver",
        "copier.yml",
        "'requirements': ['aiosqlite>=0.22',",
        "'requirements': ['idna>=3',",
        Check("rendered/test_install.py::test_service_runs_with_declared_dependencies_only"),
        r"No module named 'aiosqlite'",
    ),
    Mutation(
        "pipeline that GitHub refuses",
        "template/.github/workflows/ci.yml.jinja",
        "  lint:\n    runs-on:",
        "  lint:\n    run-on:",
        Check("rendered/test_files.py::test_pipeline_and_container_files_are_valid"),
        r"'runs-on' is a required property",
    ),
    Mutation(
        "answer that can't work",
        "copier.yml",
        "project_slug | length > 50 %}",
        "project_slug | length > 500 %}",
        Check(
            "questions/test_questions.py::test_invalid_answer_is_refused_with_a_sentence",
            given={"key": "project_slug", "value": "b" * 51, "reason": "Use at most 50 characters."},
        ),
        r"DID NOT RAISE",
    ),
)

MIGRATIONS = (
    Mutation(
        "column that no revision changes",
        REVISION,
        "sa.String(50)",
        "sa.String(60)",
        MIGRATED,
        r"New upgrade operations detected: .*modify_type",
    ),
    Mutation(
        "table that a downgrade leaves",
        REVISION,
        '    op.drop_table("tags")\n',
        "",
        MIGRATED,
        r"assert \{'tags: .* == set\(\)",
    ),
    Mutation(
        "CHECK that no revision changes",
        USERS_TABLE,
        "'author', 'reader'",
        "'author'",
        MIGRATED,
        r"remove_constraint.*ck_users_role",
    ),
    Mutation(
        "unique index that forgets its predicate, which Alembic can't see",
        USERS_TABLE,
        '        sqlite_where=sa.text("deleted_at IS NULL"),\n',
        "",
        Check(MIGRATED.test, SOFT_DELETE),
        r"ix_users_email ON users \(email\) WHERE deleted_at IS NULL",
    ),
    Mutation(
        "revision that can't be written as SQL",
        REVISION,
        "def upgrade() -> None:\n",
        'def upgrade() -> None:\n    op.get_bind().execute(sa.text("SELECT 1")).scalar_one()\n',
        Check("migrations/test_migrations.py::test_offline_sql", SYNC_CORE),
        r"'NoneType' object has no attribute 'scalar_one'",
    ),
    Mutation(
        "row that refers to none after a migration",
        "template/{{sqlite}}/migrations/database.py.jinja",
        "    if orphans:\n",
        "    if False:\n",
        Check("migrations/test_migrations.py::test_orphaned_row_is_refused_and_undone", SYNC_CORE),
        r"DID NOT RAISE",
    ),
    Mutation(
        "a MySQL migration that can't go on",
        "template/{{mysql}}/migrations/database.py",
        "    with journal.resuming(connection):\n        yield\n",
        "    yield\n",
        Check("migrations/test_migrations.py::test_failed_migration_continues_after_correction", MYSQL),
        r"already exists|DID NOT RAISE",
    ),
    Mutation(
        "migrations that don't wait for each other",
        "template/migrations/env.py.jinja",
        """    with wait_for_others(connection), context.begin_transaction():
        context.run_migrations()
""",
        """    with context.begin_transaction():
        context.run_migrations()
        connection.exec_driver_sql("SELECT pg_sleep(5)")
""",
        Check("migrations/test_migrations.py::test_concurrent_migrations_wait_for_each_other", POSTGRESQL),
        r"already exists|duplicate key value violates unique constraint",
    ),
)

TRANSACTIONS = (
    Mutation(
        "read that writes",
        "template/app/db/read_only.py.jinja",
        "    cursor.execute(READ_ONLY)\n",
        '    cursor.execute("SELECT 1")\n',
        PROJECT_TESTS,
        r"test_construct_that_writes_is_refused",
    ),
    Mutation(
        "refused write that replaces connections",
        "template/app/db/read_only.py.jinja",
        "    context.is_disconnect = False  # the connection is meant to refuse it, and stays\n",
        "",
        PROJECT_TESTS,
        r"FAILED tests/db/test_read_only\.py::test_refused_write_keeps_the_connection",
    ),
    Mutation(
        "repository that needs another module to be imported first",
        "template/{{orm}}/app/users/repository.py.jinja",
        "import app.tables  # noqa: F401 - loader options need every model\n",
        "",
        PROJECT_TESTS,
        r"FAILED tests/test_models\.py::test_each_repository_can_be_imported_first",
    ),
    Mutation(
        "node without the others, which is a fault of the service",
        "template/{{mysql}}/app/db/driver_errors.py",
        "    1047,  # the node of a Galera cluster has lost the others\n",
        "",
        Check(PROJECT_TESTS.test, MYSQL),
        r"FAILED tests/db/test_driver_errors\.py::test_error_that_passes_is_unavailable\[1047\]",
    ),
    Mutation(
        "deadlock that a savepoint hides",
        "template/{{mysql}}/app/db/driver_errors.py",
        "NO_SAVEPOINT = 1305\n",
        "NO_SAVEPOINT = -1\n",
        Check(PROJECT_TESTS.test, MYSQL),
        r"FAILED tests/db/test_driver_errors\.py::test_deadlock_in_a_savepoint_is_unavailable",
    ),
    Mutation(
        "idle connection that is trusted",
        "template/{{postgresql}}/app/db/driver.py.jinja",
        "        engine.dialect.do_ping(connection)  #",
        "        #",
        Check("rendered/test_project_tests.py::test_project_tests_pass", POSTGRESQL),
        r"test_closed_connection_is_replaced_after_a_pause",
    ),
    Mutation(
        "server out of reach that is a failure",
        "template/{{postgresql}}/app/db/driver.py.jinja",
        "report_unreachable(engine, OSError, hosts.connect)",
        "report_unreachable(engine, KeyError, hosts.connect)",
        Check("service/test_process.py::test_unreachable_database_is_503", ASYNCPG),
        r"'500' != '503'",
    ),
    Mutation(
        "forgotten await",
        "template/{{orm}}/app/db/repository.py.jinja",
        "await self.session.delete(",
        "self.session.delete(",
        Check("contract/test_posts.py::test_deleted_or_absent_post_is_404"),
        r"DELETE /posts/\d+ .*: 204",
    ),
    Mutation(
        "no commit",
        "template/{{core}}/app/db/database.py.jinja",
        "                await connection.commit()\n",
        "",
        Check("contract/test_crud.py::test_user_is_created_read_changed_and_deleted", SYNC_CORE),
        r"There is no user",
    ),
    Mutation(
        "connection taken before the request is validated",
        "template/app/web/dependencies.py",
        "    return database",
        "    async with database.read():\n        yield database",
        Check(
            "service/test_overload.py::test_invalid_request_is_422_with_a_full_pool", "postgresql-async-core-timestamps"
        ),
        r"503",
    ),
    Mutation(
        "session that opens anew after its block",
        "template/{{orm}}/app/db/database.py.jinja",
        "self.engine, close_resets_only=False, expire_on_commit=False",
        "self.engine, expire_on_commit=False",
        PROJECT_TESTS,
        r"FAILED tests/db/test_database\.py::test_transaction_raises_after_its_block",
    ),
    Mutation(
        "post of a new comment not locked",
        "template/{{core}}/app/db/repository.py.jinja",
        "        statement = lock_for_reference(statement)\n",
        "        pass\n",
        Check(
            "contract/test_transactions.py::test_create_reports_parent_that_is_deleted_meanwhile",
            POSTGRESQL,
            {"path": "/posts/{post}/comments", "absent": "posts", "status": 404},
        ),
        r"POST /posts/\d+/comments .*: 422",
    ),
    Mutation(
        "Location without the prefix",
        "template/app/posts/router.py.jinja",
        'path_to(request, "read_post", post_id=post.id)\n    return PostDetail',
        'f"/api/v1/posts/{post.id}"\n    return PostDetail',
        Check("service/test_prefix.py::test_links_have_the_prefix", SYNC_CORE),
        r"'/api/v1/posts/",
    ),
    Mutation(
        "writers that begin as readers",
        "template/{{sqlite}}/app/db/driver.py.jinja",
        'exec_driver_sql("BEGIN IMMEDIATE")',
        'exec_driver_sql("BEGIN DEFERRED")',
        Check("rendered/test_project_tests.py::test_project_tests_pass", SYNC_CORE),
        r"FAILED tests/db/test_driver\.py::test_writer_that_waits_is_unavailable",
    ),
    Mutation(
        "foreign keys that SQLite ignores",
        "template/{{sqlite}}/app/db/driver.py.jinja",
        "foreign_keys = ON",
        "foreign_keys = OFF",
        Check("contract/test_bulk.py::test_bulk_delete_cascades", SYNC_CORE),
        r"where 1 = count\('profiles'",
    ),
)

QUERIES = (
    Mutation(
        "filter that is lost",
        "template/{{orm}}/app/posts/repository.py.jinja",
        "statement.where(Post.published == query.published)",
        "statement",
        Check(CRUD),
        r"1 of \d+ checks failed: test_posts_are_listed_newest_first_by_cursor",
    ),
    Mutation(
        "unquoted LIKE",
        "template/{{orm}}/app/users/models.py.jinja",
        "cls.name.icontains(text, autoescape=True)",
        "cls.name.icontains(text)",
        Check("contract/test_user_queries.py::test_search_is_literal"),
        r"assert \[\d+, \d+.*\] == \[\d+\]",
    ),
    Mutation(
        "lazy load",
        "template/{{orm}}/app/posts/repository.py.jinja",
        "(joinedload(Post.author), selectinload(Post.tags), selectinload(Post.comments))",
        "(joinedload(Post.author), selectinload(Post.tags))",
        Check("contract/test_crud.py::test_post_is_created_read_changed_and_deleted"),
        r"GET /posts/\d+ .*: 500",
    ),
    Mutation(
        "query in a loop",
        "template/{{orm}}/app/posts/repository.py.jinja",
        "        return await self.get_keyset_page(statement, NEWEST_FIRST, query.keyset_page())\n",
        "        found = await self.get_keyset_page(statement, NEWEST_FIRST, query.keyset_page())\n"
        "        for row in found[0]:\n            await self.get(row.id)\n        return found\n",
        PROJECT_TESTS,
        r"FAILED tests/posts/test_router\.py::test_reads_take_a_fixed_number_of_statements",
    ),
    Mutation(
        "page that repeats a row",
        "template/app/db/pagination.py.jinja",
        "= key < last",
        "= key <= last",
        Check("contract/test_pages.py::test_posts_are_paged_newest_first"),
        r"Left contains one more item",
    ),
    Mutation(
        "cursor without a tie-break",
        "template/app/db/pagination.py.jinja",
        "or_(column < limit, condition)",
        "column < limit",
        PROJECT_TESTS,
        r"FAILED tests/db/test_pagination\.py::test_cursor_continues_after_its_row",
    ),
    Mutation(
        "naive datetime",
        "template/app/db/types.py.jinja",
        "value.replace(tzinfo=UTC)\n        #{% endif %}\n",
        "value\n        #{% endif %}\n",
        Check("contract/test_timestamps.py::test_timestamps_are_the_same_in_all_responses"),
        r"'[\d:.T-]+' != '[\d:.T-]+Z'",
    ),
    Mutation(
        "update that leaves no trace",
        "template/{{orm}}/app/db/timestamps.py.jinja",
        "onupdate=utcnow, ",
        "",
        Check("contract/test_timestamps.py::test_timestamps_are_exact_and_each_write_changes_updated_at_only"),
        r"assert datetime.* > datetime",
    ),
)

ANSWERS = (
    Mutation(
        "NUL that is accepted",
        "template/app/web/schemas.py.jinja",
        'if "\\x00" in value:',
        'if "\\x00\\x00" in value:',
        Check("contract/test_text.py::test_nul_and_lone_surrogate_in_bulk_are_422_and_create_none"),
        r"POST /users/bulk .*: 201",
    ),
    Mutation(
        "email that a mail decodes to another",
        "template/app/web/emails.py",
        'if "=?" in email:',
        'if "=??" in email:',
        Check("contract/test_input.py::test_values_beyond_their_limits_are_422", given={"name": "new user"}),
        r"Extra items in the right set:\s+\('body', 'email'\)",
    ),
    Mutation(
        "error for each of many unknown fields",
        "template/app/web/schemas.py.jinja",
        "len(cls.model_fields) + MAX_UNKNOWN",
        "len(cls.model_fields) + 1000 * MAX_UNKNOWN",
        Check("contract/test_input.py::test_over_10_unknown_fields_are_one_error"),
        r"\['body', 0, '0'\] != \['body', 0\]",
    ),
    Mutation(
        "errors without an end",
        "template/app/web/error_handlers.py.jinja",
        "found[:MAX_ERRORS]",
        "found",
        Check("contract/test_input.py::test_first_100_errors_are_listed"),
        r"assert 5000 == 100",
    ),
    Mutation(
        "error for each place that is too deep",
        "template/app/web/json_objects.py",
        "import BeforeValidator, JsonValue",
        "import AfterValidator as BeforeValidator, JsonValue",
        Check("contract/test_preferences.py::test_many_lists_that_are_too_deep_are_one_error"),
        r"maximum validation depth exceeded",
    ),
    Mutation(
        "unique violation that isn't known",
        "template/{{sqlite}}/app/db/driver_errors.py",
        "{sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}",
        "{sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}",
        Check("contract/test_crud.py::test_taken_email_is_409"),
        r"POST /users .*: 500",
    ),
    Mutation(
        "page without an end",
        "template/app/web/paging.py.jinja",
        "ge=1, le=1_000_000)",
        "ge=1)",
        Check("contract/test_query_limits.py::test_page_and_size_have_limits", given={"path": "/users"}),
        r"Extra items in the right set:\s+\('query', 'page'\)",
    ),
    Mutation(
        "undeclared status",
        "template/app/users/router.py.jinja",
        "problems(400, 404, 409, 413)",
        "problems(400, 404, 413)",
        Check("contract/test_openapi.py::test_responses_are_declared"),
        r"Differing items:\s+\{'PATCH /api/v1/users/\{\}'",
    ),
    Mutation(
        "operation id with the path",
        "template/app/main.py.jinja",
        "        generate_unique_id_function=operation_id,\n",
        "",
        Check("contract/test_openapi.py::test_operation_ids_are_unique_names_without_the_path"),
        r"list_users_api_v1_users_get",
    ),
    Mutation(
        "query parameter that is ignored",
        "template/app/web/routing.py.jinja",
        "if unknown:",
        "if unknown and not known:",
        Check("contract/test_query_parameters.py::test_unknown_parameters_are_refused_by_name", SYNC_CORE),
        r"assert 200 == 422",
    ),
    Mutation(
        "docs page with a script from elsewhere",
        "template/app/web/docs.py.jinja",
        'src="docs/static/swagger-ui-bundle.js"',
        'src="https://cdn.example.com/swagger-ui-bundle.js"',
        Check("contract/test_health.py::test_docs_page_loads_from_the_service_alone", SYNC_CORE),
        r"https://cdn\.example\.com",
    ),
    Mutation(
        "undeclared status that a fuzzer meets",
        "template/app/comments/router.py.jinja",
        "status_code=204, responses=problems(404, 412))",
        "status_code=204)",
        Check("fuzz/test_schemathesis.py::test_service_conforms_to_openapi", ALL_MIXINS, FEW),
        r"(?s)DELETE /api/v1/comments/\{comment_id\}.*Undocumented .*status code",
    ),
    Mutation(
        "id that is larger than a database's integers",
        "template/app/web/schemas.py.jinja",
        "PathId = Annotated[int, Field(ge=1, le=MAX_ID), ",
        "PathId = Annotated[int, Field(ge=1), ",
        Check("fuzz/test_nasty_values.py::test_nasty_values_are_refused_or_kept", ALL_MIXINS, MANY),
        r"(?s)/api/v1/users/\d{19,}.*: 500 ",
    ),
    Mutation(
        "id with more than digits",
        "template/app/web/schemas.py.jinja",
        "isinstance(value, str) and not value.isdecimal()",
        "value is None",
        Check("contract/test_users.py::test_id_has_digits_alone", ASYNC_ORM, {"text": "0_1"}),
        r"/users/0_1 .*: (200|404) ",
    ),
    Mutation(
        "redirect to the host that a client names",
        "template/app/main.py.jinja",
        "redirect_slashes=False",
        "redirect_slashes=True",
        Check(
            "contract/test_errors.py::test_unknown_path_is_404",
            ASYNC_ORM,
            {"path": "/health/live/", "method": "GET"},
        ),
        r"assert 307 == 404",
    ),
    Mutation(
        "profile that is replaced in spite of If-None-Match",
        "template/app/users/router.py.jinja",
        """await UserRepository(transaction).put_profile(user_id, body)
        if if_none_match == "*" and not is_new:
""",
        """await UserRepository(transaction).put_profile(user_id, body)
        if if_none_match == "*" and is_new is None:
""",
        Check("contract/test_users.py::test_profile_is_not_replaced_with_if_none_match"),
        r"PUT /users/\d+/profile .*: 200 ",
    ),
    Mutation(
        "empty 400 to what is a request",
        "template/app/web/request_log.py.jinja",
        "            await self.app(scope, receive, send_with_id)\n",
        """\
            if b"if-match" in dict(scope["headers"]):
                await send({"type": "http.response.start", "status": 400, "headers": []})
                await send({"type": "http.response.body"})
                return
            await self.app(scope, receive, send_with_id)
""",
        Check("fuzz/test_nasty_values.py::test_nasty_values_are_refused_or_kept", ALL_MIXINS, FEW),
        r"If-Match.*: 400 b''",
    ),
    Mutation(
        "description whose spaces stay",
        "template/README.md.jinja",
        "{{ description | trim }}",
        "{{ description }}",
        Check("questions/test_any_answers.py::test_any_answers_are_refused_or_rendered", ASYNC_ORM, FEW),
        r"README\.md",
    ),
    Mutation(
        "cursor that the JSON of isn't checked",
        "template/app/db/pagination.py.jinja",
        "except (ValueError, binascii.Error, OverflowError):",
        "except (binascii.Error, OverflowError):",
        Check("fuzz/test_forged_tags.py::test_forged_cursor_is_400_or_a_place_in_the_list", ALL_MIXINS, FEW),
        r"(?s)/api/v1/posts\?limit=3&cursor=.*: 500 ",
    ),
    Mutation(
        "If-Match that any list with a star meets",
        "template/app/web/preconditions.py",
        'if names != {"*"} and names.isdisjoint(record.etag for record in shown):',
        'if "*" not in names and names.isdisjoint(record.etag for record in shown):',
        Check("fuzz/test_forged_tags.py::test_forged_etag_is_412_and_changes_nothing", ALL_MIXINS, FEW),
        r"PATCH.*/api/v1/posts/\d+.*: 200 ",
    ),
    Mutation(
        "password in an error",
        "template/{{sqlite}}/app/db/url.py.jinja",
        "got one of {backend}",
        "got {value}",
        PROJECT_TESTS,
        r"FAILED tests/test_settings\.py::test_wrong_url_is_refused_without_its_password",
    ),
)

SOFTLY_DELETED = (
    Mutation(
        "deleted row that a bulk changes",
        "template/{{core}}/app/db/repository.py.jinja",
        "select(self.table.c.id).where(self.table.c.id.in_(keys))\n        #{% if soft_delete %}",
        "select(self.table.c.id).where(self.table.c.id.in_(keys))\n        #{% if False %}",
        Check("contract/test_soft_delete.py::test_deleted_row_cannot_be_changed", SOFT_DELETE),
        r"PATCH /users/bulk .*: 200",
    ),
    Mutation(
        "session that shows deleted rows",
        "template/app/db/soft_delete.py.jinja",
        "state.statement = state.statement.options(LIVE_ROWS)",
        "state.statement = state.statement.options()",
        Check("contract/test_users.py::test_deleted_or_absent_user_is_404", "sqlite-async-orm-soft_delete"),
        r"DELETE /users/\d+ .*: 204",
    ),
    Mutation(
        "restoring that brings back too much",
        "template/app/db/soft_delete.py.jinja",
        "hidden = and_(condition, table.c.deletion_id == deletion_id)",
        "hidden = and_(condition, table.c.deleted_at.is_not(None))",
        Check(
            "contract/test_soft_delete.py::test_restored_user_brings_back_cascaded_rows",
            SOFT_DELETE,
        ),
        r"Left contains one more item",
    ),
)

AUDITED = (
    Mutation(
        "cascade in lower case that isn't followed",
        "template/app/audit/snapshots.py.jinja",
        'return (reference.ondelete or "").upper()',
        'return reference.ondelete or ""',
        Check(PROJECT_TESTS.test, AUDIT_LOG),
        r"FAILED tests/audit/test_deletes\.py::test_cascaded_delete_is_logged\[cascade\]",
    ),
    Mutation(
        "secret in the log",
        "template/app/audit/entries.py.jinja",
        "        if name in secrets:\n",
        "        if name not in secrets:\n",
        Check("contract/test_audit.py::test_preferences_are_not_logged", AUDIT_LOG),
        r"!= \{'old': '\*\*\*'\}",
    ),
    Mutation(
        "cascade that isn't logged",
        "template/app/audit/listener.py.jinja",
        "        if isinstance(statement, Delete):\n",
        "        if isinstance(statement, Insert):\n",
        Check(
            "contract/test_audit.py::test_deleted_user_is_logged_with_cascaded_rows",
            AUDIT_LOG,
            {"call": "alone"},
        ),
        r"Right contains \d+ more items, first extra item: \('delete', ",
    ),
    Mutation(
        "cascade from a row that another reference keeps",
        "template/app/audit/snapshots.py.jinja",
        "                    known = deleted.setdefault(child, set())\n",
        "                    known = set(before[child])\n",
        Check("rendered/test_project_tests.py::test_project_tests_pass", AUDIT_LOG),
        r"FAILED tests/audit/test_deletes\.py::test_row_with_two_references_is_logged_with_what_refers_to_it",
    ),
    Mutation(
        "true that is taken as 1",
        "template/app/audit/entries.py.jinja",
        "type(was) is type(now) and not isinstance(was, dict | list)\n",
        "type(was) is type(now)\n",
        Check("rendered/test_project_tests.py::test_project_tests_pass", AUDIT_LOG),
        r"FAILED tests/audit/test_values\.py::test_boolean_is_not_a_number_in_json",
    ),
    Mutation(
        "moment in the log that isn't in UTC",
        "template/app/audit/entries.py.jinja",
        "        value = value.astimezone(UTC)\n",
        "        value = value.astimezone(value.tzinfo)\n",
        Check("rendered/test_project_tests.py::test_project_tests_pass", AUDIT_LOG),
        r"FAILED tests/audit/test_values\.py::test_moment_is_logged_in_utc",
    ),
    Mutation(
        "text that changes rows unseen",
        "template/app/audit/listener.py.jinja",
        '    event.listen(engine, "before_cursor_execute", refuse_unlogged)\n',
        "",
        Check("rendered/test_project_tests.py::test_project_tests_pass", AUDIT_LOG),
        r"FAILED tests/audit/test_guard\.py::test_text_that_writes_is_refused",
    ),
    Mutation(
        "text that reads refused",
        "template/app/audit/guard.py.jinja",
        r'replace("START", r"(?:^|[;)] ?)")',
        r'replace("START", r"\b")',
        Check(
            "rendered/test_project_tests.py::test_project_tests_pass",
            "postgresql-sync-core-timestamps+soft_delete+audit_log+optimistic_locking+full_text_search",
        ),
        r"FAILED tests/audit/test_guard\.py::test_text_that_only_mentions_a_write_is_executed",
    ),
)

LOCKED = (
    Mutation(
        "version that isn't compared",
        "template/app/web/preconditions.py",
        'if names != {"*"} and names.isdisjoint(record.etag for record in shown):',
        "if not names:",
        Check("contract/test_locking.py::test_stale_etag_is_412_and_each_write_increments_version", LOCKING),
        r"PATCH /users/\d+ .*: 200",
    ),
    Mutation(
        "ETag that is compared without a lock",
        "template/app/users/router.py.jinja",
        "        await users.get_for_update(user_id)\n        user = await users.get_detail(user_id)\n",
        "        user = await users.get_detail(user_id)\n        from time import sleep\n\n        sleep(0.2)\n",
        Check(
            "contract/test_locking.py::test_one_of_concurrent_writers_at_a_version_wins",
            "postgresql-sync-core-optimistic_locking",
            {"table": "users"},
        ),
        r"assert Counter\(\{.*200: [2-8].*\}\) == \{200: 1, 412: 7\}",
    ),
    Mutation(
        "weak ETag that matches",
        "template/app/web/preconditions.py",
        "name.strip() for name",
        'name.strip().removeprefix("W/") for name',
        Check("contract/test_locking.py::test_if_match_forms_that_do_not_match", LOCKING),
        r'W/"\d"\s+assert 200 == 412',
    ),
    Mutation(
        "weak ETag of If-None-Match that doesn't match",
        "template/app/web/preconditions.py",
        'name.removeprefix("W/") for name',
        "name for name",
        Check("contract/test_locking.py::test_known_body_is_304", LOCKING),
        r"\(200, b",
    ),
)

SEARCHED = (
    Mutation(
        "trigger that keeps the words of before",
        "template/{{sqlite}}/app/db/search.py",
        'BOTH = f"{REMOVE} {ADD}"',
        "BOTH = ADD",
        Check("contract/test_search.py::test_search_index_follows_changes", SEARCH),
        r"assert \[\d+\] == \[\]",
    ),
    Mutation(
        "first revision with another trigger than the search makes",
        "macros/search_index.jinja",
        'f"{remove} {add}"',
        'f"{add}"',
        Check("migrations/test_migrations.py::test_offline_sql", SEARCH),
        r"Extra items in the (left|right) set:(.|\n)*CREATE TRIGGER posts_search_update",
    ),
    Mutation(
        "triggers that a batch migration drops",
        "template/{{sqlite}}/migrations/database.py.jinja",
        "    repair(connection)\n",
        "",
        Check("updates/test_switching.py::test_mixin_is_switched_with_data", SEARCH, {"mixin": "timestamps"}),
        r"Extra items in the right set:(.|\n)*CREATE TRIGGER posts_search_",
    ),
    Mutation(
        "operator that the search takes for its own",
        "template/{{sqlite}}/app/db/search.py",
        """query = " ".join(f'"{word}"' for word in _words_of(words)) or '""'""",
        """query = words""",
        Check("contract/test_search.py::test_any_query_is_200_or_422", SEARCH),
        r"GET /posts/search .*: 500",
    ),
    Mutation(
        "hyphens that are too many for PostgreSQL",
        "template/{{postgresql}}/app/db/search.py",
        'HYPHENS.sub(" ", words)',
        "words",
        Check("contract/test_search.py::test_any_query_is_200_or_422", "postgresql-sync-core-full_text_search"),
        r"GET /posts/search .*: 500",
    ),
    Mutation(
        "vowel signs that end words",
        "template/{{sqlite}}/app/db/search.py",
        " categories 'L* N* Co Mn Mc'",
        "",
        Check("contract/test_search.py::test_marks_of_letters_are_part_of_words", SEARCH),
        r"assert \[\d+\] == \[\]",
    ),
)

FAULTS = (
    Mutation(
        "connection that stays read-only",
        "template/{{postgresql}}/app/db/driver_errors.py.jinja",
        '    "25006",  # the server turned read-only\n',
        "",
        Check(
            "service/test_faults.py::test_connection_to_read_only_server_is_replaced", "postgresql-sync-core-timestamps"
        ),
        r"Internal Server Error",
    ),
    Mutation(
        "database that isn't migrated and is called ready",
        "template/app/db/readiness.py.jinja",
        "versions == self._heads",
        "versions <= self._heads",
        Check("service/test_faults.py::test_database_at_earlier_revision_is_not_ready", "sqlite-sync-core-timestamps"),
        r"assert 200 == 503",
    ),
    Mutation(
        "row that others can change after it was compared",
        "template/{{orm}}/app/db/repository.py.jinja",
        "statement.with_for_update(of=self.model)",
        "statement",
        Check("rendered/test_project_tests.py::test_project_tests_pass", "postgresql-async-orm-timestamps"),
        r"test_row_is_locked_before_it_is_compared_and_changed",
    ),
    Mutation(
        "rows that others can change before a bulk call does",
        "template/{{core}}/app/db/repository.py.jinja",
        "statement.order_by(self.table.c.id).with_for_update()",
        "statement.order_by(self.table.c.id)",
        Check("rendered/test_project_tests.py::test_project_tests_pass", "mysql-sync-core-timestamps"),
        r"test_rows_are_locked_before_they_are_changed_together",
    ),
    Mutation(
        "check of the database for each call of /health/ready",
        "template/app/web/health.py.jinja",
        "        _checks[readiness] = task\n",
        "",
        PROJECT_TESTS,
        r"assert 5 == 1",
    ),
    Mutation(
        "replica that isn't migrated and is called ready",
        "template/app/db/readiness.py.jinja",
        "        if self._read_engine is None:\n",
        "        if self._engine is not None:\n",
        Check(
            "service/test_faults.py::test_unmigrated_replica_is_told_from_the_database",
            "postgresql-sync-core-timestamps",
        ),
        r"assert 200 == 503",
    ),
    Mutation(
        "head of a request without a limit",
        "template/app/web/protocol.py",
        "Connection(h11.SERVER, MAX_HEAD_SIZE)",
        "Connection(h11.SERVER, 2**30)",
        Check("service/test_process.py::test_head_of_a_request_has_a_limit", "sqlite-sync-core-plain"),
        r"DID NOT RAISE|timed out",
    ),
    Mutation(
        "body of a request that offers an upgrade taken for the next request",
        "template/app/web/protocol.py",
        "from uvicorn.protocols.http.h11_impl import H11Protocol",
        "from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol as H11Protocol",
        Check(
            "service/test_wire.py::test_body_of_a_request_that_offers_an_upgrade_is_its_body",
            SYNC_CORE,
            {"offer": b"Connection: Upgrade\r\nUpgrade: h2c\r\n"},
        ),
        r"assert \[422, ",
    ),
    Mutation(
        "line of a head that ends otherwise for a proxy",
        "template/app/web/protocol.py",
        r"(?<!\r)\n|\n[ \t]",
        r"\n[ \t]",
        Check(
            "service/test_wire.py::test_length_that_can_be_read_in_two_ways_is_refused",
            SYNC_CORE,
            {"name": "LF at the end of a line"},
        ),
        r"assert \[200, 422, 200\]",
    ),
    Mutation(
        "two lengths of a body",
        "template/app/web/protocol.py",
        ">= _BODY_HEADERS:",
        "> _BODY_HEADERS | {b'none'}:",
        Check(
            "service/test_wire.py::test_length_that_can_be_read_in_two_ways_is_refused",
            SYNC_CORE,
            {"name": "length beside chunks"},
        ),
        r"assert \[200, 422, 200\]",
    ),
)

# What is killed, cut off or full while clients write.
MIXED = "timestamps+soft_delete+audit_log+optimistic_locking+full_text_search"
SQLITE_UNAVAILABLE = "template/{{sqlite}}/app/db/driver_errors.py"
UNAVAILABLE = "template/{{postgresql}}/app/db/driver_errors.py.jinja"
IS_UNAVAILABLE = "    return unavailable or error.connection_invalidated or needs_new_connection(error)\n"
COMMITS = "template/{{orm}}/app/db/database.py.jinja"
COMMIT = """        async with self._writers() as session:
            try:
                yield session
                await session.commit()
            except BaseException:
                await session.rollback()
                raise
"""
LATE_COMMIT = """        import asyncio

        session = self._writers()
        yield session
        await session.flush()

        async def commit() -> None:
            await asyncio.sleep(0.05)
            await session.commit()
            await session.close()

        asyncio.ensure_future(commit())
"""
UNDER_LOAD = (
    Mutation(
        "full disk that is a fault of the service",
        SQLITE_UNAVAILABLE,
        "    sqlite3.SQLITE_IOERR,\n",
        "",
        Check("faults/test_sqlite.py::test_disk_is_full", f"sqlite-sync-core-{MIXED}"),
        r"no client has seen 503",
    ),
    Mutation(
        "lock that is a fault of the service",
        SQLITE_UNAVAILABLE,
        "    sqlite3.SQLITE_BUSY,\n",
        "",
        Check("faults/test_sqlite.py::test_file_is_locked", f"sqlite-sync-core-{MIXED}"),
        r"assert 0",
    ),
    Mutation(
        "file that is gone and made anew",
        "template/{{sqlite}}/app/db/driver.py.jinja",
        "?mode=rw",
        "?mode=rwc",
        Check("faults/test_sqlite.py::test_file_is_moved_away", f"sqlite-sync-core-{MIXED}"),
        r"no client has seen 503|no request makes a new one",
    ),
    Mutation(
        "connection that can only read",
        "template/{{sqlite}}/app/db/driver.py.jinja",
        "        if not _can_write(path):\n",
        "        if not path:\n",
        Check("faults/test_sqlite.py::test_file_is_read_only", f"sqlite-sync-core-{MIXED}"),
        r"a connection that can only read makes all that follow it so",
    ),
    Mutation(
        "locked account, which is a fault of the service",
        "template/{{server}}/app/db/connections.py.jinja",
        "(is_refused or needs_new_connection(error))",
        "needs_new_connection(error)",
        Check("faults/test_credentials.py::test_account_is_locked", f"mysql-sync-core-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "wait for a lock, which is a fault of the service",
        "template/{{postgresql}}/app/db/driver_errors.py.jinja",
        '    "55P03",  # a lock wasn\'t free in time\n',
        "",
        Check("faults/test_waiting.py::test_table_is_locked", f"postgresql-sync-core-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "statement without a timeout",
        "template/{{postgresql}}/app/db/driver_errors.py.jinja",
        '    "57",  # a statement took too long or was canceled; the server shuts down\n',
        "",
        Check("faults/test_waiting.py::test_writes_are_slow", f"postgresql-sync-core-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "deadlock that is a fault of the service",
        "template/{{mysql}}/app/db/driver_errors.py",
        "    1213,  # deadlock\n",
        "",
        Check("faults/test_waiting.py::test_writes_lose_deadlocks", f"mysql-sync-core-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "run of the migrations that doesn't go on where one was killed",
        "template/{{mysql}}/migrations/database.py",
        "    with journal.resuming(connection):\n        yield\n",
        "    yield\n",
        Check("faults/test_migrations.py::test_upgrade_is_killed_at_each_statement", f"mysql-sync-core-{MIXED}"),
        r"already exists",
    ),
    Mutation(
        "foreign key that MariaDB has, and a run that was cut off makes again",
        "template/{{mysql}}/migrations/journal.py.jinja",
        'FOREIGN_KEY, NAME_IS_TAKEN = 1005, "(errno: 121 "',
        'FOREIGN_KEY, NAME_IS_TAKEN = 1005, "none"',
        Check("migrations/test_migrations.py::test_killed_migration_continues", MYSQL),
        r"errno: 121",
    ),
    Mutation(
        "revision that is shortened after a run was cut off",
        "template/{{mysql}}/migrations/journal.py.jinja",
        "            if number > self.number:\n",
        "            if number < 0:\n",
        Check(
            "migrations/test_migrations.py::test_revision_that_was_changed_after_a_run_was_cut_off_is_refused", MYSQL
        ),
        r"DID NOT RAISE",
    ),
    Mutation(
        "savepoint that the journal's own table ends",
        "template/{{mysql}}/migrations/journal.py.jinja",
        "                self.create()  # it would end the savepoint\n",
        "                pass\n",
        Check("migrations/test_migrations.py::test_cut_off_revision_that_catches_errors_continues", MYSQL),
        r"SAVEPOINT .* does not exist",
    ),
    Mutation(
        "insert that is left out, and has no key to read",
        "template/{{mysql}}/migrations/journal.py.jinja",
        "            cursor.lastrowid = 0  # SQLAlchemy reads it after an insert; the row's key isn't noted\n",
        "",
        Check(
            "migrations/test_migrations.py::test_cut_off_revision_that_catches_errors_continues",
            "mysql-sync-core-timestamps",
        ),
        r"no attribute 'lastrowid'",
    ),
    Mutation(
        "migrator that takes away what another has noted",
        "template/{{mysql}}/migrations/journal.py.jinja",
        "self.write(ADD, ",
        "self.write(NOTE, ",
        Check("migrations/test_migrations.py::test_migrators_that_see_no_lock_leave_what_the_next_can_end", MYSQL),
        r"assert 'another process migrates",
    ),
    Mutation(
        "migrators that don't wait for each other",
        "template/{{mysql}}/migrations/database.py",
        "    if not any(connection.scalar(lock) == 1 for _second in range(3600)):\n",
        "    if lock is None:\n",
        Check("faults/test_migrations.py::test_four_migrators_at_once", f"mysql-sync-core-{MIXED}"),
        r"already exists|Duplicate|another process migrates",
    ),
    Mutation(
        "changed password, which is a fault of the service",
        UNAVAILABLE,
        IS_UNAVAILABLE,
        "    return needs_new_connection(error)\n",
        Check("faults/test_credentials.py::test_password_is_changed_and_changed_back", f"postgresql-async-orm-{MIXED}"),
        r"no client has seen 503",
    ),
    Mutation(
        "full server, which is a fault of the service",
        UNAVAILABLE,
        IS_UNAVAILABLE,
        "    return needs_new_connection(error)\n",
        Check("faults/test_many.py::test_copies_fill_the_server", f"postgresql-async-orm-{MIXED}"),
        r"no client has seen 503",
    ),
    Mutation(
        "commit that is acknowledged before it is on the disk",
        "template/{{postgresql}}/app/db/driver.py.jinja",
        """    statement = f"SELECT {', '.join(calls)}"
""",
        """    calls.append("set_config('synchronous_commit', 'off', false)")
    statement = f"SELECT {', '.join(calls)}"
""",
        Check("faults/test_server.py::test_server_is_killed_and_started_again", f"postgresql-sync-core-{MIXED}"),
        r"\b0 of 5 users|user \d+ is ",
    ),
    Mutation(
        "server that is stopped, which is a fault of the service",
        UNAVAILABLE,
        IS_UNAVAILABLE,
        "    return needs_new_connection(error)\n",
        Check("faults/test_server.py::test_server_is_stopped_and_started_again", f"postgresql-async-orm-{MIXED}"),
        r"Internal Server Error|The service failed",
    ),
    Mutation(
        "commit that comes after the response",
        COMMITS,
        COMMIT,
        LATE_COMMIT,
        Check("faults/test_service.py::test_service_is_killed_and_started_again", f"sqlite-async-orm-{MIXED}"),
        r"\b0 of 5 users|user \d+ is ",
    ),
    Mutation(
        "limit of requests by a clock that can be set back",
        "template/app/web/middleware.py.jinja",
        "from time import monotonic_ns\n",
        "from time import time_ns as monotonic_ns\n",
        Check("faults/test_clock.py::test_clock_is_set_back", f"sqlite-sync-core-{MIXED}"),
        r"some clients aren't served",
    ),
    Mutation(
        "worker that isn't replaced",
        "template/app/server.py",
        '''    """Processes that serve at one address."""
''',
        '''    """Processes that serve at one address."""

    def keep_subprocess_alive(self) -> None:
        """Do nothing."""
''',
        Check("faults/test_service.py::test_one_of_four_workers_is_killed", f"sqlite-sync-core-{MIXED}"),
        r"the workers are",
    ),
    Mutation(
        "workers that outlive the process that started them",
        "template/app/server.py",
        "    if supervisor is not None:\n",
        "    if supervisor is not None and supervisor.pid is None:\n",
        Check("service/test_command.py::test_workers_end_with_the_process_that_started_them", ASYNC_ORM),
        r"the workers keep the port",
    ),
    Mutation(
        "standby that isn't promoted yet, which is a fault of the service",
        UNAVAILABLE,
        '    "25006",  # the server turned read-only\n',
        "",
        Check("faults/test_failover.py::test_standby_is_promoted", f"postgresql-async-orm-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "new password, which the old service takes for a fault of its own",
        UNAVAILABLE,
        IS_UNAVAILABLE,
        "    return needs_new_connection(error)\n",
        Check("faults/test_credentials.py::test_service_gets_the_new_password", f"postgresql-async-orm-{MIXED}"),
        r"no client has seen 503",
    ),
    *(
        Mutation(
            f"lost connection, which is a fault of the service: {name}",
            "template/{{mysql}}/app/db/driver_errors.py",
            IS_UNAVAILABLE,
            "    return needs_new_connection(error)\n",
            Check(f"faults/test_server.py::test_{name}", f"mysql-sync-core-{MIXED}"),
            r"Internal Server Error",
        )
        for name in ("all_connections_are_cut", "connections_are_cut_one_by_one")
    ),
    *(
        Mutation(
            f"server that can't be reached, which is a fault of the service: {test}",
            "template/{{postgresql}}/app/db/driver.py.jinja",
            "    report_unreachable(engine, OSError, hosts.connect)\n",
            "",
            Check(f"faults/{test}", f"postgresql-async-core-{MIXED}"),
            r"Internal Server Error|assert 0",
        )
        for test in (
            "test_names.py::test_name_is_not_known",
            "test_names.py::test_dns_server_is_silent",
        )
    ),
    Mutation(
        "server that doesn't answer, which is a fault of the service",
        "template/{{postgresql}}/app/db/driver.py.jinja",
        '    event.listen(engine, "handle_error", _report_no_answer)\n',
        "",
        Check("faults/test_server.py::test_network_swallows_what_is_sent", f"postgresql-async-core-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "service that needs its database to start",
        "template/app/main.py.jinja",
        "        app.state.database = database\n",
        "        app.state.database = database\n        async with database.engine.connect():\n            pass\n",
        Check("faults/test_start.py::test_service_starts_before_its_server", f"mysql-async-orm-{MIXED}"),
        r"It doesn't answer; its log",
    ),
    Mutation(
        "connection that isn't free in time, which is a fault of the service",
        "template/app/web/error_handlers.py.jinja",
        "    PoolTimeoutError: respond_unavailable,\n",
        "",
        Check("faults/test_many.py::test_clients_outnumber_connections", f"postgresql-async-orm-{MIXED}"),
        r"each call has an answer",
    ),
    *(
        Mutation(
            f"commit that comes after the response: {name}",
            COMMITS,
            COMMIT,
            LATE_COMMIT,
            Check(f"faults/test_service.py::test_{name}", f"sqlite-async-orm-{MIXED}"),
            r"\b0 of 5 users|user \d+ is ",
        )
        for name in (
            "service_of_four_workers_is_killed_and_started_again",
            "service_is_stopped_and_started_again",
            "service_of_four_workers_is_stopped_and_started_again",
            "process_that_started_four_workers_is_killed",
        )
    ),
    *(
        Mutation(
            f"service that doesn't notice: clients {gone}",
            "template/app/web/protocol.py",
            "    def _should_upgrade(self) -> bool:\n",
            '''    def connection_lost(self, _error: Exception | None) -> None:
        """Do nothing."""

    def _should_upgrade(self) -> bool:
''',
            Check(f"faults/test_clients.py::test_clients_are_{gone.replace(' ', '_')}", f"sqlite-sync-core-{MIXED}"),
            r"waits for what a fault left",
        )
        for gone in ("gone within their bodies", "gone before the response", "gone within a response")
    ),
    Mutation(
        "write on a version that isn't the last",
        "template/app/web/preconditions.py",
        '    if names != {"*"} and names.isdisjoint(record.etag for record in shown):\n',
        '    if names == {"none"}:\n',
        Check("faults/test_storm.py::test_one_order_explains_what_all_clients_were_told", f"sqlite-async-core-{MIXED}"),
        r"a write on \d+ made \d+",
    ),
    Mutation(
        "commit that nobody knows of, which is a fault of the service",
        UNAVAILABLE,
        '    "40003",  # nobody knows whether it was committed, in CockroachDB\n',
        "",
        Check("faults/test_waiting.py::test_writes_get_errors_of_distributed_engines", f"postgresql-sync-core-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "standbys of which one alone is read from",
        "template/{{postgresql}}/app/db/driver.py.jinja",
        '    server = {name: url.query[name] for name in ("host", "port") if name in url.query}\n',
        '    server = {name: url.query[name][0] for name in ("host", "port") if name in url.query}\n',
        Check("faults/test_standbys.py::test_standby_is_killed_and_follows_again", f"postgresql-async-orm-{MIXED}"),
        r"nothing is read from the other standby",
    ),
    Mutation(
        "standby that isn't read from",
        "template/{{postgresql}}/app/db/driver.py.jinja",
        "(settings.database_read_url if read_only else None) or settings.database_url",
        "settings.database_url",
        Check(
            "faults/test_standbys.py::test_read_after_write_is_old_until_the_standby_has_it",
            f"postgresql-sync-core-{MIXED}",
        ),
        r"200",
    ),
    Mutation(
        "standby that lacks tables and is called ready",
        "template/app/db/readiness.py.jinja",
        "        if self._read_engine is None:\n",
        "        if self._engine is not None:\n",
        Check(
            "faults/test_standbys.py::test_service_isnt_ready_until_the_standby_is_migrated",
            f"postgresql-sync-core-{MIXED}",
        ),
        r"assert 200 == 503",
    ),
    Mutation(
        "requests that are kept",
        "template/app/web/request_log.py.jinja",
        "        start = end = perf_counter()\n",
        '        start = end = perf_counter()\n        self.paths[len(self.paths)] = "kept" * 2_000\n',
        Check("faults/soak.py::test_nothing_grows", f"sqlite-async-orm-{MIXED}"),
        r"memory grew from",
    ),
    Mutation(
        "node that dies, which is a fault of the service",
        "template/{{mysql}}/app/db/driver_errors.py",
        IS_UNAVAILABLE,
        "    return needs_new_connection(error)\n",
        Check("faults/test_galera.py::test_node_is_killed_and_joins_again", f"mysql-sync-orm-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "node without its majority, which is a fault of the service",
        "template/{{mysql}}/app/db/driver_errors.py",
        "    1047,  # the node of a Galera cluster has lost the others\n",
        "",
        Check("faults/test_galera.py::test_node_loses_its_majority", f"mysql-sync-orm-{MIXED}"),
        r"no client has seen 503|Internal Server Error",
    ),
    Mutation(
        "node that takes the writes and dies, which is a fault of the service",
        "template/{{mysql}}/app/db/driver_errors.py",
        IS_UNAVAILABLE,
        "    return needs_new_connection(error)\n",
        Check("faults/test_galera.py::test_node_that_takes_the_writes_is_killed", f"mysql-async-core-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "server that is wanted, which asyncpg isn't told",
        "template/{{postgresql}}/app/db/hosts.py.jinja",
        '        wanted = options.get("target_session_attrs", "any")\n',
        '        wanted = "any"\n',
        Check("faults/test_patroni.py::test_primary_hands_over", f"postgresql-async-orm-{MIXED}"),
        r"It doesn't answer; its log",
    ),
    Mutation(
        "primary that is gone, which is a fault of the service",
        "template/{{postgresql}}/app/db/driver.py.jinja",
        "    report_unreachable(engine, OSError, hosts.connect)\n",
        "    report_unreachable(engine, TimeoutError, hosts.connect)\n",
        Check("faults/test_patroni.py::test_primary_is_killed_with_its_patroni", f"postgresql-async-core-{MIXED}"),
        r"Internal Server Error",
    ),
    Mutation(
        "server that is silent, which keeps the others from being tried",
        "template/{{postgresql}}/app/db/hosts.py.jinja",
        "        if not isinstance(hosts, list) or not isinstance(ports, list):\n",
        "        if hosts or ports:\n",
        Check("faults/test_failover.py::test_first_server_is_silent", f"postgresql-async-core-{MIXED}"),
        r"It doesn't answer; its log",
    ),
    Mutation(
        "server that takes no writes, which is a fault of the service",
        "template/{{server}}/app/db/connections.py.jinja",
        "(is_refused or needs_new_connection(error))",
        "needs_new_connection(error)",
        Check("faults/test_failover.py::test_no_server_takes_writes", f"postgresql-async-orm-{MIXED}"),
        r"Internal Server Error",
    ),
)

# The generator of resources.
RESOURCE = "copier_fastapi_sqlalchemy/resource"
RESOURCES = "resource/test_every_resource.py"
ALL_MIXINS = "sqlite-async-orm-timestamps+soft_delete+audit_log+optimistic_locking+full_text_search"


def kept(variant: str = ASYNC_ORM) -> Check:
    """Give the check of what a resource does over HTTP."""
    return Check(f"{RESOURCES}::test_contract_kept", variant)


GENERATED = (
    Mutation(
        "number that is taken as a date",
        f"{RESOURCE}/templates/support/web/numbers.py",
        "        float(value)\n",
        '        float(value if isinstance(value, bool) else "")\n',
        kept(),
        r"checks failed: .*test_values_beyond_the_edges_are_refused\(books\)",
    ),
    Mutation(
        "moments in the time zone of the server",
        "template/{{postgresql}}/app/db/driver.py.jinja",
        """    calls.append(f"set_config('TimeZone', 'UTC', {is_shared})")\n""",
        "",
        kept(POSTGRESQL),
        r"checks failed: .*test_values_at_the_edges_are_read_as_they_were_sent\(books\)",
    ),
    Mutation(
        "last moment in the time zone of the machine",
        "template/app/db/types.py.jinja",
        "time zone.\n        return None if value is None else value.replace(tzinfo=UTC)\n",
        "time zone.\n        return None if value is None else value.astimezone(UTC)\n",
        kept(ASYNCPG),
        r"checks failed: .*test_values_at_the_edges_are_read_as_they_were_sent\(books\)",
    ),
    Mutation(
        "secret that is shown",
        f"{RESOURCE}/view.py",
        "[field for field in self.columns if not field.field.secret],",
        "self.columns,",
        kept(),
        r"checks failed: .*test_record_is_created_and_read\(books\)",
    ),
    Mutation(
        "secret that lists are sorted by",
        f"{RESOURCE}/view.py",
        "if f.kind.sortable and not f.field.secret and",
        "if f.kind.sortable and",
        kept(),
        r"checks failed: .*test_records_are_sorted\(books\)",
    ),
    Mutation(
        "secret in the audit log",
        f"{RESOURCE}/column_view.py",
        'if field.secret and "audit_log" in answers.mixins',
        "if False",
        kept(AUDIT_LOG),
        r"checks failed: .*test_writes_are_in_the_audit_log\(books\)",
    ),
    Mutation(
        "unique field without a constraint",
        f"{RESOURCE}/column_view.py",
        'arguments += ["unique=True"]',
        'arguments += ["index=True"]',
        kept(),
        r"checks failed: .*test_taken_value_is_409\(books\)",
    ),
    Mutation(
        "fields that aren't unique together",
        f"{RESOURCE}/view.py",
        '[f"UniqueConstraint({_quoted(group)})" for group in together]',
        "[]",
        kept(),
        r"checks failed: test_bulk_creates_all_or_none\(order_items\), test_taken_value_is_409\(order_items\)",
    ),
    Mutation(
        "unique value of a deleted record that stays taken",
        f"{RESOURCE}/column_view.py",
        'if field.unique and "soft_delete" not in answers.mixins:',
        "if field.unique:",
        kept(SOFT_DELETE),
        r"Another book has this title, or this code",
    ),
    Mutation(
        "deletion of a reference that takes the record along",
        f"{RESOURCE}/fields.py",
        '"SET NULL" if self.nullable else "CASCADE"',
        '"CASCADE"',
        kept(),
        r"checks failed: test_deletion_of_a_reference_reaches_the_record\(books\)",
    ),
    Mutation(
        "decimal numbers as SQLite has them",
        f"{RESOURCE}/types.py",
        '        columns={"sqlite": "ScaledDecimal({0}, {1})"},\n',
        "",
        kept(SYNC_CORE),
        r"SAWarning|test_values_at_the_edges_are_read_as_they_were_sent\(order_items\)",
    ),
    Mutation(
        "decimal number with its zeros",
        f"{RESOURCE}/templates/support/web/decimals.py",
        'PlainSerializer(plain_number, str, when_used="json")',
        'PlainSerializer(str, str, when_used="json")',
        kept(),
        r"checks failed: .*test_values_at_the_edges_are_read_as_they_were_sent\(books\)",
    ),
    Mutation(
        "integer that the column can't hold",
        f"{RESOURCE}/types.py",
        "accepts=_INT.format(31),",
        "accepts=_INT.format(32),",
        kept(),
        r"checks failed: .*test_values_beyond_the_edges_are_refused\(books\)",
    ),
    Mutation(
        "boolean that is a number",
        f"{RESOURCE}/types.py",
        'accepts="StrictBool",',
        'accepts="bool",',
        kept(),
        r"checks failed: .*test_values_beyond_the_edges_are_refused\(books\)",
    ),
    Mutation(
        "interval without microseconds",
        f"{RESOURCE}/templates/support/db/durations.py",
        "value // MICROSECOND",
        "int(value.total_seconds()) * 1_000_000",
        kept(),
        r"checks failed: .*test_values_at_the_edges_are_read_as_they_were_sent\(books\)",
    ),
    Mutation(
        "text that is too long",
        f"{RESOURCE}/types.py",
        'f"Annotated[str, StringConstraints(max_length=10_000), {TEXT}]",',
        'f"Annotated[str, {TEXT}]",',
        kept(),
        r"checks failed: .*test_values_beyond_the_edges_are_refused\(books\)",
    ),
    Mutation(
        "default that isn't one of the body",
        f"{RESOURCE}/column_view.py",
        'return f"{self.column_name}: {self.accepts}" + (f" = {self.default}" if self.default is not None else "")',
        'return f"{self.column_name}: {self.accepts}"',
        kept(),
        r"checks failed: .*test_field_that_is_left_out_has_its_default\(books\)",
    ),
    Mutation(
        "null for a field that can't be null",
        f"{RESOURCE}/column_view.py",
        'else f"Patchable[{self.accepts}]"',
        'else f"{self.accepts} | None"',
        kept(),
        r"checks failed: .*test_null_is_for_fields_that_can_be_null\(books\)",
    ),
    Mutation(
        "field that no list is filtered by",
        f"{RESOURCE}/column_view.py",
        "bool(indexed or self.kind.always_filtered)",
        "bool(indexed)",
        kept(),
        r"checks failed: test_records_are_filtered\(books\)",
    ),
    Mutation(
        "key that is twice in a list",
        f"{RESOURCE}/many_view.py",
        ", AfterValidator(without_duplicates)]",
        "]",
        kept(SYNC_CORE),
        r"checks failed: .*test_lists_are_replaced\(books\)",
    ),
    Mutation(
        "list that doesn't move the version",
        f"{RESOURCE}/templates/core/repository.py.jinja",
        "            await self.touch(book_id)  # a book changes with its lists\n",
        "            pass\n",
        kept(LOCKING),
        r"checks failed: .*test_patch_changes_one_field_alone\(books\)",
    ),
    Mutation(
        "list that keeps what was taken out of it",
        f"{RESOURCE}/templates/core/repository.py.jinja",
        "if gone := present.difference(keys):",
        "if gone := present.intersection(()):",
        kept(SYNC_CORE),
        r"checks failed: test_lists_are_replaced\(books\)",
    ),
    Mutation(
        "sort that is ignored",
        f"{RESOURCE}/view.py",
        '"sortable": self._dictionary(["id", *sortable]),',
        '"sortable": self._dictionary(["id"]),',
        kept(),
        r"checks failed: .*test_records_are_sorted\(books\)",
    ),
    Mutation(
        "problem that OpenAPI doesn't declare",
        f"{RESOURCE}/templates/router.py.jinja",
        '@router.post("{{at}}/bulk-delete", responses=problems(400, 404, 413))',
        '@router.post("{{at}}/bulk-delete", responses=problems(400, 413))',
        kept(),
        r"doesn't declare 404",
    ),
    Mutation(
        "more rows than a bulk call takes",
        f"{RESOURCE}/templates/schemas.py.jinja",
        "BookBulkCreate = Annotated[list[BookFields], Field(min_length=1, max_length=1000)]",
        "BookBulkCreate = Annotated[list[BookFields], Field(min_length=1)]",
        kept(),
        r"checks failed: test_bulk_creates_all_or_none\(books\)",
    ),
    Mutation(
        "field that isn't searched",
        f"{RESOURCE}/view.py",
        '"searched": _quoted(searched),',
        '"searched": _quoted(searched[:1]),',
        kept(SEARCH),
        r"checks failed: test_records_are_found_by_their_words\(books\)",
    ),
    Mutation(
        "import that isn't used",
        f"{RESOURCE}/render.py",
        '"I,F401,F811"',
        '"I,F811"',
        Check(f"{RESOURCES}::test_clean"),
        r"F401",
    ),
    Mutation(
        "code that isn't formatted",
        f"{RESOURCE}/formatting.py",
        '(["check", "--select", rules, "--fix", "--exit-zero"], ["format"])',
        '(["check", "--select", rules, "--fix", "--exit-zero"],)',
        Check(f"{RESOURCES}::test_clean"),
        r"would be reformatted|error",
    ),
    Mutation(
        "value of another type than its annotation",
        f"{RESOURCE}/templates/tests/test_router.py.jinja",
        "def path_of(book: dict[str, Any]) -> str:",
        "def path_of(book: dict[str, Any]) -> int:",
        Check(f"{RESOURCES}::test_typed"),
        r"error: ",
    ),
    Mutation(
        "table that app/tables.py doesn't import",
        f"{RESOURCE}/register.py",
        'return source if _imports_it(file, module) else _with_import(file, f"import {module}")',
        "return source if file else module",
        Check(f"{RESOURCES}::test_written"),
        r"app/tables\.py",
    ),
    Mutation(
        "shared file that stays without its users",
        f"{RESOURCE}/changes.py",
        "    texts |= dict.fromkeys(_unneeded(project, resource, texts))\n",
        "",
        Check(f"{RESOURCES}::test_removed"),
        r"app/db/decimals\.py",
    ),
    Mutation(
        "test that expects another answer",
        f"{RESOURCE}/templates/tests/test_router.py.jinja",
        'assert deleted.json() == {"count": len({{ rows }})}',
        'assert deleted.json() == {"count": 0}',
        Check(f"{RESOURCES}::test_tested"),
        r"def test_bulk|test_bulk_",
    ),
    Mutation(
        "filters of a list that the tests of a resource would not miss",
        f"{RESOURCE}/templates/orm/repository.py.jinja",
        "statement = statement.where(column == value)\n",
        "statement = statement.where(column == column)\n",
        Check(f"{RESOURCES}::test_tested"),
        r"test_\w+_are_filtered",
    ),
    Mutation(
        "order of a list that the tests of a resource would not miss",
        f"{RESOURCE}/view.py",
        '"sortable": self._dictionary(["id", *sortable]),',
        '"sortable": self._dictionary(["id", *sortable]).replace(".title,", ".id,"),',
        Check(f"{RESOURCES}::test_tested", SYNC_CORE),
        r"test_\w+_are_sorted",
    ),
    Mutation(
        "tag of two words that is no router's",
        f"{RESOURCE}/register.py",
        "json.dumps(entry.tag)",
        "json.dumps(entry.name)",
        Check(f"{RESOURCES}::test_tested"),
        r"test_described_tags_are_in_use",
    ),
    Mutation(
        "record that is locked before what it refers to",
        f"{RESOURCE}/view.py",
        '"requires_first": bool(changed)\n',
        '"requires_first": bool(changed and orm is None)\n',
        kept("postgresql-async-orm-optimistic_locking"),
        r"checks failed: .*test_reference_is_locked_before_the_record_that_is_changed\(books\)",
    ),
)

# Telemetry.
TRACES = "service/test_telemetry.py"
TRACED = (
    Mutation(
        "values of a statement in its span",
        "template/app/db/telemetry.py",
        '"db.query.text": statement[:MAX_LENGTH]}',
        '"db.query.text": f"{statement} {_parameters}"}',
        Check(f"{TRACES}::test_trace_of_a_request_has_its_statements"),
        r"assert not True",
    ),
    Mutation(
        "failed statement without the type of its error",
        "template/app/db/telemetry.py",
        "finish(context.execution_context, context.original_exception)",
        "finish(context.execution_context)",
        Check(f"{TRACES}::test_failures_have_the_type_of_their_error", SYNC_CORE),
        r"assert Counter",
    ),
    Mutation(
        "metrics that Prometheus isn't given",
        "template/app/web/metrics.py",
        "generate_latest(REGISTRY)",
        "generate_latest(CollectorRegistry())",
        Check(f"{TRACES}::test_dashboard_asks_for_metrics_that_are_served", SYNC_CORE),
        r"http_server_request_duration_seconds_count",
    ),
)


def of_accounts(test: str, variant: str = ACCOUNTS) -> Check:
    """Check a service with accounts."""
    return Check(f"contract/test_accounts.py::{test}", variant)


# Who may do what.
ACCESS = (
    Mutation(
        "attempts that aren't limited",
        "template/{{password}}/app/auth/throttle.py.jinja",
        "        if tries + further > limits[subject]:\n",
        "        if tries + further > 2 * limits[subject]:\n",
        of_accounts("test_throttled_login_says_when_to_try_again"),
        r"assert 200 == 429|assert 429",
    ),
    Mutation(
        "attempts at once that aren't counted",
        "template/{{password}}/app/auth/throttle.py.jinja",
        "    await _check(db, limits, now)  # others may have tried at once\n",
        "",
        of_accounts("test_attempts_at_once_are_no_more_than_attempts_in_turn", ON_A_SERVER),
        r"assert \d+ == 10",
    ),
    Mutation(
        "wait for old attempts",
        "template/{{password}}/app/auth/throttle.py.jinja",
        "with_for_update(skip_locked=True)",
        "with_for_update()",
        of_accounts("test_old_attempts_are_forgotten_without_a_wait", ON_A_SERVER),
        r"assert 503 == 401",
    ),
    Mutation(
        "wait for expired sessions",
        "template/{{orm}}/app/auth/repository.py.jinja",
        "with_for_update(skip_locked=True)",
        "with_for_update()",
        of_accounts("test_expired_sessions_are_deleted_without_a_wait", ON_A_SERVER),
        r"503 Service Unavailable|\"status\": 503",
    ),
    Mutation(
        "expired sessions that stay",
        "template/{{password}}/app/auth/service.py.jinja",
        "            await accounts.forget_expired_sessions(digest)\n",
        "",
        of_accounts("test_login_deletes_sessions_of_others_that_have_expired"),
        r"isdisjoint",
    ),
    Mutation(
        "attempts that are counted though nobody checks them",
        "template/{{password}}/app/auth/service.py.jinja",
        "    @place_in_queue()\n    async def log_in",
        "    async def log_in",
        Check("rendered/test_project_tests.py::test_project_tests_pass", ACCOUNTS),
        r"test_long_queue_for_the_hasher_is_503_and_counts_no_attempt",
    ),
    Mutation(
        "cookie of another origin",
        "template/app/auth/dependencies.py.jinja",
        "        require_same_origin(request)\n",
        "        pass\n",
        of_accounts("test_cookie_is_for_the_same_origin"),
        r"== 403",
    ),
    Mutation(
        "row of another function of the name",
        "template/app/auth/dependencies.py.jinja",
        "        if functions.setdefault(route.name, route.endpoint) != route.endpoint:\n",
        "        if functions.setdefault(route.name, route.endpoint) is None:\n",
        Check("rendered/test_project_tests.py::test_project_tests_pass", ACCOUNTS),
        r"test_two_routes_of_one_name_stop_the_start",
    ),
    Mutation(
        "row of another user",
        "template/app/auth/dependencies.py.jinja",
        "    if not identity.owns_row:",
        "    if not identity:",
        of_accounts("test_role_decides_what_may_be_called"),
        r"== 403",
    ),
    Mutation(
        "row that another user is adding",
        "template/app/auth/rules.py.jinja",
        "    return row[0] == caller.id if row else None\n",
        "    return row[0] == caller.id if row else True\n",
        of_accounts("test_row_that_is_being_added_is_nobodys"),
        r"assert 503 == 404",
    ),
    Mutation(
        "session that is alive again",
        "template/{{orm}}/app/users/repository.py.jinja",
        "        user = await self.get_for_update(user_id, WITH_PROFILE)\n        #{% if password %}",
        "        user = await self.get_for_update(user_id, WITH_PROFILE)\n        #{% if password and audit_log %}",
        of_accounts("test_deactivated_user_is_out_for_good"),
        r"== 401",
    ),
    Mutation(
        "last admin who goes",
        "template/app/auth/rules.py.jinja",
        "    if set(ids).issubset(user_ids):\n",
        "    if not ids:\n",
        of_accounts("test_one_of_two_admins_who_remove_each_other_stays"),
        r"\(2, 0\) == \(1, 1\)",
    ),
    Mutation(
        "admins who aren't locked",
        "template/app/auth/rules.py.jinja",
        "    await db.execute(both.with_for_update())\n",
        "",
        of_accounts("test_one_of_two_admins_who_remove_each_other_stays", ON_A_SERVER),
        r"\(2, 0\) == \(1, 1\)",
    ),
    Mutation(
        "login of a user who was deactivated meanwhile",
        "template/{{orm}}/app/auth/repository.py.jinja",
        "        if not await self.lock_user(account.user_id):\n            return False\n",
        "",
        Check("rendered/test_project_tests.py::test_project_tests_pass", ACCOUNTS),
        r"test_account_that_changes_while_its_password_is_checked_is_refused",
    ),
)


def of_tokens(test: str, **given: str) -> Check:
    """Check a service that takes the tokens of an identity provider."""
    return Check(f"contract/test_oidc.py::{test}", OIDC, given)


OIDC_TESTS = Check("rendered/test_project_tests.py::test_project_tests_pass", OIDC)
TOKENS = (
    Mutation(
        "token for another service",
        "template/{{oidc}}/app/auth/tokens.py.jinja",
        '"enforce_minimum_key_length": True}',
        '"enforce_minimum_key_length": True, "verify_aud": False}',
        of_tokens("test_invalid_token_is_401", kind="another-audience"),
        r'"role":"reader"',
    ),
    Mutation(
        "token that is over",
        "template/{{oidc}}/app/auth/tokens.py.jinja",
        "LEEWAY = 30 ",
        "LEEWAY = 3600 ",
        of_tokens("test_invalid_token_is_401", kind="expired"),
        r'"role":"reader"',
    ),
    Mutation(
        "keys that are fetched for each unknown one",
        "template/{{oidc}}/app/auth/keys.py.jinja",
        "if monotonic() - self._tried_at < pause:",
        "if pause < 0:",
        of_tokens("test_token_of_a_new_key_is_valid_and_unknown_keys_are_asked_for_seldom"),
        r"assert .* <= ",
    ),
    Mutation(
        "new key with the id of an old one",
        "template/{{oidc}}/app/auth/tokens.py.jinja",
        "algorithm, unfit=key)",
        "algorithm)",
        OIDC_TESTS,
        r"test_new_key_with_the_id_of_an_old_one_is_valid_after_a_fetch",
    ),
    Mutation(
        "endless wait for keys",
        "template/{{oidc}}/app/auth/keys.py.jinja",
        "await wait_for(shield(wrap_future(fetching)), 2 * TIMEOUT)",
        "await wait_for(shield(wrap_future(fetching)), 2 * LAST_AGE)",
        OIDC_TESTS,
        r"test_request_does_not_wait_longer_than_a_fetch_may_take",
    ),
    Mutation(
        "endless answer of the provider",
        "template/{{oidc}}/app/auth/timed_http.py",
        "        seconds = self.deadline - monotonic()\n",
        "        seconds = 5\n",
        OIDC_TESTS,
        r"test_slow_document_is_given_up",
    ),
    Mutation(
        "private key that verifies",
        "template/{{oidc}}/app/auth/keys.py.jinja",
        ' or "d" in key',
        "",
        OIDC_TESTS,
        r"test_private_key_that_is_published_verifies_nothing",
    ),
    Mutation(
        "logout token that is taken",
        "template/{{oidc}}/app/auth/tokens.py.jinja",
        ".lower() not in TYPES:",
        '.lower() == "none":',
        OIDC_TESTS,
        r"test_token_of_another_type_is_refused",
    ),
    Mutation(
        "token without a time that is the newest",
        "template/{{oidc}}/app/auth/tokens.py.jinja",
        'claims.get("iat", 0)',
        'claims.get("iat", claims["exp"])',
        OIDC_TESTS,
        r"test_tokens_without_a_time_do_not_take_turns",
    ),
    Mutation(
        "role that an admin seems to write",
        "template/app/users/schemas.py.jinja",
        "    #{% if not oidc %}\n    role: Patchable[Role] = None\n    #{% endif %}\n",
        "    role: Patchable[Role] = None\n",
        OIDC_TESTS,
        r"test_role_is_written_by_tokens_alone",
    ),
    Mutation(
        "subject of a user who is deleted",
        "template/{{oidc}}/app/auth/provisioning.py.jinja",
        "    found = found.where(users.c.deleted_at.is_(None))\n",
        "    found = found.where(users.c.id.is_not(None))\n",
        Check("rendered/test_project_tests.py::test_project_tests_pass", OIDC_THAT_HIDES),
        r"test_deleted_user_is_not_linked",
    ),
    Mutation(
        "linked user whom no token in use updates",
        "template/{{oidc}}/app/auth/provisioning.py.jinja",
        "values(user_id=user_id, issued_at=NEVER)",
        "values(user_id=user_id)",
        OIDC_TESTS,
        r"test_linked_user_follows_a_token_already_in_use",
    ),
    Mutation(
        "owner who is asked of a replica",
        "template/app/auth/dependencies.py.jinja",
        "    async with db.read_primary() as transaction:\n",
        "    async with db.read() as transaction:\n",
        Check("rendered/test_project_tests.py::test_project_tests_pass", "postgresql-async-orm-timestamps-oidc"),
        r"test_who_calls_is_read_on_the_primary",
    ),
    Mutation(
        "threads that all wait for the provider",
        "template/{{oidc}}/app/auth/keys.py.jinja",
        "BoundedSemaphore(WAITING)",
        "BoundedSemaphore(2 * WAITING)",
        Check("rendered/test_project_tests.py::test_project_tests_pass", "sqlite-sync-core-timestamps-oidc"),
        r"test_provider_that_hangs_holds_few_threads",
    ),
    Mutation(
        "race of first requests that is lost",
        "template/{{oidc}}/app/auth/provisioning.py.jinja",
        "        except DuplicateError:\n            if await find_user",
        "        except NotFoundError:\n            if await find_user",
        of_tokens("test_first_requests_at_once_make_one_user"),
        r"assert \{.*409",
    ),
    Mutation(
        "deactivated user with a token",
        "template/{{oidc}}/app/auth/provisioning.py.jinja",
        "    if user is None or not is_welcome(user):",
        "    if user is None:",
        of_tokens("test_deactivated_user_is_out_until_activated"),
        r"== .*403",
    ),
)

SECRET = Check("service/test_secrets.py::test_password_of_the_database_is_never_shown", POSTGRESQL)
SECRETS = (
    Mutation(
        "password in a dump of the settings",
        "template/app/settings.py.jinja",
        "InstanceOf[URL], NoDecode, BeforeValidator(parse_url), WITHOUT_PASSWORD",
        "InstanceOf[URL], NoDecode, BeforeValidator(parse_url)",
        SECRET,
        r"assert 'hunter2' not in",
    ),
    Mutation(
        "password that is taken for the host",
        "template/{{postgresql}}/app/db/url.py.jinja",
        "    if isinstance(value, str) and UNQUOTED_AT.match(",
        "    if not isinstance(value, str) and UNQUOTED_AT.match(",
        SECRET,
        r"assert 'write an @",
    ),
)

MIXINS = (*SOFTLY_DELETED, *AUDITED, *LOCKED, *SEARCHED)
SERVED = (*FAULTS, *UNDER_LOAD, *TRACED, *ACCESS, *TOKENS, *SECRETS)
MUTATIONS = (*WRITTEN, *HELD, *REQUIRED, *MIGRATIONS, *TRANSACTIONS, *QUERIES, *ANSWERS, *SERVED, *MIXINS, *GENERATED)
