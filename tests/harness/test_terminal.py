"""The recording of a terminal ends, and answers what Copier asks."""

import sys
from pathlib import Path

import pytest

from tests.harness import terminal


def test_a_command_that_waits_for_another_answer_ends_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terminal, "IDLE", 0.1)
    monkeypatch.setattr(terminal, "LONGEST_SILENCE", 0.5)
    ask = [sys.executable, "-c", "input('Which? '); input('And which? ')"]
    with pytest.raises(SystemExit, match="waits for an answer") as stop:
        terminal.run(terminal.Recording(), ask, tmp_path, [terminal.ENTER])
    assert "And which?" in str(stop.value)


def test_each_question_that_is_asked_has_keys() -> None:
    questions = ["project_name", "project_slug", "description", "database"]
    assert terminal.keys()[: len(questions)] == [*[terminal.ENTER] * 3, terminal.DOWN + terminal.ENTER]
    assert set(terminal.keys()[len(questions) :]) == {terminal.ENTER}
