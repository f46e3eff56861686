"""The report of a run over a fleet: as data, and as one web page without any other part.

The page holds texts of others, such as the name of a file or what GitHub says of a repository. All
of them are escaped, and the page allows no script but its own.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gen_workflow import files
from gen_workflow.errors import Heading, UserError, shown
from gen_workflow.fleet.standing import LEFT_ALONE, NOT_POSSIBLE, TO_WRITE, Stands
from gen_workflow.github.snapshot import URL
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from gen_workflow.fleet.applying import Applied
    from gen_workflow.fleet.standing import Standing

_FORMS = (".html", ".json")
_HERE = Path(__file__).parent
_SHADES = {
    **dict.fromkeys((Stands.IN_STEP, Stands.ARCHIVED), "good"),
    Stands.PROPOSED: "open",
    **dict.fromkeys((*TO_WRITE, *LEFT_ALONE, *NOT_POSSIBLE), "act"),
}


def check_path(path: str) -> str:
    """Return the path of a report.

    Raises UserError when its end names no form, or when it cannot be written: then nothing is done,
    so that no report is missing after the pull requests were opened.
    """
    if path and not path.endswith(_FORMS):
        hint = f"end it with {' or '.join(_FORMS)}, as in --report fleet.html"
        what = f"{path!r} does not say what the report should be"
        raise UserError(what, where="--report", hint=hint, anchor=Heading.OPTION)
    folder = str(Path(path).parent)
    if path and not os.access(folder, os.W_OK):
        what = f"no file can be made in the folder {shown(folder)}"
        hint = "name a folder that is there, and that you may write to"
        raise UserError(what, where="--report", hint=hint, anchor=Heading.FILE)
    return path


def rows(
    standings: Iterable[Standing], done: Mapping[str, Applied] | None = None
) -> list[dict[str, Any]]:
    """Return a row for each repository: where it stands after what was done with it."""
    return [_row(one, (done or {}).get(one.slug)) for one in standings]


def _row(one: Standing, done: Applied | None) -> dict[str, Any]:
    pull = (done.pull if done else "") or one.pull
    stands = one.stands
    if done and not done.error:
        stands = Stands.PROPOSED if done.pull else Stands.IN_STEP
    return {
        "repository": one.slug,
        "stands": stands,
        "files": list(one.files),
        "said": one.said,
        "pull_request": pull or None,
        "error": (done.error if done else "") or None,
    }


def as_data(act: str, file: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the whole report of `fleet plan` or the like; `found` are its rows."""
    counts = Counter(one["stands"] for one in found)
    return {
        "version": 1,
        "act": act,
        "file": file,
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "by": __version__,
        "counts": dict(sorted(counts.items())),
        "repositories": found,
    }


def write(path: str, report: Mapping[str, Any]) -> None:
    """Write a report, in the form that the end of its path names; raises UserError."""
    text = _page(report) if path.endswith(".html") else f"{json.dumps(report, indent=2)}\n"
    draft = f"{path}.{os.getpid()}.tmp"
    try:
        Path(draft).write_text(text, encoding="utf-8", errors="replace")
        Path(draft).replace(path)
    except OSError as error:
        raise files.problem(error, "the report cannot be written", path) from None
    finally:
        Path(draft).unlink(missing_ok=True)


def _page(report: Mapping[str, Any]) -> str:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined  # noqa: PLC0415 - for a page
    from markupsafe import Markup  # noqa: PLC0415 - as above

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    script = (_HERE / "report.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html.j2").render(
        report=report,
        script=Markup(script),  # noqa: S704 - our own file
        script_hash=digest,
        shade=lambda stands: _SHADES.get(stands, ""),
        is_web=lambda address: re.fullmatch(URL, address) is not None,
    )
