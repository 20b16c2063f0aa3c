"""Lines that a formatter leaves too long are broken, where they are of text alone."""

import ast

import pytest

from copier_fastapi_sqlalchemy.resource.wrapping import wrapped

WORDS = "Return what loads the lists that are shown with a record."


@pytest.mark.parametrize("limit", [40, 60, 90])
def test_docstring_is_broken(limit: int) -> None:
    code = f'def lists() -> int:\n    """{WORDS}"""\n    return 1\n'
    broken = wrapped(code, limit)
    assert max(map(len, broken.splitlines())) <= limit
    assert ast.get_docstring(ast.parse(broken).body[0]).split() == WORDS.split()  # type: ignore[arg-type, union-attr]
    assert (broken == code) == (limit == 90)


def test_assigned_text_is_broken() -> None:
    code = f'if True:\n    TAKEN = "{WORDS}"\n'
    broken = wrapped(code, 40)
    assert max(map(len, broken.splitlines())) <= 40
    assert ast.dump(ast.parse(broken)) == ast.dump(ast.parse(code))


def test_comment_beside_code_is_put_above_it() -> None:
    assert wrapped(f"if True:\n    x = f(1)  # {WORDS}\n", 65) == f"if True:\n    # {WORDS}\n    x = f(1)\n"


@pytest.mark.parametrize(
    "line",
    [
        f'print("{WORDS}")',
        f"# {WORDS}",
        f"x = 1  # noqa: {WORDS}",
        f"x = '  # {WORDS}'",
        f'x = "{WORDS}" + "y"',
        'x = "a\\n' + "b" * 50 + '"',
    ],
)
def test_other_lines_stay(line: str) -> None:
    assert wrapped(line, 40) == line
