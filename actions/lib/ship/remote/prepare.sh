# Looks at the host, mends what a killed deploy left, and pulls the image. The service is not touched.

config=
tidy() { [ -z "$config" ] || rm -rf "$config"; }

check_docker() {
  command -v docker >/dev/null 2>&1 || fail no-docker
  said=$(docker version --format '{{.Server.Version}}' 2>&1) && return
  case $said in
    *'permission denied'*) fail docker-denied "$said" ;;
    *) fail docker-down "$said" ;;
  esac
}

remove_left_over() {
  exists "$1" || return 0
  is_ours "$1" || fail foreign "$1"
  docker rm -f -v "$1" >/dev/null
}

# With $NAME nobody knows how good $NAME.next is: the old one comes back. Without it a deploy was
# killed between its two renames, when $NAME.next had been found healthy, or it was the first deploy,
# and then there is no better version to go back to.
recover() {
  remove_left_over "$NAME.candidate"
  exists "$NAME.next" || return 0
  if exists "$NAME"; then
    say "an earlier deploy was killed in its switch: $NAME.next goes"
    remove_left_over "$NAME.next"
    running "$NAME" || docker start "$NAME" >/dev/null
  else
    say "an earlier deploy was killed: $NAME.next is all there is and becomes $NAME"
    docker rename "$NAME.next" "$NAME"
  fi
}

look_at_service() {
  exists "$NAME" || return 0
  # Its stop would delete it, and nothing could be put back.
  [ "$(look '{{.HostConfig.AutoRemove}}' "$NAME")" != true ] || fail auto-remove "$NAME"
  tell previous "$(image_of "$NAME")"
  running "$NAME" && tell before "$(image_of "$NAME")"
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

# The login is a file of this phase only: `docker login` would leave the token on the host. Without
# a token the host's own logins stay in effect.
log_in() {
  [ -n "$AUTH" ] || return 0
  config=$(mktemp -d) || fail disk "mktemp failed"
  printf '{"auths":{"%s":{"auth":"%s"}}}' "$REGISTRY" "$AUTH" >"$config/config.json" || fail disk "$config"
}

pull() {
  say "pulling $IMAGE"
  said=$( ([ -z "$config" ] || export DOCKER_CONFIG="$config"; exec docker pull -q "$IMAGE") 2>&1) && return
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
  look_at_service
  for port in $HOST_PORTS; do check_port "$port"; done
  [ -z "$NETWORK" ] || docker network inspect "$NETWORK" >/dev/null 2>&1 || fail no-network "$NETWORK"
  log_in
  pull
  finish 0
}
