# Looks at the host, mends what a killed deploy left, and pulls the image. The service is not touched.

tidy() { [ -z "${config:-}" ] || rm -rf "$config"; }

check_docker() {
  command -v docker >/dev/null 2>&1 || fail no-docker
  said=$(docker version --format '{{.Server.Version}}' 2>&1) && return
  case $said in
    *'permission denied'*) fail docker-denied "$said" ;;
    *) fail docker-down "$said" ;;
  esac
}

# A deploy that was killed between two steps of the switch leaves a running $NAME.next, or a stopped $NAME.
recover() {
  docker rm -f -v "$NAME.candidate" >/dev/null 2>&1
  exists "$NAME.next" || return 0
  if running "$NAME.next" && ! running "$NAME"; then
    say "an earlier deploy was killed after its switch: $NAME.next serves and becomes $NAME"
    if exists "$NAME"; then
      docker rm -f "$NAME.previous" >/dev/null 2>&1
      docker rename "$NAME" "$NAME.previous"
    fi
    docker rename "$NAME.next" "$NAME"
  else
    say "an earlier deploy was killed before its switch: $NAME.next goes"
    docker rm -f -v "$NAME.next" >/dev/null
    running "$NAME" || ! exists "$NAME" || docker start "$NAME" >/dev/null
  fi
}

# $1 a port of the host. Ours is the container that will be replaced.
check_port() {
  holders=$(docker ps --filter "publish=$1" --format '{{.Names}}')
  for holder in $holders; do
    [ "$holder" = "$NAME" ] || fail port-taken "$1 by the container $holder"
  done
  [ -z "$holders" ] || return 0
  hex=$(printf ':%04X 0*:0000 0A' "$1")
  ! grep -qsE "$hex" /proc/net/tcp /proc/net/tcp6 || fail port-taken "$1 by a program that is no container"
}

# The login is a file of this phase only: `docker login` would leave the token on the host.
log_in() {
  config=$(mktemp -d) || fail disk "mktemp failed"
  [ -z "$AUTH" ] || printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$AUTH" >"$config/config.json" || fail disk "$config"
}

pull() {
  say "pulling $IMAGE"
  said=$(DOCKER_CONFIG=$config docker pull -q "$IMAGE" 2>&1) && return
  case $said in
    *'no space left'*) fail disk "$said" ;;
    *denied* | *unauthorized* | *'authentication required'* | *forbidden*) fail pull-denied "$said" ;;
    *'not found'* | *'manifest unknown'*) fail no-image "$said" ;;
    *) fail pull "$said" ;;
  esac
}

main() {
  watch_client
  check_docker
  recover
  for port in $HOST_PORTS; do check_port "$port"; done
  [ -z "$NETWORK" ] || docker network inspect "$NETWORK" >/dev/null 2>&1 || fail no-network "$NETWORK"
  exists "$NAME" && tell previous "$(image_of "$NAME")"
  log_in
  pull
  finish 0
}
