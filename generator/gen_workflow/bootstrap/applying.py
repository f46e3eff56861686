"""Takes the steps of a plan; what was interrupted is continued by the next run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gen_workflow.errors import GenWorkflowError, Heading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gen_workflow.bootstrap.api import Api
    from gen_workflow.bootstrap.steps import Step


_NOT_THERE = {Heading.PLAN, Heading.NOT_FOUND}


class Applying:
    """One run that takes steps; `log` is told each, `done` are those that were taken.

    `left` is what the plan of the owner, or this server, turned out not to have.
    """

    def __init__(self, api: Api, log: Callable[[str], None]) -> None:
        self._api = api
        self._log = log
        self._keys: dict[str, tuple[str, str]] = {}
        self.done: list[str] = []
        self.left: list[str] = []

    def take(self, steps: Iterable[Step]) -> None:
        """Take the steps in their order."""
        missing: set[str] = set()
        for step in steps:
            if step.spare in missing:
                continue
            try:
                self._take(step)
            except GenWorkflowError as error:
                if not step.spare or not {*error.anchors} & _NOT_THERE:
                    raise
                missing.add(step.spare)
                self.left.append(f"without {step.spare}: {error.what}")
            else:
                self.note(step.says)

    def note(self, says: str) -> None:
        """Note that something was done."""
        self.done.append(says)
        self._log(f"done: {says}")

    def _take(self, step: Step) -> None:
        if step.secret is None:
            self._api.send(step)
            return
        from github.PublicKey import encrypt  # noqa: PLC0415 - loads a library of cryptography

        key_id, key = self._key(step.keys)
        sealed = encrypt(key, step.secret.reveal())
        self._api.send(step, {"encrypted_value": sealed, "key_id": key_id})

    def _key(self, path: str) -> tuple[str, str]:
        """Return the key that seals the secrets of a place; it is asked for once."""
        if path not in self._keys:
            shown = self._api.look(path, "the key for secrets", "Secrets")
            self._api.refuse_denied()
            self._keys[path] = shown.top.text("key_id"), shown.top.text("key")
        return self._keys[path]
