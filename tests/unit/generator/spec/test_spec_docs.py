"""docs/spec.md and the JSON Schema say what the declaration of the spec says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from gen_workflow.spec import document, reference, schema
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.document import Reading
from gen_workflow.spec.load import EXAMPLE, load
from gen_workflow.spec.sections import Key, sections
from gen_workflow.spec.tree import Folder
from gen_workflow.version import __version__

if TYPE_CHECKING:
    from unit.generator.conftest import Repository

ROOT = Path(__file__).resolve().parents[4]
TEXT = (ROOT / "docs" / "spec.md").read_text()
KEYS = [
    pytest.param(key, id=f"{path}/{name}")
    for path, section in sections(SPEC)
    for name, key in section.keys.items()
]
VALIDATOR = jsonschema.Draft7Validator(json.loads(schema.text()))


def test_the_docs_have_the_table_of_every_section() -> None:
    for table in reference.tables().values():
        assert f"\n{table}" in TEXT


def test_the_schema_in_the_docs_is_that_of_the_declaration() -> None:
    assert (ROOT / "docs" / "spec.schema.json").read_text() == schema.text()


@pytest.mark.parametrize("key", KEYS)
def test_a_key_says_what_it_is_in_one_sentence_with_an_example(key: Key) -> None:
    assert re.fullmatch(r"[A-Z].*[^.]", key.says)
    assert numbers(key.since) <= numbers(__version__)


def numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


@pytest.mark.parametrize("key", KEYS)
def test_the_example_of_a_key_is_right(key: Key, repository: Repository) -> None:
    files_of(repository)
    root = document.parse(f"key: {key.example}\n", "example")
    assert root is not None
    reading = Reading("example", Folder(str(repository.folder)))
    assert key.form.read(root.pairs()[0][1], reading) is not None
    reading.raise_problems()


def files_of(repository: Repository) -> None:
    """Write the files that examples name."""
    services = "services: {api: {image: ghcr.io/example/shop}, web: {}, worker: {}}\n"
    for path, text in {
        "backend/Dockerfile": "FROM scratch\n",
        "frontend/Dockerfile": "FROM scratch\n",
        "k8s/web.yaml": "",
        "nginx/shop.conf": "",
        "prometheus.yml": "",
        "app.env": "",
        "compose.yml": services,
        "compose.prod.yml": services,
    }.items():
        (repository.folder / path).parent.mkdir(exist_ok=True)
        (repository.folder / path).write_text(text)


def test_every_example_that_is_whole_is_a_spec(repository: Repository) -> None:
    files_of(repository)
    blocks = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
    whole = [text for text in blocks if not text.startswith("env:")]
    assert len(whole) == 20
    for text in whole:
        with_image = text if text.startswith("image") else f"image: .\n{text}"
        load(with_image.encode(), "docs/spec.md", str(repository.folder))
        assert schema_problems(with_image) == []


def test_the_example_is_the_one_that_messages_show() -> None:
    assert EXAMPLE in TEXT


def schema_problems(text: str) -> list[str]:
    data: Any = YAML(typ="safe").load(text)
    return [error.message for error in VALIDATOR.iter_errors(data)]


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(json.loads(schema.text()))


@pytest.mark.parametrize("spec", sorted(ROOT.glob("*/*/gen-workflow.yml")), ids=str)
def test_the_schema_accepts_every_spec_of_ours(spec: Path) -> None:
    assert schema_problems(spec.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "name: shop",
        "deploy: {ssh: vps, run: {}}",
        "imag: .",
        "image: 3",
        "image: ../other",
        "image: /srv",
        "image: {name: a/b}",
        "image: .\nregistry: https://quay.io/acme",
        "image: .\nregistry: {host: quay.io/acme, user: a, pass: b}",
        "image: {args: [A]}",
        "image: .\non: []",
        "image: .\non: [main, main]",
        "image: .\nname: a b",
        "image: .\ndeploy: {run: {}}",
        "image: .\ndeploy: {ssh: me@host, run: {}}",
        "image: .\ndeploy: {ssh: {host: h, user: u, key: k, known-hosts: x}, run: {}}",
        "image: .\ndeploy: {ssh: vps, run: {ports: ['80']}}",
        "image: .\ndeploy: {ssh: vps, run: {restart: allways}}",
        "image: .\ndeploy: {ssh: vps, run: {networks: host}}",
        "image: .\ndeploy: {ssh: vps, run: {stop-timeout: 3601}}",
        "image: .\ndeploy: {ssh: vps, run: {memory: lots}}",
        "image: .\ndeploy: {ssh: vps, run: {options: [-it]}}",
        "image: .\ndeploy: {ssh: vps}",
        "image: .\ndeploy: {ssh: vps, compose: /srv/compose.yml}",
        "image: .\ndeploy: {ssh: vps, compose: compose.yml, host-files: overwrite}",
        "image: .\ndeploy: {ssh: vps, compose: compose.yml, services: {}}",
        "image: .\ndeploy: {ssh: {host: h, user: u, key: '${{ secrets.K }}'}, run: {}}",
        "image: .\ndeploy: {ssh: vps, run: {}, strategy: canary}",
        "image: .\ndeploy: {ssh: vps, run: {}, health: {timeout: 0}}",
        "image: .\ndeploy: {ssh: vps, run: {env: [1A]}}",
        "image: .\ndeploy: {ssh: vps, run: {}, health: health}",
        "image: .\nactions: {remote: a/b@v1}",
        "image: .\ndeploy: {}",
        "image: .\ndeploy: {ssh: vps, run: {}, kubernetes: deployment/web}",
        "image: .\ndeploy: {kubernetes: deployment/web, run: {}}",
        "image: .\ndeploy: {kubernetes: web}",
        "image: .\ndeploy: {kubernetes: {namespace: shop}}",
        "image: .\ndeploy: {kubernetes: {workload: {deployment/web: []}}}",
        "image: .\ndeploy: {kubernetes: {apply: /srv}}",
        "image: .\ndeploy: {kubernetes: {apply: k8s/, kubeconfig: config}}",
        "image: .\ndeploy: {kubernetes: {apply: k8s/, secret: [A]}}",
        "image: .\ndeploy: {kubernetes: {apply: k8s/, on-failure: rolback}}",
        "image: .\ndeploy: {kubernetes: {apply: k8s/, timeout: 5}}",
        "image: .\ndeploy: {kubernetes: {apply: k8s/, login: {aws: {role: x}}}}",
    ],
)
def test_the_schema_refuses_what_is_wrong(text: str) -> None:
    assert schema_problems(text)
