"""The hash of the generator: everything but the spec that decides what is rendered.

It tells quickly that nothing changed. When it differs, the workflow may still be the same: `drift`
looks at that.
"""

# ruff: noqa: PTH100, PTH118, PTH120, PTH208 - an up-to-date `check` loads this; pathlib is slow

from __future__ import annotations

import os

from gen_workflow import files
from gen_workflow.render import folder
from gen_workflow.sync import stamp

# A test walks the imports to keep these whole.
ROOMS = ("pins", "plan", "render", "spec", "workflow")
MODULES = ("named_tuple.py", "version.py")

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def fingerprint(templates: str = "") -> str:
    """Return the hash of our sources and templates, and of the user's own templates."""
    paths = [os.path.join(_PACKAGE, name) for name in MODULES]
    rooms = [os.path.join(_PACKAGE, name) for name in ROOMS]
    for path in (*rooms, folder.ours()):
        paths += sorted(os.path.join(path, name) for name in os.listdir(path))
    own = folder.names(templates) if templates else []
    paths += [os.path.join(templates, name) for name in own]
    return stamp.digest(
        *(files.content(path) for path in paths if path.endswith((".j2", ".py", ".json"))),
        *map(os.fsencode, own),  # a name says which of ours a template replaces
    )
