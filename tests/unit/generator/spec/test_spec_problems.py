"""Every way to get a spec wrong, with the line that a person reads."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from gen_workflow.errors import SpecError
from gen_workflow.spec.declaration import SPEC
from gen_workflow.spec.deploy import DEPLOY
from gen_workflow.spec.hints import listed
from gen_workflow.spec.load import load

if TYPE_CHECKING:
    from pathlib import Path

SOURCE = "gen-workflow.yml"
TOP = listed(SPEC.names.known)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    (tmp_path / "backend").mkdir()
    (tmp_path / "backend" / "Dockerfile.prod").write_text("FROM scratch\n")
    return tmp_path


def problems(text: str | bytes, repository: Path) -> tuple[str, ...]:
    raw = text.encode() if isinstance(text, str) else text
    with pytest.raises(SpecError) as caught:
        load(raw, SOURCE, str(repository))
    return tuple(caught.value.problems)


def deploy(run: str, health: str = "") -> str:
    """A spec whose line 4 is `  run: …`, and line 5 `  health: …` when one is given."""
    text = f"image: .\ndeploy:\n  ssh: vps\n  run: {run}\n"
    return text + (f"  health: {health}\n" if health else "")


WHOLE = [
    pytest.param(
        "imag: .\nimage: .\n",
        "1:1 imag: is not a key of the spec\n  hint: perhaps you meant `image`",
        id="near-key",
    ),
    pytest.param(
        "image: .\nenvironments: {team/live: {onn: main, ssh: a, run: {}}}\n",
        "2:28 environments/team/live/onn: is not a key of the spec\n  hint: perhaps you meant `on`",
        id="near-key-below-a-name-with-a-slash",
    ),
    pytest.param(
        "image: .\nzebra: 1\n",
        "2:1 zebra: is not a key of the spec\n  hint: use one of "
        f"{TOP}; a key of your own must begin with `x-`",
        id="far-key",
    ),
    pytest.param(
        "image: .\nports: []\n",
        "2:1 ports: is not a key of the spec\n"
        "  hint: it is a key of `test/services/NAME` and `deploy/run`",
        id="key-of-another-section",
    ),
    pytest.param(
        "image: .\nprots: []\n",
        "2:1 prots: is not a key of the spec\n"
        "  hint: perhaps you meant `ports`, which is a key of `test/services/NAME` "
        "and `deploy/run`",
        id="near-key-of-another-section",
    ),
    pytest.param(
        "image: {jump: x, context: .}\n",
        "1:9 image/jump: is not a key of the spec\n  hint: it is a key of `deploy/ssh`",
        id="key-of-a-section-elsewhere",
    ),
    pytest.param(
        "image: {rollback: {}, context: .}\n",
        "1:9 image/rollback: is not a key of the spec\n  hint: it is a key of the top level",
        id="key-of-several-sections",
    ),
    pytest.param(
        "image: {context: ., user: x}\n",
        "1:21 image/user: is not a key of the spec\n"
        "  hint: it is a key of `deploy/ssh` and `deploy/run` and "
        "`deploy/kubernetes/pull-secret` and `registry`",
        id="key-of-several-sections-elsewhere",
    ),
    pytest.param(
        "image: .\ndeploy: {ssh: 5, run: {}}\n",
        "2:15 deploy/ssh: should be a name or a mapping, but is a number\n"
        "  hint: write for example ssh: vps",
        id="host-is-a-number",
    ),
    pytest.param(
        "image: .\nname\u00a0: shop\n",
        "2:1 'name\\xa0': holds the character U+00A0, which cannot be seen\n"
        "  hint: remove it, or write a blank",
        id="key-with-a-no-break-blank",
    ),
    pytest.param(
        "image: .\ndeploy: {ssh:vps, run: {}}\n",
        "2:10 deploy/ssh:vps: `ssh` has no blank behind its `:`\n  hint: write `ssh: vps`",
        id="no-blank-behind-a-key-in-brackets",
    ),
    pytest.param(
        "image: .\ndefault-env: shop\n",
        "2:1 default-env: is not a key of the spec\n  hint: use one of "
        f"{TOP}; a key of your own must begin with `x-`",
        id="key-that-is-like-a-later-one",
    ),
    pytest.param(
        "image: .\ndefalts: x\n",
        "2:1 defalts: is not a key of the spec\n"
        "  hint: it belongs in the file of a fleet, which `gen-workflow fleet` reads: "
        "docs/fleet.md",
        id="misspelt-key-of-a-fleet",
    ),
    pytest.param(
        "image: .\nrepos: {}\n",
        "2:1 repos: is not a key of the spec\n"
        "  hint: it belongs in the file of a fleet, which `gen-workflow fleet` reads: "
        "docs/fleet.md",
        id="key-of-a-fleet",
    ),
    pytest.param(
        "image: .\nactions: vendord\n",
        "2:10 actions: 'vendord' does not say where they come from\n"
        "  hint: perhaps you meant `vendored`",
        id="misspelt-vendored",
    ),
    pytest.param(
        "image: .\nactions: {vendored: true}\n",
        "2:21 actions/vendored: should be a folder, but is true or false\n"
        "  hint: write actions: vendored",
        id="vendored-without-a-folder",
    ),
    pytest.param(
        "image: .\nactions: {vendored: .github/workflows/a}\n",
        "2:21 actions/vendored: '.github/workflows/a' cannot be the folder of the actions\n"
        "  hint: name a folder that holds nothing else, such as .github/actions/gen-workflow, of "
        "letters, digits and . _ -",
        id="vendored-beside-workflows",
    ),
    pytest.param(
        f"image: .\nactions: {{vendored: x, remote: a/b@{'0' * 40}}} # v1.2.3\n",
        "2:21 actions/vendored: cannot be beside `remote`: the actions come from one place\n"
        "  hint: remove one of them",
        id="vendored-and-remote",
    ),
    pytest.param(
        "image: .\nmode: central\nactions: vendored\n",
        "3:10 actions: cannot be in a central workflow: a run in another repository has no copy of "
        "them\n  hint: name this repository, at a commit that holds the actions, as actions: "
        "{remote: …}",
        id="vendored-in-a-central-workflow",
    ),
    pytest.param(
        "name: shop\n",
        "1:1 `image` is missing\n"
        "  hint: `image: .` builds the Dockerfile in the root of the repository",
        id="no-image",
    ),
    pytest.param(
        "- image: .\n",
        f"1:1 should be a mapping, but is a list\n  hint: write a mapping with {TOP}",
        id="list",
    ),
    pytest.param(
        "image: .\nname: ab\nimage: .\n",
        "3:1 image: appears twice, first on line 1\n  hint: keep one of them",
        id="duplicate-key",
    ),
    pytest.param(
        "image: .\n? [a]\n: b\n",
        "1:1 has a list as a key on line 2\n"
        "  hint: a key is a word; quote it where YAML takes it for something else",
        id="key-is-a-list",
    ),
    pytest.param(
        "x-a: &a {ssh: vps}\nimage: .\ndeploy: {<<: *a, run: {}, ssh: vps}\n",
        "3:10 deploy/<<: merge keys are not part of YAML 1.2\n  hint: name the keys one by one",
        id="merge-key",
    ),
    pytest.param(
        "image: .\ndeploy:\n",
        "2:1 deploy: should be a mapping, but is nothing\n"
        f"  hint: write a mapping with {listed(DEPLOY.names.known)}",
        id="nothing",
    ),
    pytest.param(
        "image: .\nname: 50\n",
        '2:7 name: should be text, but is a number\n  hint: quote it: "50"',
        id="wrong-type",
    ),
    pytest.param(
        "image: .\ntrue: 2\n",
        f"2:1 true: is true or false, and no key has such a name\n  hint: use one of {TOP}",
        id="key-is-a-truth-value",
    ),
    pytest.param(
        "image: .\n? \n: 2\n",
        "1:1 has nothing as a key on line 2\n"
        "  hint: a key is a word; quote it where YAML takes it for something else",
        id="key-is-nothing",
    ),
    pytest.param(
        "image:.\n",
        "1:1 should be a mapping, but is text\n"
        "  hint: there is no blank behind `image:`, so YAML takes it for a text",
        id="no-blank",
    ),
    pytest.param(
        "image: .\nname: x.next\n",
        "2:7 name: 'x.next': a deploy gives its own containers names that end in `.next`\n"
        "  hint: choose a name with another ending",
        id="reserved-name",
    ),
    pytest.param(
        "image: .\nname: x\n",
        "2:7 name: 'x': Docker wants two characters at least\n  hint: write for example shop",
        id="short-name",
    ),
    pytest.param(
        f"image: .\nname: {'x' * 102}\n",
        "2:7 name: has 102 characters\n  hint: write 101 at most",
        id="long-name",
    ),
    pytest.param(
        "image: .\nname: a b\n",
        "2:7 name: 'a b' is not a name of a container\n"
        "  hint: write for example shop; letters, digits, . _ -",
        id="name",
    ),
    pytest.param(
        "image: .\nname: ${{ vars.NAME }}\n",
        "2:7 name: an expression is not allowed here\n  hint: write the value itself",
        id="expression-in-name",
    ),
    pytest.param(
        "image: .\nenvironment: {name: x}\n",
        "2:14 environment: a mapping here is not supported yet in this version\n"
        "  hint: write only the name: production",
        id="environment-mapping",
    ),
    pytest.param(
        "image: .\non: {push: main}\n",
        "2:6 on/push: is not a key of the spec\n  hint: use one of `branches`, `tags`, `release`, "
        "`pre-release`, `pull-request`, `merge-queue` and `schedule`; a key of your own must begin "
        "with `x-`",
        id="on-mapping",
    ),
    pytest.param(
        'image: .\non: [main, "release/*"]\n',
        "2:12 on/1: a pattern of branches such as 'release/*' is not supported yet in this version"
        "\n  hint: name the branches one by one",
        id="branch-pattern",
    ),
    pytest.param(
        "image: .\non: [main, main]\n",
        "2:12 on/1: 'main' appears twice\n  hint: keep one of them",
        id="branch-twice",
    ),
    pytest.param(
        "image: .\non: [a, a]\n",
        "2:9 on/1: 'a' appears twice\n  hint: keep one of them",
        id="branch-of-one-letter-twice",
    ),
    pytest.param(
        "image: .\nx-a: &a main\non: [*a, *a]\n",
        "2:6 on/1: 'main' appears twice\n  hint: keep one of them",
        id="branch-twice-by-an-alias",
    ),
    pytest.param(
        "image: .\non: [1.10]\n",
        '2:6 on/0: should be text, but is a number\n  hint: quote it: "1.10"',
        id="branch-is-a-number",
    ),
    pytest.param(
        "image: .\non: it's\n",
        '2:5 on: "it\'s" is not a name of a branch\n  hint: write for example main',
        id="branch-that-would-break-the-condition",
    ),
    pytest.param(
        "image: .\non: [main, pull_request]\n",
        "2:12 on/1: 'pull_request' is an event of GitHub, and branches are named here\n"
        "  hint: name a branch, such as main, and leave out push, pull requests and runs by hand, "
        "which a spec has by itself; a branch of this name is {branches: pull_request}",
        id="event-in-place-of-a-branch",
    ),
    pytest.param(
        "image: .\non: []\n",
        "2:5 on: is empty\n  hint: name at least one branch, or remove `on`",
        id="no-branches",
    ),
]

IMAGES = [
    pytest.param(
        "image: nowhere\n",
        "1:8 image: there is no folder {0}/nowhere\n"
        "  hint: name a folder of the repository, such as .",
        id="no-folder",
    ),
    pytest.param(
        "image: ./Dockerfile\n",
        "1:8 image: {0}/Dockerfile is a file, and a folder is named here\n"
        "  hint: name its folder: .",
        id="dockerfile-in-place-of-its-folder",
    ),
    pytest.param(
        "image: backend\n",
        "1:8 image: there is no Dockerfile at {0}/backend/Dockerfile\n"
        "  hint: write one, or say where it is: image: "
        "{{context: backend, dockerfile: path/of/it}}",
        id="no-dockerfile",
    ),
    pytest.param(
        "image: {context: backend, dockerfile: Dockerfile.prod}\n",
        "1:39 image/dockerfile: there is no Dockerfile at {0}/Dockerfile.prod\n"
        "  hint: the path begins at the root of the repository; "
        "perhaps you meant `backend/Dockerfile.prod`",
        id="dockerfile-relative-to-context",
    ),
    pytest.param(
        "image: ../other\n",
        "1:8 image: '../other' leads out of the repository\n"
        "  hint: paths begin at the root of the repository",
        id="outside",
    ),
    pytest.param(
        "image: https://github.com/a/b\n",
        "1:8 image: 'https://github.com/a/b' is an address\n"
        "  hint: name a folder of this repository",
        id="address",
    ),
    pytest.param(
        "image: 3\n",
        "1:8 image: should be a folder or a mapping, but is a number\n"
        "  hint: write for example image: .",
        id="number",
    ),
    pytest.param(
        "image: ${{{{ vars.FOLDER }}}}\n",
        "1:8 image: an expression is not allowed here\n  hint: write the value itself",
        id="expression",
    ),
    pytest.param(
        'image:\n  args:\n    TOKEN: "${{{{ secrets.TOKEN }}}}"\n',
        "3:12 image/args/TOKEN: a secret cannot be a build argument: "
        "everyone who can pull the image can read it\n"
        "  hint: give it to the build with `secrets: [NAME]`, which the Dockerfile mounts and the "
        "image does not contain; or to the app when it runs, with "
        "`deploy: {{run: {{env: [NAME]}}}}`",
        id="secret-argument",
    ),
    pytest.param(
        'image: {{args: {{A: "x\\ny"}}}}\n',
        "1:19 image/args/A: a build argument is one line, without spaces before or after it\n"
        "  hint: put such a text into a file of the repository",
        id="argument-of-two-lines",
    ),
    pytest.param(
        "image: {{args: [A]}}\n",
        "1:15 image/args: should be a mapping, but is a list\n"
        "  hint: write for example {{VERSION: '1.2'}}",
        id="arguments-are-a-list",
    ),
    pytest.param(
        "image: {{name: docker.io/a/b}}\n",
        "1:15 image/name: 'docker.io/a/b' is not in ghcr.io, where the jobs log in\n"
        "  hint: write registry: docker.io/a, or change the name",
        id="another-registry",
    ),
    pytest.param(
        "image: {{name: 'ghcr.io/a/b:latest'}}\n",
        "1:15 image/name: 'ghcr.io/a/b:latest' is not the name of an image\n"
        "  hint: write for example ghcr.io/owner/name in lower case, without a tag",
        id="tag",
    ),
]

RUNS = [
    pytest.param(
        "{name: shop}",
        "4:9 deploy/run/name: is not a key of the spec\n  hint: it is a key of the top level",
        id="key-of-the-top-level",
    ),
    pytest.param(
        '{port: "8080:8080"}',
        "4:9 deploy/run/port: is not a key of the spec\n"
        "  hint: perhaps you meant `ports`; `port` is a key of `deploy/ssh`",
        id="nearly-its-own-key-and-exactly-one-of-another-section",
    ),
    pytest.param(
        "{helth: /up}",
        "4:9 deploy/run/helth: is not a key of the spec\n"
        "  hint: perhaps you meant `health`, which is a key of `deploy`",
        id="near-key-of-the-section-around",
    ),
    pytest.param(
        '{ports: ["8080:99999"]}',
        "4:17 deploy/run/ports/0: '8080:99999': 99999 is not a port\n"
        "  hint: write a port from 1 to 65535",
        id="port-too-high",
    ),
    pytest.param(
        "{ports: [8080]}",
        "4:17 deploy/run/ports/0: 8080 does not name the port of the host\n"
        '  hint: write both ports, that of the host first: "8080:8080"',
        id="one-port",
    ),
    pytest.param(
        '{ports: ["80-90:80-90"]}',
        "4:17 deploy/run/ports/0: '80-90:80-90': "
        "a range of ports is not supported yet in this version\n"
        "  hint: list the ports one by one",
        id="port-range",
    ),
    pytest.param(
        "{ports: [a:b]}",
        "4:17 deploy/run/ports/0: 'a:b' is not a published port\n"
        '  hint: write HOST:CONTAINER, such as "8080:80" or "127.0.0.1:8080:80"',
        id="no-port",
    ),
    pytest.param(
        '{ports: ["${{ vars.PORT }}:80"]}',
        "4:17 deploy/run/ports/0: an expression is not allowed here\n"
        "  hint: write the value itself",
        id="expression-in-port",
    ),
    pytest.param(
        "{env: {A: {b: c}}}",
        "4:18 deploy/run/env/A: should be a value, but is a mapping\n"
        '  hint: write one text; put one that holds brackets into quotes: "{a: b}"',
        id="value-is-a-mapping",
    ),
    pytest.param(
        "{env: {A: {{ secrets.B }}}}",
        "4:18 deploy/run/env/A: should be a value, but is a mapping\n"
        '  hint: an expression begins with a `$`, and is in quotes: "${{ secrets.NAME }}"',
        id="expression-without-its-dollar",
    ),
    pytest.param(
        "{env: {A:1, B: 2}}",
        "4:15 deploy/run/env/A:1: `A` has no blank behind its `:`\n  hint: write `A: 1`",
        id="no-blank-behind-a-key-in-brackets",
    ),
    pytest.param(
        '{env: ["${{ secrets.B }}"]}',
        "4:15 deploy/run/env/0: a list holds names of secrets, and no expressions\n"
        "  hint: write B alone, which also names the variable; "
        'or name the variable that gets it: {NAME: "${{ secrets.B }}"}',
        id="secret-as-an-expression",
    ),
    pytest.param(
        '{env: ["A=${{ secrets.B }}"]}',
        "4:15 deploy/run/env/0: a list holds names of secrets, and no expressions\n"
        '  hint: name the variable that gets it: {A: "${{ secrets.B }}"}',
        id="secret-as-docker-writes-it",
    ),
    pytest.param(
        '{env: ["${{ vars.B }}"]}',
        "4:15 deploy/run/env/0: a list holds names of secrets, and no expressions\n"
        '  hint: name the variable that gets it: {NAME: "${{ vars.B }}"}',
        id="variable-as-an-expression",
    ),
    pytest.param(
        '{ports: "8080:80"}',
        "4:16 deploy/run/ports: should be a list, but is text\n"
        '  hint: write for example ["8080:8080"]',
        id="ports-are-no-list",
    ),
    pytest.param(
        "{volumes: [./data:/data]}",
        "4:19 deploy/run/volumes/0: './data' is neither a name nor an absolute path of the host\n"
        '  hint: write SOURCE:TARGET, such as "data:/var/lib/app" or "/srv/app:/data:ro"',
        id="relative-volume",
    ),
    pytest.param(
        "{volumes: [data]}",
        "4:19 deploy/run/volumes/0: 'data' is not a volume\n"
        '  hint: write SOURCE:TARGET, such as "data:/var/lib/app" or "/srv/app:/data:ro"',
        id="volume-without-target",
    ),
    pytest.param(
        "{restart: allways}",
        "4:18 deploy/run/restart: 'allways' is not a restart policy\n"
        "  hint: perhaps you meant `always`",
        id="restart",
    ),
    pytest.param(
        "{networks: host}",
        "4:19 deploy/run/networks: on 'host' no candidate can run beside the old container, or be "
        "asked for its health\n"
        "  hint: leave `networks` out, or name a network of the host, such as web",
        id="network-of-the-host",
    ),
    pytest.param(
        "{stop-timeout: 1m}",
        "4:23 deploy/run/stop-timeout: '1m' is not a time in seconds\n"
        "  hint: write a whole number from 0 to 3600, such as 30",
        id="stop-timeout",
    ),
    pytest.param(
        "{env: [1A]}",
        "4:15 deploy/run/env/0: '1A' is not a name of an environment variable\n"
        "  hint: use letters, digits and _, with no digit first",
        id="env-name",
    ),
    pytest.param(
        "{env: [A, {A: b}]}",
        "4:19 deploy/run/env/1/A: 'A' appears twice\n  hint: keep one of them",
        id="env-twice",
    ),
    pytest.param(
        "{env: [A, {a: x, b: '${{ vars.B }}'}, B]}",
        "4:46 deploy/run/env/2: GitHub takes `B` and `b` for one name: they differ in case alone\n"
        "  hint: give one of them another name",
        id="names-that-differ-in-case-alone",
    ),
    pytest.param(
        '{env: ["A=b"]}',
        "4:15 deploy/run/env/0: 'A=b': a name alone in this list is a secret\n"
        "  hint: write a value as a mapping: {A: b}",
        id="env-with-equals",
    ),
    pytest.param(
        "{env: {A: }}",
        "4:15 deploy/run/env/A: should be a value, but is nothing\n"
        '  hint: write "" when it is meant to be empty',
        id="env-nothing",
    ),
    pytest.param(
        "{env: A}",
        "4:14 deploy/run/env: should be a list or a mapping, but is text\n"
        "  hint: write for example [DB_URL, {LOG_LEVEL: info}], where a name alone is a secret",
        id="env-text",
    ),
    pytest.param(
        '{env: {A: "${{ secrets.B"}}',
        "4:18 deploy/run/env/A: has a `${{` without its `}}`\n"
        "  hint: close the expression with `}}`",
        id="open-expression",
    ),
    pytest.param(
        '{env: {A: "${{ secrets.B ${{ secrets.C }}"}}',
        "4:18 deploy/run/env/A: has a `${{` without its `}}`\n"
        "  hint: close the expression with `}}`",
        id="open-expression-before-another",
    ),
    pytest.param(
        '{env: {A: "${{ github.event.issue.title }}"}}',
        "4:18 deploy/run/env/A: `${{ github.event.issue.title }}` is not allowed here\n"
        "  hint: use ${{ secrets.NAME }}, ${{ vars.NAME }}, ${{ vars.NAME || 'default' }} "
        "or ${{ github.sha }}",
        id="another-context",
    ),
    pytest.param(
        '{env: {A: "${{ secrets.GITHUB_TOKEN }}"}}',
        "4:18 deploy/run/env/A: `GITHUB_TOKEN` is the token of the run, which expires with the "
        "run\n  hint: create a secret of your own",
        id="token-of-the-run",
    ),
]

SSH = [
    pytest.param(
        "me@host",
        "2:15 deploy/ssh: 'me@host' is not the name of a target\n  hint: write a word such as vps, "
        "which reads variables such as VPS_HOST; or a mapping: {host, user, key, known-hosts}",
        id="address",
    ),
    pytest.param(
        '"${{ vars.HOST }}"',
        "2:15 deploy/ssh: an expression cannot name a target\n  hint: write a word such as vps, "
        "which reads variables such as VPS_HOST; or a mapping: {host, user, key, known-hosts}",
        id="expression-as-a-target",
    ),
    pytest.param(
        "github",
        "2:15 deploy/ssh: GitHub reserves names that begin with GITHUB_\n"
        "  hint: choose another name, such as vps",
        id="reserved",
    ),
    pytest.param(
        "{host: h, user: u, key: '${{ secrets.K }}'}",
        "2:15 deploy/ssh: `known-hosts` is missing\n  hint: write for example known-hosts: "
        "${{ vars.VPS_KNOWN_HOSTS }}, with what ssh-keyscan prints",
        id="no-known-hosts",
    ),
    pytest.param(
        "{host: h, user: u, key: '${{ vars.K }}', known-hosts: '${{ vars.H }}'}",
        "2:39 deploy/ssh/key: the private key must come from a secret\n"
        "  hint: write for example key: ${{ secrets.VPS_SSH_KEY }}",
        id="key-in-a-variable",
    ),
    pytest.param(
        "{host: h, user: u, key: '${{ secrets.K }}', known-hosts: '${{ vars.H }}', port: 70000}",
        "2:95 deploy/ssh/port: '70000' is not a port\n"
        "  hint: write it, or take it from a variable: port: ${{ vars.VPS_PORT }}",
        id="port",
    ),
    pytest.param(
        "{host: a b, user: u, key: '${{ secrets.K }}', known-hosts: '${{ vars.H }}'}",
        "2:22 deploy/ssh/host: 'a b' is not a name or address of a host\n"
        "  hint: write it, or take it from a variable: host: ${{ vars.VPS_HOST }}",
        id="host",
    ),
]

TEXTS = [
    pytest.param(
        "image: .\n\tname: x\n",
        "2:1 there is a tab where YAML wants spaces\n  hint: indent with two spaces for each level",
        id="tab",
    ),
    pytest.param(
        "a: b: c\n",
        "1:5 a `:` is in a place where YAML allows no key\n"
        "  hint: begin keys of one level in the same column; quote a text that holds `: `",
        id="two-colons",
    ),
    pytest.param(
        "image: .\nname: x\n---\na: b\n",
        "3:1 a second document begins here\n  hint: a spec is one document; remove the `---`",
        id="two-documents",
    ),
    pytest.param(
        "image: [.\n",
        "1:8 a quote or bracket is opened here and not closed\n"
        "  hint: add the missing quote or bracket",
        id="open-bracket",
    ),
    pytest.param(
        "on:\n  - main\n - x\n",
        "3:2 begins in a column in which no line above begins\n"
        "  hint: begin keys, or items, of one level in the same column",
        id="columns",
    ),
    pytest.param(
        "image: @x\n",
        "1:8 begins with a character that YAML reserves\n  hint: quote it",
        id="at",
    ),
    pytest.param(
        "[" * 500,
        "1:51 is nested more than 50 levels deep\n"
        "  hint: check the brackets, or the indentation, before this",
        id="deep",
    ),
    pytest.param(
        b"\xef\xbb\xbfimage: .\r\nnam: x\r\n",
        "2:1 nam: is not a key of the spec\n  hint: perhaps you meant `name`",
        id="byte-order-mark-and-crlf",
    ),
]


@pytest.mark.parametrize(("text", "message"), WHOLE)
def test_a_wrong_key_or_value_is_reported_with_its_place(
    text: str, message: str, repository: Path
) -> None:
    assert problems(text, repository) == (f"{SOURCE}:{message}",)


@pytest.mark.parametrize(("text", "message"), IMAGES)
def test_a_wrong_image_is_reported_with_the_path_looked_for(
    text: str, message: str, repository: Path
) -> None:
    expected = f"{SOURCE}:{message.format(repository)}"
    assert problems(text.replace("{{", "{").replace("}}", "}"), repository) == (expected,)


@pytest.mark.parametrize(("run", "message"), RUNS)
def test_a_wrong_value_of_run_is_reported(run: str, message: str, repository: Path) -> None:
    assert problems(deploy(run), repository) == (f"{SOURCE}:{message}",)


@pytest.mark.parametrize(("ssh", "message"), SSH)
def test_a_wrong_host_is_reported(ssh: str, message: str, repository: Path) -> None:
    text = f"image: .\ndeploy: {{ssh: {ssh}, run: {{}}}}\n"
    assert problems(text, repository) == (f"{SOURCE}:{message}",)


@pytest.mark.parametrize(("text", "message"), TEXTS)
def test_what_is_no_yaml_is_explained(text: str | bytes, message: str, repository: Path) -> None:
    assert problems(text, repository) == (f"{SOURCE}:{message}",)


@pytest.mark.parametrize(
    ("health", "message"),
    [
        pytest.param(
            "health",
            "'health' is not a path of the app\n"
            "  hint: write for example /health; the host sends the request to "
            "the first published port",
            id="no-path",
        ),
        pytest.param(
            "[/health]",
            "should be a path, an address or a mapping, but is a list\n"
            "  hint: write for example health: /health",
            id="list",
        ),
        pytest.param(
            "https://shop.example.com/a b",
            "'https://shop.example.com/a b' is not an address\n"
            "  hint: write for example url: https://shop.example.com/health",
            id="address",
        ),
    ],
)
def test_a_health_check_is_a_path_or_an_address(
    health: str, message: str, repository: Path
) -> None:
    text = deploy('{ports: ["80:80"]}', health)
    assert problems(text, repository) == (f"{SOURCE}:5:11 deploy/health: {message}",)


@pytest.mark.parametrize(
    ("run", "message"),
    [
        pytest.param(
            "{}",
            "needs a published port, and there is none\n"
            '  hint: publish one: run: {ports: ["8080:8080"]}',
            id="no-port",
        ),
        pytest.param(
            "{ports: []}",
            "needs a published port, and there is none\n"
            '  hint: publish one: run: {ports: ["8080:8080"]}',
            id="no-port-in-the-list",
        ),
        pytest.param(
            '{ports: ["53:53/udp"]}',
            "the request needs TCP, but the first published port is 53:53/udp\n"
            "  hint: put a TCP port first",
            id="udp",
        ),
    ],
)
def test_a_health_check_needs_a_port_to_ask(run: str, message: str, repository: Path) -> None:
    found = problems(deploy(run, "/health"), repository)
    assert found == (f"{SOURCE}:5:11 deploy/health: {message}",)


@pytest.mark.parametrize(
    "name",
    [
        "PATH",
        "ENV",
        "TMPDIR",
        "RUNNER_TEMP",
        "ACTIONS_CACHE_URL",
        "INPUT_HOST",
        "JOB_TOKEN",
        "SSH_A",
    ],
)
def test_a_name_that_would_break_the_step_is_refused(name: str, repository: Path) -> None:
    message = (
        f"{SOURCE}:4:15 deploy/run/env/0: `{name}` would change how the step itself works on the "
        f"runner\n  hint: give the variable another name, such as `APP_{name}`"
    )
    assert problems(deploy(f"{{env: [{name}]}}"), repository) == (message,)


@pytest.mark.parametrize(
    "name",
    ["HOME", "LD_PRELOAD", "DOCKER_HOST", "IFS", "UID", "EUID", "PPID", "SHELLOPTS"],
)
@pytest.mark.parametrize("env", ["[{}]", "{{{}: x}}"], ids=["secret", "literal"])
def test_a_name_that_would_break_the_start_on_the_host_is_refused(
    env: str, name: str, repository: Path
) -> None:
    (message,) = problems(deploy(f"{{env: {env.format(name)}}}"), repository)
    assert f"`{name}` would change how the host starts the container" in message


@pytest.mark.parametrize("name", ["GITHUB_TOKEN", "github_token", "GitHub_Token"])
@pytest.mark.parametrize("env", ["[{}]", "{{A: '${{{{ secrets.{} }}}}'}}"])
def test_the_token_of_the_run_is_refused_in_any_case_and_form(
    env: str, name: str, repository: Path
) -> None:
    (message,) = problems(deploy(f"{{env: {env.format(name)}}}"), repository)
    assert f"`{name}` is the token of the run, which expires with the run" in message


def test_a_name_that_github_keeps_for_itself_is_refused(repository: Path) -> None:
    (message,) = problems(deploy("{env: [GITHUB_SHA]}"), repository)
    assert "`GITHUB_SHA`: GitHub reserves names that begin with GITHUB_" in message


@pytest.mark.parametrize(
    "name",
    ["refs/heads/main", "a/.b", "a.lock/b", "HEAD", "a..b", "a//b", "a.lock", "a/", "a.", "a@{b"],
)
def test_a_branch_that_git_would_not_take_is_refused(name: str, repository: Path) -> None:
    (message,) = problems(f"image: .\non: '{name}'\n", repository)
    assert message.startswith(f"{SOURCE}:2:5 on: {name!r} is not a name of a branch")


def test_a_branch_with_the_name_of_an_event_has_the_long_form(repository: Path) -> None:
    spec = "image: .\ndeploy: {ssh: vps, run: {}}\nenvironments: {live: {on: ON}}\n"
    (message,) = problems(spec.replace("ON", "push"), repository)
    assert message.startswith(f"{SOURCE}:3:27 environments/live/on: 'push' is an event of GitHub")
    load(spec.replace("ON", "{branches: push}").encode(), SOURCE, str(repository))
    load(b"image: .\non: {branches: push}\n", SOURCE, str(repository))


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("{ports: ['80:80', '80:81']}", "'80:81' collides with '80:80'"),
        ("{ports: ['080:80', '80:80/tcp']}", "'80:80/tcp' collides with '080:80'"),
        ("{ports: ['999.999.999.999:80:80']}", "999.999.999.999 is not an address"),
        ("{ports: ['\u0668\u0660:80']}", "is not a published port"),
        ("{ports: ['000080:80']}", "is not a published port"),
        ('{volumes: ["a b:/data"]}', "'a b:/data' is not a volume"),
        ('{volumes: ["data:/a\\x1b"]}', "'data:/a\\x1b' is not a volume"),
        ('{volumes: ["data:/a "]}', "'data:/a ' is not a volume"),
        ("{ports: ['01.2.3.4:80:80']}", "01.2.3.4 is not an address\n  hint: write for example 12"),
        ("{ports: ['01.2.3.4:80:80']}", "has no zero in front, because some programs take it for"),
        ("{ports: ['[:::::]:80:80']}", "'[:::::]:80:80': [:::::] is not an address"),
        ("{ports: ['0.0.0.0:80:80', '80:81']}", "'80:81' collides with '0.0.0.0:80:80'"),
        ('{volumes: ["a1:/x", "b1:/x/"]}', "'b1:/x/' collides with 'a1:/x'"),
        ('{volumes: ["data:/"]}', "would take the place of the whole file system of the container"),
        ('{volumes: ["data:/a:rw,zzz"]}', "Docker does not take the option 'zzz' here"),
        ('{volumes: ["data:/a:rw,ro"]}', "Docker does not take the option 'ro' here"),
        ("{env: {COMPOSE_FILE: x}}", "`COMPOSE_FILE` would change how the host starts the contain"),
        ('{env: {A: "b\\0"}}', "A: holds the character U+0000, which no variable can"),
        ('{env: {A: "\\ud800"}}', " holds an incomplete character"),
        ("{networks: " + "a" * 102 + "}", "is not a network that a container can join"),
        (
            "{env: [5]}",
            (
                "should be text, but is a number\n"
                "  hint: write for example DB_URL, the name of a secret"
            ),
        ),
        (
            "{ports: [true]}",
            'should be text, but is true or false\n  hint: write for example "8080:80"',
        ),
        (
            "{restart: true}",
            "should be text, but is true or false\n  hint: write for example unless-stopped",
        ),
    ],
)
def test_what_the_host_would_refuse_is_refused_before(
    run: str, message: str, repository: Path
) -> None:
    (found,) = problems(deploy(run), repository)
    assert message in found


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("host", '"[::1]"', "'[::1]' is not a name or address of a host"),
        (
            "host",
            "h:22",
            "'h:22' is not a name or address of a host\n  hint: write the port as a key of its own",
        ),
        (
            "host",
            '"${{ vars.A }} "',
            "remove the spaces before and after it, and all control characters",
        ),
        ("host", '"${{ vars.A }}\\e"', "remove the spaces before and after it"),
        ("known-hosts", '"h ssh-rsa AAAA\\e"', "remove the spaces before and after it"),
    ],
)
def test_a_value_of_ssh_is_what_ssh_takes(
    key: str, value: str, message: str, repository: Path
) -> None:
    said = {"host": "h", "user": "u", "key": "'${{ secrets.K }}'", "known-hosts": "'${{ vars.H }}'"}
    said[key] = value
    ssh = ", ".join(f"{name}: {text}" for name, text in said.items())
    (found,) = problems(f"image: .\ndeploy: {{ssh: {{{ssh}}}, run: {{}}}}\n", repository)
    assert message in found


@pytest.mark.parametrize(
    ("key", "message"),
    [
        pytest.param(
            "${{ secrets.K }} ",
            "has a blank beside the secret, which would be a part of the private key\n"
            "  hint: write only ${{ secrets.K }}",
            id="blank",
        ),
        pytest.param(
            "${{ secrets.K }}}",
            "holds other text beside the secret\n  hint: write only ${{ secrets.K }}",
            id="bracket",
        ),
        pytest.param(
            "${{ vars.K }}",
            "the private key must come from a secret\n"
            "  hint: write for example key: ${{ secrets.VPS_SSH_KEY }}",
            id="variable",
        ),
    ],
)
def test_a_key_is_a_secret_and_nothing_beside_it(key: str, message: str, repository: Path) -> None:
    ssh = f"{{host: h, user: u, key: '{key}', known-hosts: '${{{{ vars.H }}}}'}}"
    found = problems(f"image: .\ndeploy: {{ssh: {ssh}, run: {{}}}}\n", repository)
    assert found == (f"{SOURCE}:2:39 deploy/ssh/key: {message}",)


@pytest.mark.parametrize(
    "text",
    [
        "imag: .\n",
        "image: .\ndeploy: {shs: vps, runn: {}}\n",
        "image: .\ndeploy: {kubernets: deployment/web}\n",
        "image: .\ndeploy: {kubernetes: {wrkload: deployment/web}}\n",
        "image: .\ndeploy: {kubernetes: {aply: k8s/}}\n",
    ],
)
def test_a_misspelt_key_is_not_reported_as_missing_too(text: str, repository: Path) -> None:
    found = problems(text, repository)
    assert found
    assert all("perhaps you meant" in message for message in found)


@pytest.mark.parametrize(
    "text",
    [
        '"a\\n::warning::b": 1',
        '"\\e[31m": 1',
        'deploy: {"a\\n::warning::b": {c: 1}, "\\e": 2}',
        "? [a]\n: {b: c}",
        "? {a: b}\n: c",
        '"\\0": 1',
        "image: !a%0A::warning::b c",
    ],
)
def test_a_key_cannot_end_the_line_of_its_message(text: str, repository: Path) -> None:
    for message in problems(f"{text}\n", repository):
        assert message.replace("\n  hint: ", "").isprintable() or "a spec can" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("!!map .", "1:1 is not a mapping, although its tag says so"),
        ("!!map [G]", "1:1 is not a mapping, although its tag says so"),
        ("!!seq X", "1:1 is not a list"),
        ("image: !!bool [x]", "1:8 is not true or false"),
        ("image: !!str {a: b}", "1:8 is not text"),
        ("image: .\ndeploy: !!map [G]", "2:9 is not a mapping"),
        ('image: "\\U00110000"', "1:9 is an escape of a character that does not exist"),
        ('image: "\\ud800"', "1:8 holds an incomplete character"),
        ("image: .\nname:\tx", "2:6 there is a tab where YAML wants a space"),
    ],
)
def test_what_yaml_accepts_and_cannot_be_meant_is_reported(
    text: str, message: str, repository: Path
) -> None:
    (found,) = problems(text, repository)
    assert found.startswith(f"{SOURCE}:{message}")


def test_a_deploy_without_a_host_or_a_container_says_what_is_missing(repository: Path) -> None:
    assert problems("image: .\ndeploy: {}\n", repository) == (
        (
            f"{SOURCE}:2:9 deploy: `ssh` is missing\n  hint: name the host to deploy to: ssh: vps; "
            "or what runs in a cluster: kubernetes: deployment/web"
        ),
        (
            f"{SOURCE}:2:9 deploy: `run` is missing\n"
            '  hint: say what runs there: run: {ports: ["8080:8080"]}, or compose: compose.yml, '
            "or script: sudo systemctl restart shop"
        ),
    )


@pytest.mark.parametrize("repo", ["a/..", "a/.", "ä/b", "a/ü", "-a/b"])
def test_own_actions_are_in_a_repository_of_github(repo: str, repository: Path) -> None:
    text = f"image: .\nactions:\n  remote: {repo}@{'0' * 40} # v1.2.3\n"
    (message,) = problems(text, repository)
    assert "is not a repository at a full commit" in message


@pytest.mark.parametrize("name", ["git\u00a0hub", "a\u200bb", "a\u3000b", "a\u2028b", "a\x85b"])
@pytest.mark.parametrize("key", ["on", "environment"])
def test_a_name_with_a_character_that_nobody_sees_is_refused(
    key: str, name: str, repository: Path
) -> None:
    (message,) = problems(f"image: .\n{key}: '{name}'\n", repository)
    assert message.endswith(
        f"{key}: holds the character U+{ord(name[3 if len(name) > 3 else 1]):04X}, which cannot be "
        "seen\n  hint: remove it, or write a blank"
    )


@pytest.mark.parametrize("character", ["\x1c", "\u00a0", "\u2003", "\u200b", "\ufeff"])
@pytest.mark.parametrize("inside", ["{}secrets.B", " secrets.B {}", " vars.B || {}'x' "])
def test_an_expression_has_plain_blanks_only(inside: str, character: str, repository: Path) -> None:
    value = "${{" + inside.replace("{}", f"\\U{ord(character):08x}") + "}}"
    (message,) = problems(deploy(f'{{env: {{A: "{value}"}}}}'), repository)
    assert message == (
        f"{SOURCE}:4:18 deploy/run/env/A: has the character U+{ord(character):04X} in "
        "`${{ }}`, and GitHub takes plain blanks only\n  hint: write a blank instead"
    )


@pytest.mark.parametrize("name", ["本番", "prüfung"])
def test_an_environment_that_a_container_cannot_be_named_after_needs_a_name(
    name: str, repository: Path
) -> None:
    text = f"image: .\nenvironment: {name}\ndeploy: {{ssh: vps, run: {{}}}}\n"
    (message,) = problems(text, repository)
    assert message == (
        f"{SOURCE}:2:14 environment: {name!r} cannot be a part of the container's name as it is\n"
        "  hint: give the container a name of letters, digits and . _ -, as name: shop-live"
    )


def test_own_actions_are_pinned_to_a_commit_and_say_its_version(repository: Path) -> None:
    short = problems("image: .\nactions: {remote: a/b@v1}\n", repository)
    assert short == (
        (
            f"{SOURCE}:2:19 actions/remote: 'a/b@v1' is not a repository at a full commit\n"
            "  hint: write for example owner/repository@<40 hex digits> # v1.2.3"
        ),
    )
    bare = problems(f"image: .\nactions:\n  remote: a/b@{'0' * 40}\n", repository)
    assert bare == (
        (
            f"{SOURCE}:3:11 actions/remote: does not say its version\n"
            "  hint: write the release of that commit at the end of the line, such as # v1.2.3"
        ),
    )


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but a comment\n", "---\n", "\ufeff"])
def test_an_empty_spec_shows_how_to_write_one(text: str, repository: Path) -> None:
    (message,) = problems(text, repository)
    assert message.startswith(f"{SOURCE}:1:1 is empty\n  hint: a spec can be as short as this:\n")
    shown = message.split("this:\n", 1)[1]
    assert load(dedent(shown).encode(), SOURCE, str(repository)).deploy is not None


def test_all_problems_are_reported_in_one_run_in_the_order_of_lines(repository: Path) -> None:
    text = """\
    name: a b
    image: nowhere
    deploy:
      ssh: me@host
      run: {ports: [80], env: [PATH, 1A]}
      health: health
    zebra: 1
    """
    places = [
        message.split(": ", 1)[0].removeprefix(f"{SOURCE}:")
        for message in problems(dedent(text), repository)
    ]
    assert places == [
        "1:7 name",
        "2:8 image",
        "4:8 deploy/ssh",
        "5:17 deploy/run/ports/0",
        "5:28 deploy/run/env/0",
        "5:34 deploy/run/env/1",
        "6:11 deploy/health",
        "7:1 zebra",
    ]


def test_a_message_shows_the_ends_of_a_long_value(repository: Path) -> None:
    (message,) = problems(deploy(f"{{restart: {'x' * 100_000}}}"), repository)
    assert len(message) < 1000
    assert message.startswith(f"{SOURCE}:4:18 deploy/run/restart: 'xxxxx")
    assert "xxxxx ... xxxxx" in message
    assert "xxxxx' is not a restart policy\n  hint: use one of `no`, " in message


def test_a_list_that_holds_itself_is_refused_without_end(repository: Path) -> None:
    (message,) = problems("image: .\non: &a [*a]\n", repository)
    assert message.startswith(f"{SOURCE}:2:9 is an alias of a value that it is a part of, ")


@pytest.mark.parametrize("target", ["../outside", "{0}/backend/Dockerfile.prod"])
@pytest.mark.parametrize("image", ["app", "{{context: ., dockerfile: app/Dockerfile}}"])
def test_a_dockerfile_that_buildx_would_not_follow_is_refused(
    image: str, target: str, repository: Path
) -> None:
    (repository / "app").mkdir()
    (repository / "outside").touch()
    (repository / "app" / "Dockerfile").symlink_to(target.format(repository))
    (only,) = problems(f"image: {image.format()}\n", repository)
    what = f"{repository}/app/Dockerfile is a link out of its folder, which buildx does not follow"
    assert what in only
    assert (
        "\n  hint: replace the link by the file itself, or name that file as `dockerfile`" in only
    )


def test_a_dockerfile_may_be_a_link_to_a_file_beside_it(repository: Path) -> None:
    (repository / "backend" / "Dockerfile").symlink_to("Dockerfile.prod")
    assert (
        load(b"image: backend\n", SOURCE, str(repository)).built[0].sources[1]
        == "backend/Dockerfile"
    )


SCHEDULED = "image: .\non: {{branches: main, schedule: [{{cron: '{}'}}]}}\n"


@pytest.mark.parametrize(
    "time",
    [
        *("/7 -/ / , ,", "60 4 * * 1", "0 4 * * 7", "0 4 0 * *", "*// * * * *"),
        *("*/60 * * * *", "0 */24 * * *", "0 4 */32 * *", "0 4 * */13 *", "0 4 * * */7"),
        "*/0 * * * *",
    ],
)
def test_a_time_that_cron_does_not_know_is_refused(time: str, repository: Path) -> None:
    (only,) = problems(SCHEDULED.format(time), repository)
    assert "is not a time in the form of cron" in only


@pytest.mark.parametrize(
    "time",
    [
        *("0 4 * * 1", "*/15 0-6/2 1,15 JAN-MAR MON-FRI", "07 03 * * 0"),
        *("1/59 */23 */31 */12 */6", "*/10 */10 */10 */10 */1", "*/20 */20 */30 */9 */2"),
    ],
)
def test_a_time_that_cron_knows_is_a_time(time: str, repository: Path) -> None:
    load(SCHEDULED.format(time).encode(), SOURCE, str(repository))
