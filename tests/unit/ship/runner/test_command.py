from __future__ import annotations

from ship.runner.command import Command, Secret


def step(name: str, undo: Command | None = None) -> Command:
    return Command(("kubectl", name), why=name, undo=undo)


def test_the_secret_of_an_undo_is_not_shown() -> None:
    undo = Command(("sh",), why="restore", stdin=Secret("hunter2"), env={"TOKEN": Secret("s3cret")})
    shown = repr(step("set", undo))
    assert "restore" in shown
    assert "hunter2" not in shown
    assert "s3cret" not in shown
