"""Reads the pages of the documentation."""

import re

from tests.harness.variants import ROOT


def text_of(name: str) -> str:
    """Give the text of a page, such as `docs/updating.md`."""
    return (ROOT / name).read_text(encoding="utf-8")


def blocks_of(name: str, language: str, heading: str = "") -> list[str]:
    """Give a page's blocks of code in a language, or those of one section."""
    text = text_of(name)
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", text)
