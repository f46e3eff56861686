"""What is wrong, in each form that `--format` names: one document on the standard output."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

import jsonschema
import pytest

from gen_workflow import cli
from gen_workflow.errors import ERRORS
from unit.generator.conftest import COMMAND

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

ROOT = Path(__file__).parents[4]
WRONG = "image: .\nnaem: shop\non: 5\n"
WORKFLOW = ".github/workflows/ci-cd.yml"
# The schema of our own JSON is published. Of SARIF's it is the part that we use, written after
# https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html: a key that it lacks has to be
# looked up there, and whether GitHub reads it.
OURS = ROOT / "docs" / "report.schema.json"
SARIF = Path(__file__).with_name("sarif-2.1.0.json")


class Run(NamedTuple):
    """A run of the command line in this process."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def run(
    repository: Repository,
    capfdbinary: pytest.CaptureFixture[bytes],
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    monkeypatch.chdir(repository.folder)
    for name in ("GITHUB_ACTIONS", "GH_TOKEN", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)

    def of(*argv: str, spec: str = "") -> Run:
        if spec:
            repository.spec.write_text(spec)
        code = cli.main([*argv])
        out, err = capfdbinary.readouterr()
        return Run(code, out.decode(), err.decode())

    return of


def is_valid(document: Any, schema: Path) -> bool:
    """Tell whether a document keeps to a schema; raises with the first reason when it does not."""
    jsonschema.Draft7Validator(json.loads(schema.read_text())).validate(document)
    return True


def rules_of_the_page() -> set[str]:
    text = (ROOT / "docs" / "errors.md").read_text("utf-8")
    headings = [line.lstrip("# ") for line in text.splitlines() if line.startswith("### ")]
    kept = str.maketrans("", "", "`.,:'()/")
    return {one.lower().translate(kept).replace(" ", "-") for one in headings}


@pytest.mark.parametrize("verb", ["check", "generate", "diff"])
def test_json_has_each_problem_with_its_place_and_its_rule(run: Any, verb: str) -> None:
    ended = run(verb, "--json", spec=WRONG)
    assert ended.code == 2
    assert is_valid(ended.document, OURS)
    first, second = ended.document["problems"]
    assert first == {
        "rule": "a-key-that-is-not-known",
        "file": "gen-workflow.yml",
        "line": 2,
        "column": 1,
        "path": "naem",
        "what": "is not a key of the spec",
        "hint": "perhaps you meant `name`",
        "see": f"{ERRORS}#a-key-that-is-not-known",
    }
    assert (second["line"], second["rule"]) == (3, "a-value-of-the-wrong-kind")
    assert run(verb, "--format", "json", spec=WRONG) == ended
    assert run(verb, spec=WRONG).err == ended.err


def test_a_verb_with_a_result_of_its_own_has_its_errors_in_the_same_form(run: Any) -> None:
    # `commit` also says that no repository and no token are known, which have no line.
    for verb, lines in (("explain", [2, 3]), ("commit", [2, 3, 0, 0])):
        document = run(verb, "--json", spec=WRONG).document
        assert is_valid(document, OURS)
        assert [one["line"] for one in document["problems"]] == lines
    document = run("update", "--json", "--min-age", "x").document
    assert is_valid(document, OURS)
    assert document["problems"][0]["what"] == "--min-age: 'x' is not a number of days"


def test_an_option_in_the_long_form_of_argparse_does_not_lose_the_json(run: Any) -> None:
    assert run("explain", "--json", "--ref=main", spec=WRONG).document["exit_code"] == 2
    assert run("check", "--format=json", spec=WRONG).document["exit_code"] == 2


def test_json_has_what_the_verb_prints_otherwise(run: Any, repository: Repository) -> None:
    patch = run("diff").out
    ended = run("diff", "--json")
    assert (ended.code, ended.err) == (1, "")
    assert is_valid(ended.document, OURS)
    assert ended.document == {"version": 1, "exit_code": 1, "problems": [], "output": patch}
    assert run("generate", "--json").document["output"] == f"wrote {WORKFLOW}\n"
    in_step = f"{WORKFLOW} is in step with gen-workflow.yml\n"
    assert run("check", "--json").document["output"] == in_step
    repository.workflow.write_text(repository.workflow.read_text() + "# mine\n")
    ended = run("check", "--json")
    assert ended.code == 1
    (problem,) = ended.document["problems"]
    assert (problem["file"], problem["what"]) == (WORKFLOW, "edited by hand")
    assert problem["rule"] == "the-workflow-was-edited-by-hand"
    assert "\n+# mine\n" in ended.document["output"]


def test_each_file_that_is_not_in_step_is_a_problem_with_a_rule_of_its_own(
    run: Any, repository: Repository
) -> None:
    spec = repository.spec.read_text().replace("rollback: false\n", "")
    run("generate", spec=spec)
    (repository.folder / ".github/workflows/rollback.yml").write_text("name: of a person\n")
    run("check", spec=f"{spec}name: shop\n")
    found = run("check", "--json").document["problems"]
    assert {one["file"]: one["rule"] for one in found} == {
        WORKFLOW: "the-workflow-is-not-in-step",
        ".github/workflows/rollback.yml": "a-workflow-that-gen-workflow-did-not-write",
    }
    for verb in ("generate", "diff"):
        (only,) = run(verb, "--json").document["problems"]
        assert only["file"] == ".github/workflows/rollback.yml"
        assert "gen-workflow generate --force" in only["hint"]


def test_sarif_has_a_rule_for_each_heading_and_a_result_for_each_problem(run: Any) -> None:
    ended = run("check", "--format", "sarif", spec=WRONG)
    assert ended.code == 2
    assert is_valid(ended.document, SARIF)
    (found,) = ended.document["runs"]
    rules = found["tool"]["driver"]["rules"]
    assert [one["ruleId"] for one in found["results"]] == [one["id"] for one in rules]
    assert {one["id"] for one in rules} <= rules_of_the_page()
    assert found["results"][0]["message"]["text"] == (
        "naem: is not a key of the spec\nperhaps you meant `name`"
    )
    assert place_of(found["results"][0]) == ("gen-workflow.yml", {"startLine": 2, "startColumn": 1})
    assert run("check", spec=WRONG).err == ended.err


def place_of(result: Any) -> tuple[str, dict[str, int]]:
    (location,) = result["locations"]
    place = location["physicalLocation"]
    return unquote(place["artifactLocation"]["uri"]), place["region"]


def test_sarif_names_files_from_the_top_of_the_repository(run: Any, repository: Repository) -> None:
    app = repository.folder / "my app"
    app.mkdir()
    (app / "gen-workflow.yml").write_text(WRONG)
    (app / "Dockerfile").touch()
    (repository.folder / ".git").mkdir()
    for folder in ("my app", str(app)):
        document = run("check", "-C", folder, "--format", "sarif").document
        result = document["runs"][0]["results"][0]
        assert place_of(result)[0] == "my app/gen-workflow.yml"
        assert "%20" in str(result)


def test_sarif_shows_what_is_in_no_file_at_the_top_of_the_spec(run: Any) -> None:
    """GitHub takes no result without a place, and shows none in a file that is not there."""
    for argv in (("--templates", "gone"), ()):
        document = run("check", "--format", "sarif", *argv).document
        assert is_valid(document, SARIF)
        (result,) = document["runs"][0]["results"]
        assert place_of(result) == ("gen-workflow.yml", {"startLine": 1})
    assert result["message"]["text"].startswith(f"{WORKFLOW}: missing: it was not generated yet\n")


def test_sarif_of_a_workflow_in_step_has_no_result(run: Any) -> None:
    run("generate")
    ended = run("check", "--format", "sarif")
    assert (ended.code, ended.err) == (0, f"{WORKFLOW} is in step with gen-workflow.yml\n")
    assert is_valid(ended.document, SARIF)
    assert ended.document["runs"][0]["results"] == []


def test_annotations_can_be_asked_for_and_left_out(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = run("check", "--format", "github", spec=WRONG)
    first, second = ended.out.splitlines()
    assert first.startswith("::error file=gen-workflow.yml,line=2,col=1,title=gen-workflow::naem: ")
    assert second.startswith("::error file=gen-workflow.yml,line=3,col=5,")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run("check", spec=WRONG).out == ended.out
    assert run("check", "--format", "text", spec=WRONG) == (2, "", ended.err)
    for form in ("json", "sarif"):
        assert "::error" not in run("check", "--format", form, spec=WRONG).out


def test_a_file_that_is_not_in_step_is_annotated(run: Any, repository: Repository) -> None:
    run("generate")
    repository.workflow.write_text(repository.workflow.read_text() + "# mine\n")
    ended = run("check", "--format", "github")
    assert ended.out.startswith(f"::error file={WORKFLOW},title=gen-workflow::edited by hand%0A")
    assert "\n+# mine\n" in ended.err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("check", "--format", "xml"), "--format: 'xml' is no format\n  hint: say one of text, "),
        (("check", "--json", "--format", "sarif"), "--format: --json is beside 'sarif'\n"),
        (("generate", "--stdout", "--json"), "--stdout: prints the workflows, so no document "),
    ],
)
def test_options_that_ask_for_no_document_or_for_two_are_refused(
    run: Any, argv: tuple[str, ...], message: str
) -> None:
    ended = run(*argv)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(message)


def test_the_standard_output_has_nothing_but_the_document(repository: Repository) -> None:
    """In a process of its own, where Python and the packages print as they do for a user."""
    for argv in (("generate",), ("check",), ("diff",), ("generate", "--dependabot")):
        done = subprocess.run(
            (str(COMMAND), *argv, "--json"),
            cwd=repository.folder,
            check=False,
            capture_output=True,
            text=True,
        )
        assert is_valid(json.loads(done.stdout), OURS), argv
        assert done.returncode == json.loads(done.stdout)["exit_code"]


@pytest.mark.parametrize(
    ("document", "schema"),
    [
        ({"version": 1, "exit_code": 2, "problems": [{"what": "x"}], "output": ""}, OURS),
        ({"version": "2.1.0", "runs": [{"tool": {}, "results": []}]}, SARIF),
        ({"version": "2.1.0", "runs": [], "exitCode": 1}, SARIF),
    ],
)
def test_the_schemas_refuse_what_is_wrong(document: Any, schema: Path) -> None:
    with pytest.raises(jsonschema.ValidationError):
        is_valid(document, schema)


def test_the_page_shows_what_is_printed(run: Any) -> None:
    page = (ROOT / "docs" / "reports.md").read_text("utf-8")
    shown = json.loads(page.partition("```json\n")[2].partition("```\n")[0])
    assert run("check", "--json", spec="image: .\nnaem: shop\n").document == shown
