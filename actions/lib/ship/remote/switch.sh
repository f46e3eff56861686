# Replaces the service: the old container stops, the new one starts on the real ports and is checked
# again. Whatever goes wrong, the old container is started again.

created=
stopped=
switched=

tidy() {
  [ -z "$switched" ] || return 0
  [ -z "$stopped" ] || say "bringing $NAME back"
  # A stop that was cut off goes on in the engine: a start before its end would be undone by it.
  [ -z "$stopped" ] || docker stop -t "$STOP_TIMEOUT" "$NAME" >/dev/null 2>&1
  # An engine that restarts needs some seconds before it takes commands again, and brings the new
  # container with it, on the ports of the old one.
  tries=30
  while [ "$tries" -gt 0 ]; do
    [ -z "$created" ] || docker rm -f -v "$NAME.next" >/dev/null 2>&1
    [ -n "$stopped" ] || return 0
    docker start "$NAME" >/dev/null 2>&1
    if running "$NAME"; then
      tell restored "$(image_of "$NAME")"
      return
    fi
    tries=$((tries - 1))
    sleep 1
  done
  tell lost "$NAME"
}

give_up() {
  show_logs "$NAME.next"
  fail "$1" "$2"
}

# The old one is kept, and must never start by itself: not even a restart policy of `always` may
# bring it back after a reboot.
put_names_right() {
  if exists "$NAME"; then
    docker rm -f "$NAME.previous" >/dev/null 2>&1
    docker rename "$NAME" "$NAME.previous" || fail rename
    docker update --restart=no "$NAME.previous" >/dev/null
  fi
  docker rename "$NAME.next" "$NAME" || fail rename
}

main() {
  watch_client
  eval "set -- $FLAGS $PUBLISH"
  set -- "$(command -v docker)" create --name "$NAME.next" --restart "$RESTART" "$@" "$IMAGE"
  said=$(with_app_environment "$@" 2>&1) || fail start "$said"
  created=yes
  if running "$NAME"; then
    stopped=yes
    say "stopping $NAME"
    docker stop -t "$STOP_TIMEOUT" "$NAME" >/dev/null || fail stop
  fi
  say "starting the new $NAME"
  said=$(docker start "$NAME.next" 2>&1) || give_up start "$said"
  await_healthy "$NAME.next" "$HEALTH_TIMEOUT" "$ADDRESS" "$HEALTH_HOST_PORT" "$HEALTH_PATH" || give_up unhealthy "$reason"
  # The new one serves: only names are left to change, which nothing may interrupt.
  trap '' TERM INT HUP PIPE
  switched=yes
  tell serving "$IMAGE"
  put_names_right
  finish 0
}
