"""The choices that the template makes for speed, and what else there was."""

# An edit of a rendered project: a file, what it has once, and what it has instead.
Edit = tuple[str, str, str]

CREATED = 'response.headers["Location"] = f"{request.url.path}/{user.id}"\n    return UserDetail.model_validate(user)'
READ = "UserRepository(transaction).detail(user_id)\n    return UserDetail.model_validate(user)"
USERS = 'router = APIRouter(prefix="/users", tags=["users"], route_class=StrictRoute)\n'
DEPENDENCY = """
from collections.abc import AsyncIterator

async def user_repository(db: DatabaseDep) -> AsyncIterator[UserRepository]:
    async with db.read() as transaction:
        yield UserRepository(transaction)
"""
OPENED = """    db: DatabaseDep,
) -> UserDetail:
    async with db.read() as transaction:
        user = await UserRepository(transaction).detail(user_id)
"""
GIVEN = """    users: Annotated[UserRepository, Depends(user_repository)],
) -> UserDetail:
    user = await users.detail(user_id)
"""
HEAD = "    app.add_middleware(AnswerHead)\n"
MIDDLEWARE = """
    @app.middleware("http")
    async def passing(request, call_next):
        return await call_next(request)

"""
PRAGMA = '"synchronous = NORMAL"'

# Each choice undone, in a service on PostgreSQL with asyncpg and the ORM.
UNDONE: dict[str, tuple[Edit, ...]] = {
    "a ping before every use": (
        ("app/db/driver.py", '"pool_size": settings', '"pool_pre_ping": True, "pool_size": settings'),
    ),
    "a transaction around reads": (("app/db/driver.py", 'options["isolation_level"]', 'options["no"]'),),
    "writes not refused": (("app/db/engine.py", "    refuse_writes(engine.sync_engine)\n", ""),),
    "a statement built for each request": (
        ("app/users/repository.py", "self.one(DETAIL, user_id)", "self.get(user_id, joinedload(User.profile))"),
    ),
    "tags by `selectinload`": (("app/posts/repository.py", "joinedload(Post.tags))", "selectinload(Post.tags))"),),
    "the contents of a page's posts loaded": (
        ("app/posts/repository.py", ".options(NO_CONTENT, joinedload", ".options(joinedload"),
    ),
    "a user's response validated twice": (
        ("app/users/router.py", CREATED, f"{CREATED}.model_dump()"),
        ("app/users/router.py", READ, f"{READ}.model_dump()"),
    ),
    "a repository as a dependency": (
        ("app/users/router.py", "from fastapi import APIRouter, ", "from fastapi import APIRouter, Depends, "),
        ("app/users/router.py", USERS, USERS + DEPENDENCY),
        ("app/users/router.py", OPENED, GIVEN),
    ),
    "a middleware by `@app.middleware`": (("app/main.py", HEAD, HEAD + MIDDLEWARE),),
    "garbage collected as by default": (("app/main.py", "        spare_collections()\n", ""),),
}

# What serves, as worker.py has it.
SERVED = {
    "uvicorn with its access log": "log",
    "uvicorn with asyncio's loop": "asyncio",
    "uvicorn with h11": "h11",
    "granian, with uvloop": "granian",
}

# The asynchronous drivers of PostgreSQL and of MySQL; the first of each is the template's.
DRIVEN = (("postgresql+asyncpg", "postgresql+psycopg"), ("mysql+asyncmy", "mysql+aiomysql"))

# One setting changed, in a service on SQLite with aiosqlite and the ORM.
SETTINGS: dict[str, tuple[Edit, ...]] = {
    "`journal_mode = DELETE`": (("app/db/driver.py", "journal_mode = WAL", "journal_mode = DELETE"),),
    "`synchronous = FULL`": (("app/db/driver.py", PRAGMA, '"synchronous = FULL"'),),
    "`cache_size` of 64 MiB": (("app/db/driver.py", PRAGMA, f'{PRAGMA}, "cache_size = -65536"'),),
    "`mmap_size` of 256 MiB": (("app/db/driver.py", PRAGMA, f'{PRAGMA}, "mmap_size = 268435456"'),),
    "statements not kept prepared": (
        ("app/db/driver.py", '{"isolation_level": None', '{"cached_statements": 0, "isolation_level": None'),
    ),
}
