# Starts the candidate beside the service, without the published ports, and waits until it is healthy.

created=
tidy() { [ -z "$created" ] || docker rm -f -v "$NAME.candidate" >/dev/null 2>&1; }

main() {
  watch_client
  eval "set -- $FLAGS"
  [ -z "$HEALTH_PATH" ] || set -- "$@" --publish "127.0.0.1::$HEALTH_PORT"
  say "starting the candidate $NAME.candidate"
  set -- "$(command -v docker)" create --name "$NAME.candidate" --restart no "$@" "$IMAGE"
  said=$(with_app_environment "$@" 2>&1) || fail start "$said"
  created=yes
  said=$(docker start "$NAME.candidate" 2>&1) || fail start "$said"
  port=
  [ -z "$HEALTH_PATH" ] || port=$(docker port "$NAME.candidate" "$HEALTH_PORT/tcp" 2>/dev/null | sed -n 's/.*://p' | head -n 1)
  if ! await_healthy "$NAME.candidate" "$HEALTH_TIMEOUT" 127.0.0.1 "$port" "$HEALTH_PATH"; then
    show_logs "$NAME.candidate"
    fail unhealthy "$reason"
  fi
  say 'the candidate is healthy'
  finish 0
}
