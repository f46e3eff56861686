"""What the deploy job does when a controller applies manifests: it commits the image there.

Its one step is a script that is made of the texts below. No expression is in it: what the spec and
the run say reaches it in the environment.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gen_workflow.plan.build import job_of
from gen_workflow.plan.inputs import Given, Work, image_of
from gen_workflow.spec.gitops import TOKEN
from gen_workflow.workflow.records import Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gen_workflow.spec.declaration import Spec
    from gen_workflow.spec.environments import Environment
    from gen_workflow.spec.gitops import Gitops, HelmValues

_MINUTES = 10
# GitHub's page "GitHub's SSH key fingerprints" has it.
_HOST_KEY = (
    "github.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"
)

_BEGIN = """\
fail() { echo "::error::$*"; exit 1; }

run="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs"
title="Deploy $GITHUB_REPOSITORY to $ENVIRONMENT"
body="$(cut -d ' ' -f 1 <<< "$IMAGES")

Commit: $GITHUB_SERVER_URL/$GITHUB_REPOSITORY/commit/$GITHUB_SHA
Run: $run/$GITHUB_RUN_ID"
"""
_INIT = """\

cd "$(mktemp -d -p "$RUNNER_TEMP")" || exit
git init -q
git config user.name 'github-actions[bot]'
git config user.email '41898282+github-actions[bot]@users.noreply.github.com'
"""
_WITH_TOKEN = """\

[ -n "$GH_TOKEN" ] || fail "the token is empty: GitHub has no such secret for $ENVIRONMENT"
# Git reads the token from the environment, so it is in no argument and in no file.
login=$(printf 'x-access-token:%s' "$GH_TOKEN" | base64 -w 0)
echo "::add-mask::$login"
export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_COUNT=1
export GIT_CONFIG_KEY_0="http.$GITHUB_SERVER_URL/.extraheader"
export GIT_CONFIG_VALUE_0="Authorization: Basic $login"
git remote add origin "$GITHUB_SERVER_URL/$REPOSITORY.git"
"""  # noqa: S105 - a script
_WITH_KEY = """\

[ -n "$KEY" ] || fail "the key is empty: GitHub has no such secret for $ENVIRONMENT"
# An agent holds the key, so it is in no argument and in no file.
eval "$(ssh-agent -s)" > /dev/null
trap 'ssh-agent -k > /dev/null' EXIT
printf '%s\\n' "$KEY" | ssh-add -q - || fail "the key is not a private key without a passphrase"
echo "$HOST_KEY" > .git/known_hosts
git config core.sshCommand "ssh -o BatchMode=yes -o StrictHostKeyChecking=yes \\
  -o UserKnownHostsFile='$PWD/.git/known_hosts'"
git remote add origin "ssh://git@github.com/$REPOSITORY.git"
"""
_LOOP = """\

for attempt in 1 2 3 4 5; do
  git fetch -q --depth 50 origin "refs/heads/$BRANCH" ||
    fail "cannot read the branch $BRANCH of $REPOSITORY: it is not there, or the login may not"
  git checkout -q --force --detach FETCH_HEAD
  newest=$(git log -1 --fixed-strings --grep="Run: $run/" --format=%B -- "$PLACE" |
    sed -n 's|^Run: .*/||p')
  if [ "$GITHUB_RUN_ATTEMPT" = 1 ] && [ "${newest:-0}" -gt "$GITHUB_RUN_ID" ]; then
    fail "a newer run has deployed: $run/$newest. To deploy this one, run its job again"
  fi
  [ -e "$PLACE" ] || fail "$REPOSITORY has no $PLACE on the branch $BRANCH"
  while read -r image name; do
    [[ $image =~ ^[a-z0-9._/:-]+@sha256:[0-9a-f]{64}$ ]] || fail "the build gave no image"
"""
_KUSTOMIZE = """\
    name=${name:-${image%@*}}
    (cd "$PLACE" && kustomize edit set image "$name=$image") ||
      fail "$PLACE has no kustomization that kustomize can edit"
    # Where this runner cannot build, as with a private base, the controller will say it.
    if built=$(kustomize build "$PLACE") && ! grep -qF "$image" <<< "$built"; then
      fail "no manifest of $PLACE uses the image $name"
    fi
"""
# `NAME` is a path of yq, from the spec; `new` has no character that sed takes for another.
_VALUES = """\
    new=NEW
    at=$(yq "$name | line" "$PLACE")
    [[ $at =~ ^[1-9][0-9]*$ ]] || fail "$PLACE has no value at $name; write one there once"
    # Of the file this line alone changes; yq would give the whole file another layout.
    sed -i -E "${at}s|(: *[\\"']?)[^\\"' #]*|\\1$new|" "$PLACE"
    [ "$(yq "$name" "$PLACE")" = "$new" ] ||
      fail "$PLACE has no single text at $name, on a line of its own"
"""
_NEW = {"digest": '"${image#*@}"', "image": "$image", "tag": '"${GITHUB_SHA:0:7}@${image#*@}"'}
# The commit in a tag is another one for the same image, which needs no deploy.
_SAME_TAG = """\
    [[ "$(yq "$name" "$PLACE")" != *"@${image#*@}" ]] || continue
"""
_PUSH = """\
  done <<< "$IMAGES"
  if git diff --quiet; then
    echo "$REPOSITORY has this image already; nothing to do"
    exit 0
  fi
  git commit -qam "$title" -m "$body"
  if git push -q origin "HEAD:refs/heads/TARGET"; then break; fi
  [ "$attempt" != 5 ] ||
    fail "$REPOSITORY refuses the push, as git says above. WHY"
  sleep "$attempt" # another push may have come first, so fetch again
done
git log -1 --stat --format='%H%n%B'
"""
_WHY = "May the login write there? Is $BRANCH protected? Then use pull-request"
_PULL_REQUEST = """\
url=$(gh pr create --repo "$REPOSITORY" --base "$BRANCH" --head "$mine$number" \\
  --title "$title" --body "$body") || fail "the token may not open pull requests in $REPOSITORY"
echo "$url"
# Only the newest pull request for an environment stays open.
gh pr list --repo "$REPOSITORY" --base "$BRANCH" --limit 100 --json headRefName \\
  --jq '.[].headRefName' | while read -r other; do
  case "$other" in "$mine$number") continue ;; "$mine"*) ;; *) continue ;; esac
  old=${other#"$mine"}
  if [ "${old%-*}" -le "$GITHUB_RUN_ID" ]; then
    gh pr close "$other" --repo "$REPOSITORY" --delete-branch --comment "Replaced by $url"
  fi
done
"""


def work(spec: Spec, target: Environment, gitops: Gitops) -> Work:
    """Return the one step, which needs nothing of this repository."""
    step = Step(
        f"Commit the image to {gitops.repository}",
        run=_script(gitops),
        env=tuple(_env(spec, target, gitops)),
        more=(("shell", "bash"),),
    )
    return Work((step,), (), _MINUTES, order="a deploy of an older run is refused")


def _script(gitops: Gitops) -> str:
    tool = "kustomize" if gitops.kustomize else "yq"
    has = "command -v kustomize > /dev/null"
    if gitops.values:
        has = "yq --version 2> /dev/null | grep -q mikefarah/yq"
    needed = f'{has} ||\n  fail "this runner has no {tool}, and those of GitHub with Ubuntu have"\n'
    target, why, end = "$BRANCH", _WHY, ""
    mine = ""
    if gitops.pull_request:
        target, why, end = "$mine$number", "May the token write there?", _PULL_REQUEST
        needed += 'command -v gh > /dev/null || fail "this runner has no gh"\n'
        mine = (
            "mine=gen-workflow/$GITHUB_REPOSITORY/$GITHUB_JOB/\n"
            "number=$GITHUB_RUN_ID-$GITHUB_RUN_ATTEMPT\n"
        )
    edit = _edit(gitops.values) if gitops.values else _KUSTOMIZE
    push = _PUSH.replace("TARGET", target).replace("WHY", why)
    login = _WITH_KEY if gitops.key else _WITH_TOKEN
    return f"{_BEGIN}{mine}{needed}{_INIT}{login}{_LOOP}{edit}{push}{end}"


def _edit(values: HelmValues) -> str:
    edit = _VALUES.replace("NEW", _NEW[values.what])
    return _SAME_TAG + edit if values.tag else edit


def _env(spec: Spec, target: Environment, gitops: Gitops) -> Iterator[tuple[str, str]]:
    yield "REPOSITORY", gitops.repository
    yield "BRANCH", gitops.branch
    if gitops.kustomize:
        yield "PLACE", gitops.kustomize.folder
    if gitops.values:
        yield "PLACE", gitops.values.file
    yield "IMAGES", "\n".join(_images(spec, gitops))
    yield "ENVIRONMENT", target.key
    if gitops.key:
        yield "HOST_KEY", _HOST_KEY
    yield ("KEY", gitops.key) if gitops.key else ("GH_TOKEN", gitops.token or TOKEN)


def _images(spec: Spec, gitops: Gitops) -> Iterator[str]:
    """Yield for each image the digest that was pushed, and what the manifests have for it."""
    names = dict(gitops.kustomize.image) if gitops.kustomize else {}
    if gitops.values:
        names = dict(getattr(gitops.values, gitops.values.what))
        names = {key: expression(place) for key, place in names.items()}
    for image in spec.built:
        name = names.get(image.key, "")
        if gitops.values and not name:
            name = expression(f"{image.key}.image.digest" if image.key else "image.digest")
        yield f"{image_of(job_of(image))} {name}".rstrip()


def expression(place: str) -> str:
    """Return a path such as `image.digest` as yq takes it."""
    found = ""
    for part in place.strip(".").split("."):
        plain = re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", part)
        found += f"[{part}]" if part.isdecimal() else f".{part}" if plain else f'."{part}"'
    return found if found.startswith(".") else f".{found}"


def values_from_github(gitops: Gitops) -> Iterator[Given]:
    """Yield each value that the job takes from GitHub, and what it is for."""
    if gitops.key:
        yield Given(gitops.key, f"deploy key of {gitops.repository} with write access")
        return
    may = "contents and pull requests" if gitops.pull_request else "contents"
    yield Given(gitops.token or TOKEN, f"token that may write {may} of {gitops.repository}")
