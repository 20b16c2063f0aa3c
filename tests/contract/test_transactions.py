"""Many clients at once: nothing is lost, nothing is half done, nothing fails."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest
from httpx2 import Response
from sqlalchemy import Engine, text

from .blog import Blog, concurrently, ids, new_email, new_user, retry_on_503, statuses, unique_word
from .storage import Storage

pytestmark = pytest.mark.example

THREADS = 8
TURNS = 6


def test_one_of_concurrent_users_with_an_email_is_created(blog: Blog, stored: Storage) -> None:
    for _ in range(2):
        email = new_email()
        post = partial(blog.post, "/users", expect=(201, 409))
        found = statuses(partial(post, new_user(email=email)) for _ in range(THREADS))
        assert found == {201: 1, 409: THREADS - 1}
        assert stored.count("users", email=email) == 1


def test_one_of_concurrent_patches_to_an_email_succeeds(blog: Blog, stored: Storage) -> None:
    email, users = new_email(), [blog.add_user()["id"] for _ in range(THREADS)]
    patch = partial(blog.patch, body={"email": email}, expect=(200, 409))
    found = statuses(partial(patch, f"/users/{user}") for user in users)
    assert found == {200: 1, 409: THREADS - 1}
    assert stored.count("users", email=email) == 1


def test_one_of_concurrent_bulks_with_an_email_is_created(blog: Blog, stored: Storage) -> None:
    word, email = unique_word(), new_email()
    batches = [
        [*({"email": new_email(), "name": word} for _ in range(5)), {"email": email, "name": word}]
        for _ in range(THREADS)
    ]
    create = partial(retry_on_503, blog.post, "/users/bulk")  # MySQL can call the race for the email a deadlock
    found = statuses(partial(create, batch, expect=(201, 409)) for batch in batches)
    assert found == {201: 1, 409: THREADS - 1}
    assert stored.count("users", name=word) == 6


def test_concurrent_posts_with_the_same_new_tags_are_created(blog: Blog, stored: Storage) -> None:
    author = blog.add_user()["id"]
    for _ in range(2):
        names = [unique_word() for _ in range(4)]
        orders = [names[turn % 4 :] + names[: turn % 4] for turn in range(THREADS)]
        made = concurrently([partial(blog.add_post, author, tags=order) for order in orders])
        assert all(post["tags"] == sorted(names) for post in made)
        for name in names:
            tag = stored.row("tags", name=name)["id"]
            linked = {link["post_id"] for link in stored.rows("post_tags", tag_id=tag)}
            assert linked == set(ids(made))


def test_concurrent_posts_with_overlapping_new_tags_are_created(blog: Blog, stored: Storage) -> None:
    author = blog.add_user()["id"]
    for _ in range(4):
        names = sorted(unique_word() for _ in range(12))
        wanted = [names[number : number + 5] for number in range(8)]
        made = concurrently([partial(blog.add_post, author, tags=tags[::-1]) for tags in wanted])
        assert [post["tags"] for post in made] == wanted
        counts = [stored.count("post_tags", tag_id=stored.row("tags", name=name)["id"]) for name in names]
        assert counts == [1, 2, 3, 4, 5, 5, 5, 5, 4, 3, 2, 1]


def test_concurrent_patches_link_each_tag_once(blog: Blog, stored: Storage) -> None:
    post, names = blog.add_post(tags=[unique_word()])["id"], sorted(unique_word() for _ in range(4))
    patch = partial(blog.patch, f"/posts/{post}", {"tags": names})
    assert statuses([patch] * THREADS) == {200: THREADS}
    assert blog.item(f"/posts/{post}")["tags"] == names
    assert stored.count("post_tags", post_id=post) == 4


def test_concurrent_profiles_leave_one(blog: Blog, stored: Storage) -> None:
    user = blog.add_user()["id"]
    put = partial(blog.put, f"/users/{user}/profile", expect=(200, 201))
    found = statuses(partial(put, {"bio": f"{number}"}) for number in range(THREADS))
    assert found == {201: 1, 200: THREADS - 1}
    assert stored.count("profiles", user_id=user) == 1


def test_one_of_concurrent_deletes_succeeds(blog: Blog) -> None:
    post = blog.add_post(tags=[unique_word()])
    comment = blog.add_comment(post["id"], post["author_id"])["id"]
    for path in (f"/comments/{comment}", f"/posts/{post['id']}", f"/users/{post['author_id']}"):
        delete = partial(blog.delete, path, expect=(204, 404))
        assert statuses([delete] * THREADS) == {204: 1, 404: THREADS - 1}


@pytest.mark.locks
def test_change_concurrent_with_delete_is_200_or_404(blog: Blog, stored: Storage) -> None:
    for _ in range(2):
        post = blog.add_post(tags=[unique_word()])
        user = post["author_id"]
        comment = {"author_id": user, "content": "C"}
        text = {"author_id": user, "title": "T", "content": "C", "tags": [unique_word()]}
        found = statuses(
            [
                partial(retry_on_503, blog.delete, f"/users/{user}", expect=(204,)),
                partial(retry_on_503, blog.patch, f"/users/{user}", {"name": "New"}, expect=(200, 404)),
                partial(retry_on_503, blog.put, f"/users/{user}/profile", {"bio": ""}, expect=(200, 201, 404)),
                partial(retry_on_503, blog.patch, f"/posts/{post['id']}", {"tags": [unique_word()]}, expect=(200, 404)),
                partial(retry_on_503, blog.post, f"/posts/{post['id']}/comments", comment, expect=(201, 404, 422)),
                partial(retry_on_503, blog.post, "/posts", text, expect=(201, 422)),
                partial(retry_on_503, blog.delete, f"/posts/{post['id']}", expect=(204, 404)),
                partial(blog.get, f"/posts/{post['id']}", expect=(200, 404)),
            ]
        )
        assert sum(found.values()) == THREADS
        blog.get(f"/users/{user}", expect=404)
        assert stored.count("profiles", user_id=user) == 0
        assert stored.count("posts", author_id=user) == 0
        assert stored.count("comments", author_id=user) == 0
        assert stored.count("post_tags", post_id=post["id"]) == 0


@pytest.mark.locks
def test_comment_concurrent_with_delete_of_its_post_is_deleted(blog: Blog, stored: Storage) -> None:
    friend = blog.add_user()["id"]
    for path in ("/users/{author_id}", "/posts/{id}"):
        post = blog.add_post()
        comment = partial(blog.post, f"/posts/{post['id']}/comments", {"author_id": friend, "content": "C"})
        delete = partial(retry_on_503, blog.delete, path.format_map(post), expect=(204,))
        comments = [partial(retry_on_503, comment, expect=(201, 404))] * (THREADS - 1)
        found = statuses([delete, *comments])
        assert found[204] == 1
        assert stored.count("comments", post_id=post["id"]) == 0


@contextmanager
def deleted_at_the_end(db: Engine, stored: Storage, table: str, key: int) -> Iterator[None]:
    """Hold the lock of a deletion that is committed at the end of the block."""
    with db.begin() as connection:
        if db.dialect.name != "sqlite":
            connection.execute(text(f"SELECT id FROM {table} WHERE id = {key} FOR UPDATE"))  # noqa: S608
        hide = f"UPDATE {table} SET deleted_at = CURRENT_TIMESTAMP"  # noqa: S608
        delete = hide if stored.hides else f"DELETE FROM {table}"  # noqa: S608
        connection.execute(text(f"{delete} WHERE id = {key}"))
        yield


@pytest.mark.locks
@pytest.mark.parametrize(
    ("path", "absent", "status"),
    [
        ("/posts/{post}/comments", "posts", 404),
        ("/posts/{post}/comments", "users", 422),
        ("/posts", "users", 422),
        ("/users/{user}/profile", "users", 404),
    ],
)
def test_create_reports_parent_that_is_deleted_meanwhile(
    blog: Blog, db: Engine, stored: Storage, path: str, absent: str, status: int
) -> None:
    user, post = blog.add_user()["id"], blog.add_post()["id"]
    method, body = "POST", {"author_id": user, "content": "C"}
    if path == "/posts":
        body["title"] = "T"
    elif path.endswith("profile"):
        method, body = "PUT", {"bio": ""}
    key = post if absent == "posts" else user
    with ThreadPoolExecutor(1) as threads:
        with deleted_at_the_end(db, stored, absent, key):
            request = threads.submit(blog.call, method, path.format(post=post, user=user), status, body)
            with pytest.raises(TimeoutError):
                request.result(timeout=0.5)  # it waits for the lock
        response = request.result()
    if status == 422:
        (error,) = response.json()["errors"]
        assert error["location"] == ["body", "author_id"]


def check_that_author_is_locked_first(db: Engine, post: dict[str, int], request: Callable[[], Response]) -> None:
    """Check that a request that writes to a post has no lock of the post while it waits for the author's.

    A deletion of the author locks the author first: the other way round the two would meet in a deadlock.
    """
    user, row = (f"SELECT id FROM {table} WHERE id = " for table in ("users", "posts"))  # noqa: S608
    with ThreadPoolExecutor(1) as threads:
        with db.begin() as connection:
            connection.execute(text(f"{user}{post['author_id']} FOR UPDATE"))
            response = threads.submit(request)
            with pytest.raises(TimeoutError):
                response.result(timeout=0.5)  # it waits for the author
            connection.execute(text(f"{row}{post['id']} FOR UPDATE NOWAIT"))
        response.result()


@pytest.mark.database("postgresql", "mysql")
def test_post_is_changed_without_a_lock_of_its_author(blog: Blog, db: Engine) -> None:
    post = blog.add_post()
    with db.begin() as connection:
        connection.execute(text(f"SELECT id FROM users WHERE id = {post['author_id']} FOR UPDATE"))  # noqa: S608
        blog.patch(f"/posts/{post['id']}", {"title": "New"})


@pytest.mark.locks
@pytest.mark.mixin("optimistic_locking")
@pytest.mark.database("postgresql", "mysql")
def test_author_is_locked_before_post_that_is_commented(blog: Blog, db: Engine) -> None:
    post = blog.add_post()
    body = {"author_id": post["author_id"], "content": "C"}
    comment = partial(blog.post, f"/posts/{post['id']}/comments", body, if_match="*")
    check_that_author_is_locked_first(db, post, comment)


@pytest.mark.locks
@pytest.mark.mixin("optimistic_locking")
@pytest.mark.mixin("soft_delete")
@pytest.mark.database("postgresql", "mysql")
def test_author_is_locked_before_post_that_is_restored(blog: Blog, db: Engine) -> None:
    post = blog.add_post()
    blog.delete(f"/posts/{post['id']}")
    check_that_author_is_locked_first(db, post, partial(blog.restore, f"/posts/{post['id']}", if_match="*"))


def test_users_who_comment_on_each_other_can_be_deleted_concurrently(blog: Blog, stored: Storage) -> None:
    for _ in range(2):
        posts = [blog.add_post() for _ in range(2)]
        for post, other in zip(posts, posts[::-1], strict=True):
            blog.add_comment(post["id"], other["author_id"])
        found = statuses(
            partial(retry_on_503, blog.delete, f"/users/{post['author_id']}", expect=(204,)) for post in posts
        )
        assert found == {204: 2}
        assert not any(stored.count("comments", post_id=post["id"]) for post in posts)


def test_concurrent_writers_lose_nothing(blog: Blog, stored: Storage) -> None:
    shared = blog.add_post()
    own = [blog.add_post() for _ in range(4)]

    def write(post: dict[str, int], writer: int) -> None:
        for turn in range(TURNS):
            text = f"{writer} {turn}"
            blog.add_comment(shared["id"], post["author_id"], text)
            blog.patch(f"/posts/{(shared if turn % 3 else post)['id']}", {"title": text, "tags": [unique_word()]})

    concurrently([partial(write, post, writer) for writer, post in enumerate(own)])

    path = f"/posts/{shared['id']}/comments"
    written = [comment["content"] for comment in blog.all_pages(path)]
    assert sorted(written) == sorted(f"{writer} {turn}" for writer in range(4) for turn in range(TURNS))
    assert stored.count("comments", post_id=shared["id"]) == 4 * TURNS
    for writer, post in enumerate(own):
        assert blog.item(f"/posts/{post['id']}")["title"] == f"{writer} {TURNS - 3}"
    assert blog.item(f"/posts/{shared['id']}")["title"] in {f"{writer} {TURNS - 1}" for writer in range(4)}
    assert stored.count("post_tags", post_id=shared["id"]) == 1


def test_written_row_is_read_at_once(blog: Blog, stored: Storage) -> None:
    def make_and_read(_: int) -> None:
        for _ in range(2):
            user = blog.add_user()
            assert stored.count("users", id=user["id"]) == 1
            assert blog.item(f"/users/{user['id']}") == user
            blog.delete(f"/users/{user['id']}")
            assert stored.count("users", id=user["id"]) == 0

    concurrently([partial(make_and_read, number) for number in range(4)])


def test_100_concurrent_clients_are_served(blog: Blog) -> None:
    reads = [partial(blog.get, "/users", size=1) for _ in range(100)]
    assert statuses(reads) == {200: 100}
    writes = [partial(blog.post, "/users", new_user()) for _ in range(100)]
    assert statuses(writes) == {201: 100}
