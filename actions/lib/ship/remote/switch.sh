# Replaces the service: the old container stops, the new one starts on the real ports and is checked
# again. Whatever goes wrong, the old container is started again.

stopped=
switched=

tidy() {
  [ -z "$switched" ] || return 0
  docker rm -f -v "$NAME.next" >/dev/null 2>&1
  [ -n "$stopped" ] || return 0
  say "bringing $NAME back"
  # A stop that was cut off goes on in the engine: a start before its end would be undone by it.
  docker stop -t "$STOP_TIMEOUT" "$NAME" >/dev/null 2>&1
  # An engine that restarts needs some seconds before it takes commands again.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    docker start "$NAME" >/dev/null 2>&1
    if running "$NAME"; then
      tell restored "$(image_of "$NAME")"
      return
    fi
    sleep 1
  done
  tell lost "$NAME"
}

give_up() {
  show_logs "$NAME.next"
  fail "$1" "$2"
}

main() {
  watch_client
  eval "set -- $FLAGS $PUBLISH"
  set -- "$(command -v docker)" create --name "$NAME.next" --restart "$RESTART" "$@" "$IMAGE"
  said=$(with_app_environment "$@" 2>&1) || fail start "$said"
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
  docker rm -f "$NAME.previous" >/dev/null 2>&1
  ! exists "$NAME" || docker rename "$NAME" "$NAME.previous"
  docker rename "$NAME.next" "$NAME" || fail rename
  tell serving "$(image_of "$NAME")"
  finish 0
}
