"""How a language is set up, installed, cached and tested, as the files of the repository say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from gen_workflow.pins.table import table
from gen_workflow.plan import pipeline
from gen_workflow.spec.load import load
from gen_workflow.workflow.records import as_data

if TYPE_CHECKING:
    from unit.generator.conftest import Repository


def jobs(repository: Repository, test: str, more: str = "") -> dict[str, Any]:
    text = f"image: .\ntest: {test}\n{more}".encode()
    spec = load(text, "gen-workflow.yml", str(repository.folder))
    return {job.id: as_data(job) for job in pipeline.workflows(spec, table())[0].jobs}


def files(repository: Repository, names: str) -> None:
    for name in names.split():
        path = repository.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def commands(job: dict[str, Any]) -> list[str]:
    return [step["run"] for step in job["steps"] if "run" in step]


def inputs(job: dict[str, Any]) -> dict[str, Any]:
    """The inputs of all actions but the check-out."""
    found: dict[str, Any] = {}
    for step in job["steps"][1:]:
        found |= step.get("with", {})
    return found


PROJECTS = [
    (
        "python: 3.13",
        "requirements.txt",
        ["python -m pip install --requirement requirements.txt", "python -m pytest"],
    ),
    (
        "python: 3.13",
        "pyproject.toml manage.py",
        ["python -m pip install .", "python manage.py test"],
    ),
    ("python: 3.13", "uv.lock pyproject.toml", ["uv sync --locked", "uv run pytest"]),
    (
        "python: 3.13",
        "poetry.lock pyproject.toml",
        ["pipx install poetry", "poetry install --no-interaction", "poetry run python -m pytest"],
    ),
    ("node: 24", "package.json", ["npm install", "npm test"]),
    ("node: 24", "package.json npm-shrinkwrap.json", ["npm ci", "npm test"]),
    ("node: 24", "package.json yarn.lock", ["yarn install --frozen-lockfile", "yarn test"]),
    (
        "node: 24",
        "package.json yarn.lock .yarnrc.yml",
        ["corepack enable", "yarn install --immutable", "yarn test"],
    ),
    (
        "node: 24",
        "package.json pnpm-lock.yaml",
        ["corepack enable", "pnpm install --frozen-lockfile", "pnpm test"],
    ),
    ("java: 21", "gradlew build.gradle", ["./gradlew --no-daemon test"]),
    ("java: 21", "build.gradle.kts", ["gradle --no-daemon test"]),
    ("java: 21", "mvnw pom.xml", ["./mvnw --batch-mode test"]),
    ("java: 21", "pom.xml", ["mvn --batch-mode test"]),
    ("go: 1.24", "go.mod", ["go test ./..."]),
    (
        "rust: rust-toolchain.toml",
        "rust-toolchain.toml Cargo.toml",
        ["rustup toolchain install", "cargo test"],
    ),
    ("dotnet: 9", "", ["dotnet restore", "dotnet test --no-restore"]),
    ("ruby: 3.4", "Gemfile", ["bundle install", "bundle exec rake test"]),
    ("ruby: 3.4", "Gemfile Gemfile.lock bin/rails", ["bin/rails test"]),
    (
        "php: 8.4",
        "composer.json artisan",
        ["composer install --no-interaction --no-progress --prefer-dist", "php artisan test"],
    ),
    (
        "php: 8.4",
        "composer.json tests/Pest.php",
        ["composer install --no-interaction --no-progress --prefer-dist", "vendor/bin/pest"],
    ),
    ("bun: 1.2", "package.json", ["bun install", "bun test"]),
]


@pytest.mark.parametrize(("language", "names", "wanted"), PROJECTS)
def test_the_files_say_how_to_install_and_test(
    language: str, names: str, wanted: list[str], repository: Repository
) -> None:
    files(repository, names)
    assert commands(jobs(repository, f"{{{language}}}")["test"]) == wanted


# What restores or saves a cache, in each language.
CACHES = [
    ("python: 3.13", "requirements.txt", {"cache": "pip"}, {}),
    ("python: 3.13", "uv.lock", {"enable-cache": True}, {"enable-cache": False}),
    (
        "node: 24",
        "package.json package-lock.json",
        {"cache": "npm"},
        {"package-manager-cache": False},
    ),
    ("java: 21", "gradlew", {"cache": "gradle"}, {}),
    ("go: 1.24", "go.mod go.sum", {}, {"cache": False}),
    ("rust: 1.85", "Cargo.toml Cargo.lock", {"restore-keys": "cargo-${{ runner.os }}-1.85-"}, {}),
    ("dotnet: 9", "packages.lock.json", {"cache": True}, {}),
    ("ruby: 3.4", "Gemfile Gemfile.lock", {"bundler-cache": True}, {}),
    ("php: 8.4", "composer.json composer.lock", {"path": "~/.cache/composer"}, {}),
    ("bun: 1.2", "package.json", {}, {"no-cache": True}),
]
KEYS = {
    "cache",
    "enable-cache",
    "package-manager-cache",
    "restore-keys",
    "bundler-cache",
    "no-cache",
}


@pytest.mark.parametrize(("language", "names", "cached", "released"), CACHES)
def test_a_run_that_may_be_a_release_restores_no_cache(
    language: str,
    names: str,
    cached: dict[str, Any],
    released: dict[str, Any],
    repository: Repository,
) -> None:
    files(repository, names)
    found = inputs(jobs(repository, f"{{{language}}}")["test"])
    assert cached.items() <= found.items()
    found = inputs(jobs(repository, f"{{{language}}}", "on: {release: true}\n")["test"])
    assert {key: found[key] for key in found if key in {*KEYS, "path"}} == released


@pytest.mark.parametrize(
    "more",
    [
        "on: {tags: v*}\n",
        "on: {branches: [main, release/2]}\n",
        "environments: {live: {on: tags, ssh: a, run: {}}}\n",
        "environments: {live: {on: release, ssh: a, run: {}}}\n",
        "environments: {live: {on: [main, releases], ssh: a, run: {}}}\n",
    ],
)
def test_tags_releases_and_branches_of_this_name_may_be_a_release(
    more: str, repository: Repository
) -> None:
    files(repository, "package.json package-lock.json")
    assert "cache" in inputs(jobs(repository, "{node: 24}")["test"])
    assert "cache" not in inputs(jobs(repository, "{node: 24}", more)["test"])


def test_every_build_waits_for_every_test(repository: Repository) -> None:
    found = jobs(repository, "[{name: a, run: a}, {name: b, run: b}]")
    assert found["build"]["needs"] == found["check"]["needs"] == ["test-a", "test-b"]
    assert "if" not in found["test-a"], "a test that was skipped would let nothing be built"


def test_what_a_person_writes_goes_before_what_the_files_say(repository: Repository) -> None:
    files(repository, "package.json package-lock.json")
    assert commands(jobs(repository, "{node: 24, run: npm run ci}")["test"]) == ["npm run ci"]
    assert commands(jobs(repository, "{node: 24, steps: [a, b]}")["test"]) == ["a", "b"]


def test_a_known_service_brings_what_it_needs(repository: Repository) -> None:
    services = "{db: 'postgres:17', other: {image: 'example/x:1', health: ask \"it\"}}"
    found = jobs(repository, f"{{run: a, services: {services}}}")["test"]["services"]
    patience = "--health-interval 5s --health-timeout 5s --health-retries 24"
    assert found["db"] == {
        "image": "postgres:17",
        "env": {"POSTGRES_PASSWORD": "postgres"},
        "ports": ["5432:5432"],
        "options": f'--health-cmd "pg_isready -h localhost" {patience}',
    }
    options = f'--health-cmd "ask \\"it\\"" {patience}'
    assert found["other"] == {"image": "example/x:1", "options": options}


def test_what_the_spec_says_of_a_service_goes_before_what_is_known(repository: Repository) -> None:
    service = "{image: 'redis:8', ports: ['1:6379'], env: {A: b}, options: --tmpfs /data}"
    found = jobs(repository, f"{{run: a, services: {{cache: {service}}}}}")["test"]["services"]
    assert found["cache"]["ports"] == ["1:6379"]
    assert found["cache"]["env"] == {"A": "b"}
    assert found["cache"]["options"].endswith("--health-retries 24 --tmpfs /data")
