"""What sets a language up for a test, and the commands that the files of a project ask for."""

# No `from __future__ import annotations` here: typing compiles a text for each field of a record.

from typing import Any

from gen_workflow.named_tuple import NamedTuple
from gen_workflow.plan.frame import Frame
from gen_workflow.plan.inputs import said
from gen_workflow.spec.languages import LANGUAGES
from gen_workflow.workflow.records import Step

CACHE = "actions/cache"
_NODE, _PYTHON, _UV = "actions/setup-node", "actions/setup-python", "astral-sh/setup-uv"
_JAVA, _GO, _DOTNET = "actions/setup-java", "actions/setup-go", "actions/setup-dotnet"
_RUBY, _PHP, _BUN = "ruby/setup-ruby", "shivammathur/setup-php", "oven-sh/setup-bun"


class Project(NamedTuple):
    """What is tested: a version as the spec says it, the files that were found in the folder.

    Without `caches`, nothing that another run has written is restored.
    """

    version: str
    files: frozenset[str]
    folder: str
    caches: bool

    def first(self, *names: str) -> str:
        """Return the first of some files that is there; empty when none is."""
        return next((name for name in names if name in self.files), "")

    def path(self, name: str) -> str:
        """Return the path of a file of the folder, as an action takes it."""
        return f"{self.folder}/{name}" if name and self.folder != "." else name


class Preset(NamedTuple):
    """The steps that set a language up, and those that install and test."""

    setup: tuple[Step, ...]
    commands: tuple[Step, ...]


def preset(language: str, project: Project, frame: Frame) -> Preset:
    """Return how a project of a language is tested."""
    return _PRESETS[language](project, frame)


def _set_up(language: str, action: str, frame: Frame, *inputs: tuple[str, Any]) -> Step:
    title = LANGUAGES[language].title
    return Step(f"Set {title} up", uses=frame.uses(action), inputs=said(*inputs))


def _version(name: str, project: Project, language: str) -> tuple[str, str]:
    """Return the input that says the version, itself or by its file."""
    if project.version in LANGUAGES[language].versions:
        return (f"{name}-version-file", project.path(project.version))
    return (f"{name}-version", project.version)


def _commands(install: str, test: str) -> tuple[Step, ...]:
    found = (Step("Install", run=install) if install else None, Step("Test", run=test))
    return tuple(one for one in found if one)


def _node(project: Project, frame: Frame) -> Preset:
    lock = project.first("pnpm-lock.yaml", "yarn.lock", "package-lock.json", "npm-shrinkwrap.json")
    manager = {"pnpm-lock.yaml": "pnpm", "yarn.lock": "yarn"}.get(lock, "npm")
    cache = manager if lock and project.caches else ""
    setup = _set_up(
        "node",
        _NODE,
        frame,
        _version("node", project, "node"),
        ("cache", cache),
        ("cache-dependency-path", project.path(lock) if cache and project.folder != "." else ""),
        # Otherwise it caches by what package.json says.
        ("package-manager-cache", False if not cache else ""),
    )
    # The runner has the first yarn; corepack brings pnpm, and the yarn that package.json names.
    berry = project.first(".yarnrc.yml")
    corepack = Step(f"Enable {manager}", run="corepack enable")
    before = (corepack,) if manager == "pnpm" or (manager == "yarn" and berry) else ()
    as_locked = "--immutable" if berry else "--frozen-lockfile"
    install = {
        "pnpm": "pnpm install --frozen-lockfile",
        "yarn": f"yarn install {as_locked}",
        "npm": "npm ci" if lock else "npm install",
    }
    return Preset((*before, setup), _commands(install[manager], f"{manager} test"))


def _python(project: Project, frame: Frame) -> Preset:
    if project.first("uv.lock"):
        return _uv(project, frame)
    poetry = project.first("poetry.lock")
    requirements = tuple(
        name for name in ("requirements.txt", "requirements-dev.txt") if name in project.files
    )
    lock = poetry or project.first("requirements.txt", "pyproject.toml")
    cache = ("poetry" if poetry else "pip") if lock and project.caches else ""
    setup = _set_up(
        "python",
        _PYTHON,
        frame,
        _version("python", project, "python"),
        ("cache", cache),
        ("cache-dependency-path", project.path(lock) if cache else ""),
    )
    test = "python manage.py test" if project.first("manage.py") else "python -m pytest"
    if poetry:
        # It has to be there before its cache is looked for.
        before = Step("Install Poetry", run="pipx install poetry")
        commands = _commands("poetry install --no-interaction", f"poetry run {test}")
        return Preset((before, setup), commands)
    files = " ".join(f"--requirement {name}" for name in requirements)
    install = f"python -m pip install {files or '.'}" if lock else ""
    return Preset((setup,), _commands(install, test))


def _uv(project: Project, frame: Frame) -> Preset:
    from_file = project.version in LANGUAGES["python"].versions
    setup = _set_up(
        "python",
        _UV,
        frame,
        # Without one, uv reads the file of the project itself.
        ("python-version", "" if from_file else project.version),
        ("enable-cache", project.caches),
        ("working-directory", project.folder if project.folder != "." else ""),
    )
    test = "uv run python manage.py test" if project.first("manage.py") else "uv run pytest"
    return Preset((setup,), _commands("uv sync --locked", test))


def _java(project: Project, frame: Frame) -> Preset:
    gradle = project.first("gradlew", "build.gradle", "build.gradle.kts")
    maven = project.first("mvnw", "pom.xml") if not project.first("gradlew") else ""
    tool = "maven" if maven else "gradle" if gradle else ""
    build = {
        "gradlew": "./gradlew --no-daemon test",
        "mvnw": "./mvnw --batch-mode test",
        "pom.xml": "mvn --batch-mode test",
    }
    setup = _set_up(
        "java",
        _JAVA,
        frame,
        ("distribution", "temurin"),
        _version("java", project, "java"),
        ("cache", tool if project.caches else ""),
    )
    return Preset((setup,), _commands("", build.get(maven or gradle, "gradle --no-daemon test")))


def _go(project: Project, frame: Frame) -> Preset:
    lock = project.first("go.sum")
    caches = bool(lock and project.caches)
    setup = _set_up(
        "go",
        _GO,
        frame,
        _version("go", project, "go"),
        ("cache", "" if caches else False),
        ("cache-dependency-path", project.path(lock) if caches and project.folder != "." else ""),
    )
    return Preset((setup,), _commands("", "go test ./..."))


def _rust(project: Project, frame: Frame) -> Preset:
    """Return the steps for Rust, whose rustup is on the runner."""
    if project.version in LANGUAGES["rust"].versions:
        install = Step("Set Rust up", run="rustup toolchain install")
    else:
        install = Step(
            "Set Rust up",
            run='rustup toolchain install "$RUST" --profile minimal --no-self-update\n'
            'rustup default "$RUST"\n',
            env=(("RUST", project.version),),
        )
    lock = project.first("Cargo.lock")
    keys = f"cargo-${{{{ runner.os }}}}-{project.version}-"
    paths = ("~/.cargo/registry", "~/.cargo/git", project.path("target") or "target")
    cache = Step(
        "Cache what cargo has built",
        uses=frame.uses(CACHE),
        inputs=(
            ("path", "".join(f"{path}\n" for path in paths)),
            ("key", f"{keys}${{{{ hashFiles('{project.path('Cargo.lock')}') }}}}"),
            ("restore-keys", keys),
        ),
    )
    test = "cargo test --locked" if lock else "cargo test"
    return Preset((install, cache) if lock and project.caches else (install,), _commands("", test))


def _dotnet(project: Project, frame: Frame) -> Preset:
    lock = project.first("packages.lock.json")
    caches = bool(lock and project.caches)
    whole = f"{project.version}.x" if project.version.isdigit() else project.version
    from_file = project.version in LANGUAGES["dotnet"].versions
    setup = _set_up(
        "dotnet",
        _DOTNET,
        frame,
        ("global-json-file", project.path(project.version) if from_file else ""),
        ("dotnet-version", "" if from_file else whole),
        ("cache", True if caches else ""),
        ("cache-dependency-path", project.path(lock) if caches else ""),
    )
    restore = "dotnet restore --locked-mode" if lock else "dotnet restore"
    return Preset((setup,), _commands(restore, "dotnet test --no-restore"))


def _ruby(project: Project, frame: Frame) -> Preset:
    caches = bool(project.first("Gemfile.lock") and project.caches)
    setup = _set_up(
        "ruby",
        _RUBY,
        frame,
        ("ruby-version", project.version),
        ("bundler-cache", True if caches else ""),
        ("working-directory", project.folder if project.folder != "." else ""),
    )
    rails = "bin/rails test" if project.first("bin/rails") else "bundle exec rake test"
    test = "bundle exec rspec" if project.first(".rspec") else rails
    # With its cache, the action installs the gems itself.
    return Preset((setup,), _commands("" if caches else "bundle install", test))


def _php(project: Project, frame: Frame) -> Preset:
    setup = _set_up("php", _PHP, frame, _version("php", project, "php"), ("coverage", "none"))
    lock = project.path("composer.lock")
    cache = Step(
        "Cache what composer downloads",
        uses=frame.uses(CACHE),
        inputs=(
            ("path", "~/.cache/composer"),
            ("key", f"composer-${{{{ runner.os }}}}-${{{{ hashFiles('{lock}') }}}}"),
            ("restore-keys", "composer-${{ runner.os }}-"),
        ),
    )
    has_cache = project.first("composer.lock") and project.caches
    test = "php artisan test" if project.first("artisan") else "vendor/bin/phpunit"
    test = "vendor/bin/pest" if project.first("tests/Pest.php") else test
    install = "composer install --no-interaction --no-progress --prefer-dist"
    return Preset((setup, cache) if has_cache else (setup,), _commands(install, test))


def _bun(project: Project, frame: Frame) -> Preset:
    setup = _set_up(
        "bun",
        _BUN,
        frame,
        _version("bun", project, "bun"),
        ("no-cache", "" if project.caches else True),
    )
    lock = project.first("bun.lock", "bun.lockb")
    return Preset(
        (setup,), _commands(f"bun install{' --frozen-lockfile' if lock else ''}", "bun test")
    )


_PRESETS = {
    "python": _python,
    "node": _node,
    "java": _java,
    "go": _go,
    "rust": _rust,
    "dotnet": _dotnet,
    "ruby": _ruby,
    "php": _php,
    "bun": _bun,
}
