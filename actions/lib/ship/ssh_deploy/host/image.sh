# The engine, its disk, the registry, and the image.

config=
login_key=

check_docker() {
  command -v docker >/dev/null 2>&1 || fail no-docker
  said=$(docker version --format '{{.Server.Version}}' 2>&1) && return
  case $said in
    *'permission denied'*) fail docker-denied "$said" ;;
    *) fail docker-down "$said" ;;
  esac
}

# Two repositories may choose one name without knowing of each other. One that was renamed, or that
# shares the service, is told by a line in a file of the state. $1 the repository of what serves.
check_source() {
  case $1 in '' | "$SOURCE") return 0 ;; esac
  [ -z "$SOURCE" ] || grep -qsxF -e "$1" "$STATE/repositories" || fail other-repository "$1"
}

# Which image: as given, or one that was deployed here before. $1 the image that serves now.
choose_image() {
  case $ROLLBACK in
    '') return 0 ;;
    previous) IMAGE=$(by_digest "$(images_that_served | grep -vxF -e "$1" | head -n 1)") ;;
    sha256:*) IMAGE=$(images_of_history '[^"]*' | grep -F "@$ROLLBACK" | head -n 1) ;;
    *) IMAGE=${REPOSITORY:-$(repository_of "$1")} && IMAGE=${IMAGE:+$IMAGE:$ROLLBACK} ;;
  esac
  [ -n "$IMAGE" ] || fail no-release "$ROLLBACK"
  [ "$IMAGE" != "$1" ] || fail same-release "$IMAGE"
  say "going back to $IMAGE"
}

# What somebody started by hand has a tag, which may mean another image by now: the container that was
# kept of it knows which one it was.
by_digest() {
  digest=
  case $1 in
    '' | *@*) ;;
    "$(image_of "$NAME.previous")") digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$(look '{{.Image}}' "$NAME.previous")" 2>/dev/null) || digest= ;;
  esac
  printf '%s\n' "${digest:-$1}"
}

# An image without its digest and tag; what comes after a colon and has a slash is no tag but a port.
repository_of() {
  set -- "${1%%@*}"
  case ${1##*/} in *:*) set -- "${1%:*}" ;; esac
  printf '%s\n' "$1"
}

# A tag moves; what was pulled by one is deployed by its digest.
resolve_image() {
  case $IMAGE in
    *@*) ;;
    *) IMAGE=$(docker image inspect --format '{{index .RepoDigests 0}}' "$IMAGE" 2>/dev/null) || fail no-image "$IMAGE" ;;
  esac
  tell image "$IMAGE"
}

# The login is a file of this phase only: `docker login` would leave the token on the host. Without
# a token the host's own logins stay in effect. $1 images: the registry of a release to go back to is
# known here alone, and is that of the first, as in a deploy.
log_in() {
  [ -n "$AUTH" ] || return 0
  login_key=${REGISTRY:-$(registry_key "${1%% *}")}
  [ -n "$login_key" ] || return 0
  config=$STATE/docker-config
  mkdir -m 700 "$config" || fail disk "$config"
  printf '{"auths":{"%s":{"auth":"%s"}}}' "$login_key" "$AUTH" >"$config/config.json" 2>/dev/null || fail disk "$config"
  # Plugins and contexts are found beside the configuration, and must stay in effect.
  own=${DOCKER_CONFIG:-${HOME:-}/.docker}
  for each in cli-plugins contexts tls; do
    [ ! -d "$own/$each" ] || ln -s "$own/$each" "$config/$each"
  done
  context=$(docker context show 2>/dev/null)
}

# Under which name Docker has the login for the registry of an image; nothing for no image.
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
  [ -z "$config" ] || rm -rf "$config"
  config=
}

# Our login hides those of the host, so it is for its own registry alone.
docker_pull() { (
  if [ -n "$config" ] && [ "$(registry_key "$1")" = "$login_key" ]; then
    export DOCKER_CONFIG="$config"
    [ -n "${DOCKER_HOST:-}" ] || export DOCKER_CONTEXT="${context:-default}"
  fi
  exec docker pull -q "$1"
) }

# KiB that are free where the engine keeps images; nothing where that is not told.
free_space() {
  root=$(docker info --format '{{.DockerRootDir}}' 2>/dev/null)
  df -Pk "${root:-/nowhere}" 2>/dev/null | { read -r _ && read -r _ _ _ free _ && echo "$free"; }
}

# $1 the image that serves: the new one is about as large, but shares layers with it.
check_space() {
  ! docker image inspect "$IMAGE" >/dev/null 2>&1 || return 0
  free=$(free_space)
  [ -n "$free" ] || return 0
  size=$(docker image inspect --format '{{.Size}}' "$1" 2>/dev/null || echo 0)
  wanted=$((size / 1024))
  [ "$free" -lt "$wanted" ] || [ "$free" -lt 16384 ] || return 0
  say "only $((free / 1024)) MiB are free for images: old releases of $NAME go"
  prune
  free=$(free_space)
  if [ "$free" -lt $((wanted / 4)) ] || [ "$free" -lt 8192 ]; then
    fail disk "$((free / 1024)) MiB are free, and the image that serves has $((wanted / 1024))"
  fi
}

pull() {
  # What a digest names is here or not, and never another.
  case $1 in *@*) ! docker image inspect "$1" >/dev/null 2>&1 || return 0 ;; esac
  say "pulling $1"
  said=$(docker_pull "$1" 2>&1) && return
  case $said in
    *'no space left'*) fail disk "$said" ;;
    *toomanyrequests* | *'rate limit'*) fail pull-limit "$said" ;;
    *denied* | *unauthorized* | *'authentication required'* | *forbidden*) fail pull-denied "$said" ;;
    *'not found'* | *'manifest unknown'*) fail no-image "$said" ;;
    *) fail pull "$said" ;;
  esac
}
