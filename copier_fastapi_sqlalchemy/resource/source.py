"""The text of a Python file with its syntax tree, and the changes of sequences in it.

The tree says where; the text changes there and nowhere else, so that an owner's formatting and comments stay. What is
added and removed again leaves no trace.
"""

import ast
import re
import sys
import textwrap
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from copier_fastapi_sqlalchemy.resource.errors import Refusal

LINE_LENGTH = 100  # of a project's own ruff, as rendered
INDENT = " " * 4
COMMENT_LINE = re.compile(r"[ \t]*#")
# What comes after an item: a comma, perhaps behind comments; the rest of a line without code.
COMMA = re.compile(r"(?:\s|#[^\n]*\n)*,")
NO_CODE = re.compile(r"[ \t\r]*(?:#[^\n]*)?(?:\n|\Z)")
IMPORT = re.compile(r"(?:from\s+[\w.]+\s+)?import\s+")
Import = ast.Import | ast.ImportFrom
Node = ast.expr | ast.stmt | ast.alias | ast.keyword
Edit = tuple[int, int, str]  # the offsets around what is replaced, and what replaces it


class Source:
    """The text of a file and its syntax tree, whose positions are given as offsets in the text."""

    def __init__(self, path: str, text: str) -> None:
        """Parse the text; raises Refusal if this Python can't. `path` is that of the file, for messages."""
        self.path, self.text = path, text
        try:
            self.tree = ast.parse(text)
        except (SyntaxError, ValueError) as failure:  # a ValueError is a null byte, in some versions
            if conflict := re.search(r"^<<<<<<< ", text, re.MULTILINE):
                line = text.count("\n", 0, conflict.start()) + 1
                raise Refusal(f"Resolve the conflict in {path}, line {line}, first.") from None
            error = failure if isinstance(failure, SyntaxError) else SyntaxError(str(failure))
            reader = f"Python {sys.version_info.major}.{sys.version_info.minor}"
            where = f"{path}, line {error.lineno}" if error.lineno else path
            raise Refusal(f"Correct {where}, or use a newer Python: {reader} can't read it ({error.msg}).") from None

    @cached_property
    def lines(self) -> list[str]:
        """The lines, with their ends."""
        return re.findall(r"[^\n]*\n|[^\n]+\Z", self.text)

    @cached_property
    def line_starts(self) -> list[int]:
        """The offset of each line, and that after the last one."""
        return [0, *accumulate(map(len, self.lines))]

    def start(self, node: Node) -> int:
        """Give the offset at which a node begins."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node: Node) -> int:
        """Give the offset after a node."""
        return self._offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)

    def _offset(self, line: int, column: int) -> int:
        """Convert a position of the tree, whose columns count bytes."""
        before = self.lines[line - 1].encode()[:column]
        return self.line_starts[line - 1] + len(before.decode())

    def code(self, node: Node) -> str:
        """Give the text of a node."""
        return self.text[self.start(node) : self.end(node)]

    def line_of(self, offset: int) -> int:
        """Give the number of the line, from 0, that has an offset."""
        return bisect_right(self.line_starts, offset) - 1

    def with_comments(self, offset: int) -> int:
        """Give the offset of the line that has `offset`, or of the first one of the comments right above it.

        Comments that begin the file are about the file.
        """
        own = line = self.line_of(offset)
        while line > 0 and COMMENT_LINE.match(self.lines[line - 1]):
            line -= 1
        return self.line_starts[line or own]

    def line_span(self, start: int, end: int) -> tuple[int, int]:
        """Give the offsets around the lines that hold a span."""
        return self.line_starts[self.line_of(start)], self.after_line(end - 1)

    def after_line(self, offset: int) -> int:
        """Give the offset of the line after the one that has `offset`."""
        return self.line_starts[self.line_of(offset) + 1]

    def indentation(self, offset: int) -> str | None:
        """Give the spaces before an offset if nothing else comes before it in its line."""
        before = self.text[self.line_starts[self.line_of(offset)] : offset]
        return before if not before.strip() else None

    def edited(self, *edits: Edit) -> str:
        """Give the text after some edits, which don't overlap."""
        text = self.text
        for start, end, replacement in sorted(edits, reverse=True):
            text = text[:start] + replacement + text[end:]
        return text


@dataclass(frozen=True)
class Item:
    """An item to add: its code on one line, and on several where that is too long."""

    code: str
    wrapped: str = ""

    def fitting(self, width: int) -> str:
        """Give the code for a line of `width` characters, its comma included."""
        return self.wrapped if self.wrapped and len(self.code) + 1 > width else self.code


class Sequence:
    """The items between the commas of a tuple, of a list or of what `from … import` imports."""

    def __init__(self, source: Source, node: ast.Tuple | ast.List | Import, limit: int = LINE_LENGTH) -> None:
        """Take the node; a line has up to `limit` characters."""
        self.source, self.limit = source, limit
        self.is_tuple, self.is_import = isinstance(node, ast.Tuple), isinstance(node, Import)
        nodes: Iterable[ast.expr | ast.alias] = node.names if isinstance(node, Import) else node.elts
        self.items = [(source.start(item), source.end(item)) for item in nodes]
        self.start, self.end = source.start(node), source.end(node)
        if isinstance(node, Import) and (match := IMPORT.match(source.text, self.start)):
            self.start = match.end()
        self.has_brackets = not self.items or self.start < self.items[0][0]
        self.brackets = ("[", "]") if isinstance(node, ast.List) else ("(", ")")

    @property
    def codes(self) -> list[str]:
        """The code of each item."""
        return [self.source.text[start:end] for start, end in self.items]

    @property
    def own_text(self) -> str:
        """The text with the brackets."""
        return self.source.text[self.start : self.end]

    def with_item(self, index: int, item: Item) -> str:
        """Give the file's text with one more item, at `index`."""
        if "\n" not in self.own_text or not (self.items or "#" in self.own_text):
            return self.source.edited((self.start, self.end, self._written(self.codes, index, item)))
        if index < len(self.items):
            start, _ = self.items[index]
            indent = self.source.indentation(start)
            if indent is None:
                return self.source.edited((start, start, f"{item.code}, "))
            place = self.source.with_comments(start)
            return self.source.edited((place, place, self._line(indent, item)))
        return self._with_last(item)

    def without_item(self, index: int) -> str:
        """Give the file's text without the item at `index`; what was on several lines because of it is on one again."""
        codes = self.codes
        removed = codes.pop(index)
        if "\n" not in self.own_text:
            return self.source.edited((self.start, self.end, self._on_one_line(codes)))
        may_share_a_line = len(codes) <= 1 or not any(code.startswith("{") for code in codes)
        is_free = may_share_a_line and "#" not in self.own_text and not any("\n" in code for code in codes)
        was_too_long = "\n" in removed or not self._fits(self._on_one_line(self.codes))
        if is_free and (not codes or (was_too_long and self._fits(self._on_one_line(codes)))):
            return self.source.edited((self.start, self.end, self._on_one_line(codes)))
        start, end = self.items[index]
        comma = COMMA.match(self.source.text, end)
        after = comma.end() if comma else end
        if self.source.indentation(start) is not None and NO_CODE.match(self.source.text, after):
            edits = [(*self.source.line_span(start, after), "")]
            if not comma and index > 0 and (previous := COMMA.match(self.source.text, self.items[index - 1][1])):
                edits.append((previous.end() - 1, previous.end(), ""))
            return self.source.edited(*edits)
        if index > 0:
            return self.source.edited((self.items[index - 1][1], end, ""))
        following = self.items[1][0] if len(self.items) > 1 else after
        return self.source.edited((start, following, ""))

    def _with_last(self, item: Item) -> str:
        text = self.source.text
        closing = self.end - 1
        if not self.items:
            place = self.source.line_starts[self.source.line_of(closing)]
            outer = self.source.indentation(closing) or ""
            return self.source.edited((place, place, self._line(outer + INDENT, item)))
        start, end = self.items[-1]
        comma = COMMA.match(text, end)
        after = comma.end() if comma else end
        indent = self.source.indentation(start)
        if indent is None or not NO_CODE.match(text, after):
            return self.source.edited((end, end, f", {item.code}"))
        place = self.source.after_line(after - 1)
        if comma:
            return self.source.edited((place, place, self._line(indent, item)))
        line = self._line(indent, item).removesuffix(",\n") + "\n"
        return self.source.edited((end, end, ","), (place, place, line))

    def _written(self, codes: list[str], index: int, item: Item) -> str:
        """Give the text with an item more, on one line if it fits there."""
        text = self._on_one_line([*codes[:index], item.code, *codes[index:]])
        if self._fits(text):
            return text
        line = self.source.lines[self.source.line_of(self.start)]
        outer = line[: len(line) - len(line.lstrip())]
        lines = [self._line(outer + INDENT, Item(code)) for code in codes]
        lines.insert(index, self._line(outer + INDENT, item))
        return f"{self.brackets[0]}\n{''.join(lines)}{outer}{self.brackets[1]}"

    def _line(self, indent: str, item: Item) -> str:
        return textwrap.indent(item.fitting(self.limit - len(indent)), indent) + ",\n"

    def _on_one_line(self, codes: list[str]) -> str:
        text = ", ".join(codes) + ("," if self.is_tuple and len(codes) == 1 else "")
        return f"{self.brackets[0]}{text}{self.brackets[1]}" if self.has_brackets and not self.is_import else text

    def _fits(self, text: str) -> bool:
        before = self.start - self.source.line_starts[self.source.line_of(self.start)]
        return before + len(text) <= self.limit
