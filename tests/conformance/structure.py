"""Draws the structure of our two halves, the actions and the generator, from their imports."""

from __future__ import annotations

import ast
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]


class Half:
    """A package, and its rooms (packages and modules below it) in layers from bottom to top.

    A room may use what is in lower layers and in itself. `sizes` are the longest functions that it
    may have, in lines: the median, what nine of ten have at most, and the longest.
    """

    def __init__(
        self, folder: Path, layers: tuple[tuple[str, ...], ...], sizes: tuple[int, int, int]
    ) -> None:
        self.package = folder.name
        self.layers = layers
        self.heights = {room: height for height, rooms in enumerate(layers) for room in rooms}
        self.sizes = sizes
        # The modules, by the name that they are imported with.
        self.files = {_name(folder.parent, path): path for path in sorted(folder.rglob("*.py"))}

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The modules as Python reads them, when a test asks for them."""
        return {name: ast.parse(path.read_text("utf-8")) for name, path in self.files.items()}

    @cached_property
    def imports(self) -> dict[str, set[str]]:
        """Those of its own modules that each module imports, also for types and in functions."""
        return {name: set(self.imported(name)) & set(self.files) for name in self.files}

    def imported(self, name: str) -> Iterator[str]:
        """Yield every module that a module imports anywhere."""
        for node in ast.walk(self.trees[name]):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.module, f"{name} has a relative import"
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    yield whole if whole in self.files else node.module


def _name(above: Path, path: Path) -> str:
    parts = path.relative_to(above).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(name: str) -> str:
    """Return the room that a module is in; empty for the package itself."""
    return name.split(".")[1] if "." in name else ""


ACTIONS = Half(
    ROOT / "actions" / "lib" / "ship",
    (("runner",), ("images", "ssh", "kube"), ("build_push", "ssh_deploy", "kubectl_set_image")),
    (7, 17, 47),
)
GENERATOR = Half(
    ROOT / "generator" / "gen_workflow",
    (
        ("errors", "version", "first_use", "named_tuple"),
        ("files", "expressions", "workflow"),
        ("spec",),
        ("pins", "render", "report", "explain", "graph"),
        ("plan", "sync"),
        ("uses", "vendored"),
        ("github",),
        ("fleet",),
        ("bootstrap",),
        ("commands",),
        ("cli",),
        ("__main__",),
    ),
    (9, 18, 32),
)
HALVES = (ACTIONS, GENERATOR)
