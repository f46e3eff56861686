# The engine and its containers, the disk, the registry, and the image of a deploy.
#
# IMAGE (parameter): the image to deploy. When the deploy goes back, the host finds it.

# Log lines and facts in one stream, or they would reach the client in another order.
exec 2>&1

LABEL=io.github.gen-workflow.service
# What the last command of Docker printed that did not do what it had to.
docker_output=
# The last image that was here, and the last that was not, when we looked for the space.
present_image=
missing_image=
# The folder with our login to the registry, while there is one.
login_folder=
# The name that this login has in the configuration of Docker.
login_key=
# The registry that the host has a login of its own for, which is used in place of ours.
own_login_key=
# The context of Docker that our configuration would hide.
docker_context=

# What Docker's client starts may stay, such as an agent for its logins. It must not hold our lock,
# whose descriptor it would inherit. Where the client is started in the background, or with `exec`,
# its line closes the descriptor.
docker() { "$DOCKER_PROGRAM" "$@" 9>&-; }
inspect() { docker container inspect --format "$1" "$2" 2>/dev/null; }
exists() { docker container inspect "$1" >/dev/null 2>&1; }
running() { [ "$(inspect '{{.State.Running}}' "$1")" = true ]; }
image_of() { inspect '{{.Config.Image}}' "$1"; }
is_ours() { [ "$(inspect "{{index .Config.Labels \"$LABEL\"}}" "$1")" = "$NAME" ]; }
engine_answers() { docker version >/dev/null 2>&1; }
has_image() { docker image inspect "$1" >/dev/null 2>&1; }

# Podman may have the name docker. Its service names itself, and its own client has no components.
check_docker() {
  local format='{{.Server.Version}}{{range .Server.Components}} {{.Name}}{{end}}' code
  [ -n "$DOCKER_PROGRAM" ] || fail no-docker
  docker_output=$(docker version --format "$format" 2>&1)
  code=$?
  case $docker_output in *Podman*) fail podman ;; esac
  [ "$code" != 0 ] || return 0
  case $(docker --version 2>/dev/null) in podman*) fail podman ;; esac
  docker_output=$(without_warning "$docker_output")
  case $docker_output in
    *'permission denied'*) fail docker-denied "$docker_output" ;;
    *) fail docker-down "$docker_output" ;;
  esac
}

# Docker's client warns at each command that it cannot read its configuration, and works on. These
# words must not be taken for the reason why something else failed. $1 what it printed.
without_warning() { printf '%s\n' "$1" | sed '/^WARNING: Error loading config file/d'; }

# A container for another platform only runs where the host emulates it, so this is no error yet.
warn_of_platform() {
  case $docker_output in
    *'does not match the detected host platform'*)
      log "$(printf '%s\n' "$docker_output" | grep 'does not match the detected host platform')"
      ;;
  esac
}

# The last line of a log often does not end.
show_logs() {
  docker logs --tail 50 "$1" 2>&1 | sed "s/^/$MARK log /"
  echo
}

# Ends the session with the cause that the words of Docker name. $1 the code for any other cause,
# $2 these words.
explain() {
  local port
  case $2 in
    *'port is already allocated'* | *'address already in use'*)
      port=$(printf '%s' "$2" | port_in_words)
      [ -z "$port" ] || fail port-taken "$port: it is already in use"
      ;;
    *'no space left'*) fail disk "$2" ;;
    *'No such container'*) fail removed "$2" ;;
    *'exec format error'*) fail exec-format "$2" ;;
    *'rgument list too long'*) fail too-long "$2" ;;
  esac
  fail "$1" "$(without_warning "$2")"
}

# The port of the host is after the first address. That of the container may come after it.
port_in_words() {
  awk 'match($0, /[]:0-9]:[0-9]+/) { print substr($0, RSTART + 2, RLENGTH - 2); exit }'
}

# Two repositories may choose one name, and neither knows of the other. A repository that was
# renamed, or that shares the service, is a line in a file of the state. $1 the repository of the
# version that serves.
check_source() {
  case $1 in '' | "$SOURCE") return 0 ;; esac
  [ -z "$SOURCE" ] || grep -qsxF -e "$1" "$STATE/repositories" || fail other-repository "$1"
}

# Finds the release to go back to. $1 the image that serves now.
choose_image() {
  case $ROLLBACK in
    '') return 0 ;;
    previous) IMAGE=$(by_digest "$(images_that_served | grep -vxF -e "$1" | head -n 1)") ;;
    sha256:*) IMAGE=$(images_of_history '[^"]*' | grep -F "@$ROLLBACK" | head -n 1) ;;
    *) IMAGE=${REPOSITORY:-$(repository_of "$1")} && IMAGE=${IMAGE:+$IMAGE:$ROLLBACK} ;;
  esac
  [ -n "$IMAGE" ] || fail no-release "$ROLLBACK"
  [ "$IMAGE" != "$1" ] || fail same-release "$IMAGE"
  log "rolling back to $IMAGE"
}

# A container that was started by hand has an image with a tag, and the tag may mean another
# image by now. The container that we kept knows which image it was.
by_digest() {
  local digest=
  case $1 in
    '' | *@*) ;;
    "$(image_of "$NAME.previous")")
      digest=$(docker image inspect --format '{{index .RepoDigests 0}}' \
        "$(inspect '{{.Image}}' "$NAME.previous")" 2>/dev/null) || digest=
      ;;
  esac
  printf '%s\n' "${digest:-$1}"
}

# An image without its digest and tag. What follows a colon and has a slash is a port and no tag.
repository_of() {
  set -- "${1%%@*}"
  case ${1##*/} in *:*) set -- "${1%:*}" ;; esac
  printf '%s\n' "$1"
}

# A tag moves: an image that was pulled by its tag is deployed by its digest.
resolve_image() {
  local digest
  case $IMAGE in
    *@*) ;;
    *)
      digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$IMAGE" 2>/dev/null) ||
        fail no-image "$IMAGE"
      IMAGE=$digest
      ;;
  esac
  report image "$IMAGE"
}

# Our login is a file that goes after this phase: `docker login` would leave the token on the host.
# Without a token the host's own logins stay in effect. $1 images: when a deploy goes back, only the
# host knows the registry, which is that of the first image, as in a deploy. With HOST_LOGIN_FIRST
# (parameter), a login of the host for the same registry is used instead.
log_in() {
  local own each
  [ -n "$AUTH" ] || return 0
  login_key=${REGISTRY:-$(registry_key "${1%% *}")}
  [ -n "$login_key" ] || return 0
  own=${DOCKER_CONFIG:-${HOME:-}/.docker}
  if [ -n "$HOST_LOGIN_FIRST" ] && grep -qsF "\"$login_key\"" "$own/config.json"; then
    own_login_key=$login_key
    return
  fi
  login_folder=$STATE/docker-config
  mkdir -m 700 "$login_folder" || fail disk "$login_folder"
  printf '{"auths":{"%s":{"auth":"%s"}}}' "$login_key" "$AUTH" 2>/dev/null \
    >"$login_folder/config.json" || fail disk "$login_folder"
  # Docker finds plugins and contexts beside its configuration, and they must stay in effect.
  for each in cli-plugins contexts tls; do
    [ ! -d "$own/$each" ] || ln -s "$own/$each" "$login_folder/$each"
  done
  docker_context=${DOCKER_CONTEXT:-}
  # Most configurations name no context, and Docker's client takes a while to say so.
  [ -n "$docker_context" ] || ! grep -qs '"currentContext"' "$own/config.json" ||
    docker_context=$(docker context show 2>/dev/null)
}

# The name that Docker has for the registry of an image; nothing for no image.
registry_key() {
  case ${1%%/*} in
    '') ;;
    "$1") echo https://index.docker.io/v1/ ;;
    docker.io | index.docker.io) echo https://index.docker.io/v1/ ;;
    localhost | *.* | *:*) echo "${1%%/*}" ;;
    *) echo https://index.docker.io/v1/ ;;
  esac
}

log_out() {
  [ -z "$login_folder" ] || rm -rf "$login_folder"
  login_folder=
}

# Our login hides those of the host, so we use it for its own registry alone.
docker_pull() { (
  if [ -n "$login_folder" ] && [ "$(registry_key "$1")" = "$login_key" ]; then
    export DOCKER_CONFIG="$login_folder"
    [ -n "${DOCKER_HOST:-}" ] || export DOCKER_CONTEXT="${docker_context:-default}"
  fi
  exec "$DOCKER_PROGRAM" pull -q "$1" 9>&-
) }

# KiB that are free where the engine keeps images; nothing when we cannot know.
free_space() {
  local root free
  root=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
  df -Pk "${root:-/nowhere}" 2>/dev/null |
    { read -r _ && read -r _ _ _ free _ && echo "$free"; }
}

# $1 the image to pull, $2 the image that serves: the new one is about as large, but shares layers
# with it.
check_space() {
  local free size wanted
  ! docker image inspect "$1" >/dev/null 2>&1 || { present_image=$1 && return 0; }
  missing_image=$1
  free=$(free_space)
  [ -n "$free" ] || return 0
  size=$(docker image inspect --format '{{.Size}}' "$2" 2>/dev/null || echo 0)
  wanted=$((size / 1024))
  [ "$free" -lt "$wanted" ] || [ "$free" -lt 16384 ] || return 0
  tell "only $((free / 1024)) MiB are free for images: removing images of old releases of $NAME"
  prune
  free=$(free_space)
  if [ "$free" -lt $((wanted / 4)) ] || [ "$free" -lt 8192 ]; then
    fail disk "$((free / 1024)) MiB are free, and the current image has $((wanted / 1024)) MiB"
  fi
}

pull() {
  # A digest always names the same image: when it is here, there is nothing to pull.
  case $1 in
    "$missing_image") ;;
    *@*)
      [ "$1" != "$present_image" ] || return 0
      ! docker image inspect "$1" >/dev/null 2>&1 || return 0
      ;;
  esac
  log "pulling $1"
  docker_output=$(docker_pull "$1" 2>&1) && return
  explain_pull "$(without_warning "$docker_output")" "$1"
}

# $1 what Docker said, without its warning; $2 the image.
explain_pull() {
  case $1 in
    *'no space left'*) fail disk "$1" ;;
    *toomanyrequests* | *'rate limit'*) fail pull-limit "$1" ;;
    *'no matching manifest'* | *'no match for platform'* | *'used on this platform'*)
      fail no-platform "$1"
      ;;
    *denied* | *unauthorized* | *'authentication required'* | *forbidden*)
      # The login may be in the configuration that cannot be read.
      [ "$1" = "$docker_output" ] || fail docker-config "$docker_output"
      [ -z "$own_login_key" ] || [ "$(registry_key "$2")" != "$own_login_key" ] ||
        fail pull-denied-to-host "$own_login_key: $1"
      fail pull-denied "$1"
      ;;
    *'not found'* | *'manifest unknown'*) fail no-image "$1" ;;
    *) fail pull "$1" ;;
  esac
}

# Pulls an image that another program has removed, with the login of this deploy, which is a file
# again as long as this takes. Nothing ends the session here: `docker_output` says why it failed.
pull_again() {
  log "pulling $1 again, because another program has removed it from the host"
  docker_output=$(
    fail() { echo "$2" && exit 1; }
    log_in "$1"
    docker_pull "$1" 2>&1 && log_out && exit
    log_out
    exit 1
  )
}
