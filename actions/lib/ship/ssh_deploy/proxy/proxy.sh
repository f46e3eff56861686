# One container behind a proxy: the new one is started and checked beside the old one, then the proxy
# sends the users to it and lets the old one answer what it has begun. Comes after run.sh, and
# redefines what differs. One proxy serves all services of a host, whoever deploys them.

PROXY=gen-workflow-proxy
# The proxy finds a container there by its short id, which a change of its name or address leaves.
NETWORKS="$PROXY${NETWORKS:+ $NETWORKS}"
ROUTE=io.github.gen-workflow.route
PUBLISHED=io.github.gen-workflow.published

begun=
next=
old=
target=
made=
migrating=

id_of() { look '{{.Id}}' "$1" | cut -c 1-12; }
# The port of a container and its flags for the proxy, a word each; nothing for one of the plain form.
route_of() { look "{{index .Config.Labels \"$ROUTE\"}}" "$1"; }
ask_proxy() { said=$(docker exec "$PROXY" kamal-proxy "$@" 2>&1); }

# Sets `target` to the short id of the container that the users get; to nothing if they get none.
find_target() {
  ask_proxy list || return 1
  target=$(printf '%s\n' "$said" |
    awk -v name="$NAME" '{ gsub(/\033\[[0-9;]*m/, "") } $1 == name { sub(/:.*/, "", $4); print $4 }')
}

# A command of ours that was cut off goes on in the proxy; what it does must not come after what undoes
# it. Once its container has the users, it only waits for the end of requests.
await_pending() {
  pending_until=$(($(now) + HEALTH_TIMEOUT + 5))
  while docker top "$PROXY" 2>/dev/null | grep -qF " deploy $NAME --"; do
    if find_target && [ -n "$next" ] && [ "$target" = "$next" ]; then return; fi
    [ "$(now)" -lt "$pending_until" ] || return
    nap
  done
}

# Sends the users to a container, once the proxy has found it healthy, and returns when what was begun
# at the other has ended. $1 its name, $2 seconds it has for that, then further flags.
route() {
  to=$(id_of "$1") patience=$2
  words=$(route_of "$1")
  shift 2
  set -f
  # shellcheck disable=SC2086 # one flag a word
  set -- $words --deploy-timeout="${patience}s" --drain-timeout="${DRAIN_TIMEOUT}s" "$@"
  set +f
  to=$to:$1
  shift
  route_until=$(($(now) + patience + 30))
  until ask_proxy deploy "$NAME" --target="$to" "$@"; do
    case $said in *healthy* | *conflict* | *invalid* | *unknown*) return 1 ;; esac
    # The proxy, or the engine, is on its way down and up again.
    [ "$(now)" -lt "$route_until" ] || return 1
    nap 0.5
  done
}

undo_switch() {
  [ -n "$begun" ] || { remove_idle_proxy && return 0; }
  # An engine that restarts needs some seconds before it takes commands again.
  tries=40
  until put_back; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
      [ -z "$created" ] || [ -z "$old" ] || { tell lost "$NAME" && remember failed; }
      return 0
    fi
    # On a full disk nothing starts: the new image is what can go.
    [ "$tries" -gt 35 ] || docker rmi "$IMAGE" >/dev/null 2>&1
    sleep 1
  done
  end_gap
}

put_back() {
  engine_answers || return 1
  if [ -n "$stopped" ]; then
    put_plain_back || return 1
  elif [ -n "$migrating" ]; then
    # The old one has its port, and nobody was sent anywhere.
    created=
  elif [ -n "$created" ]; then
    send_back || return 1
  fi
  remove_idle_proxy
  docker rm -f -v "$NAME.next" >/dev/null 2>&1
  ! exists "$NAME.next"
}

# One of ours that never started would keep its ports from the next deploy, which may want others.
# Without force: another service may start it just now.
remove_idle_proxy() {
  [ -z "$made" ] || [ "$(look '{{.State.Status}}' "$PROXY")" != created ] || docker rm "$PROXY" >/dev/null 2>&1
  made=
}

# The users go back to the old one, which has been running all the time; told as soon as they are
# there, for what the new one has begun may take a while.
send_back() {
  running "$PROXY" || docker start "$PROXY" >/dev/null 2>&1
  await_pending
  find_target || return 1
  if [ "$target" != "$next" ]; then
    created=
  elif [ -n "$old" ] && [ -n "$(route_of "$NAME")" ] && running "$NAME"; then
    watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$PROXY_PATH"
    say "sending users back to $NAME"
    { route "$NAME" 10 || route "$NAME" 10 --force; } &
    back=$!
    until { find_target && [ "$target" = "$old" ]; } || ! kill -0 "$back" 2>/dev/null; do nap; done
    find_target && [ "$target" = "$old" ] || return 1
    tell_restored
    wait "$back"
    created=
  else
    ask_proxy remove "$NAME" || return 1
    created=
  fi
}

tell_restored() {
  tell restored "$(image_of "$NAME")"
  [ -z "$PROXY_PATH" ] || await_answer 10
  end_gap
  [ -z "$gap" ] || tell gap "$gap"
  remember rolled-back "$gap"
  # Of both that would be noted, this is the one.
  pulled=
}

# The old one has the port again that the proxy got from it.
put_plain_back() {
  watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$PROXY_PATH"
  begin_gap
  say "bringing $NAME back"
  # A stop that was cut off goes on in the engine: a start before its end would be undone by it.
  docker stop -t "$STOP_TIMEOUT" "$NAME" >/dev/null 2>&1
  docker stop "$PROXY" >/dev/null 2>&1
  [ -z "$made" ] || docker rm -f "$PROXY" >/dev/null 2>&1
  docker start "$NAME" >/dev/null 2>&1
  running "$NAME" || return 1
  stopped=
  tell_restored
}

# Whoever has the users keeps them, if that is one of ours. Otherwise the old one has been serving, or
# would be: of $NAME.next nobody knows how good it is.
recover() {
  docker network inspect "$PROXY" >/dev/null 2>&1 || make_network
  ! exists "$NAME.previous" || check_previous
  remove_left_over "$NAME.candidate"
  next=$(id_of "$NAME.next")
  if running "$PROXY"; then
    await_pending
    find_target || target=
  fi
  if [ -n "$next" ]; then
    is_ours "$NAME.next" || fail foreign "$NAME.next"
    recover_next
  fi
  retire
  next=
}

recover_next() {
  tell mended yes
  if [ "$target" = "$next" ]; then
    say "an earlier deploy was killed after its switch: $NAME.next serves and becomes $NAME"
    take_names
  elif exists "$NAME"; then
    say "an earlier deploy was killed before its end: $NAME.next goes"
    # It has the port no more, so what served before comes first.
    running "$NAME" || bring_back
    running "$NAME" || say "$NAME does not start: nobody serves until the new one does"
    remove_left_over "$NAME.next"
  elif exists "$NAME.previous"; then
    say "an earlier deploy was killed in its last step: $NAME.next becomes $NAME"
    take_names
  else
    say "an earlier deploy was killed before its end: $NAME.next goes"
    remove_left_over "$NAME.next"
  fi
}

# One of the plain form was stopped to give its port to the proxy, which then has nobody else's users.
bring_back() {
  docker start "$NAME" >/dev/null 2>&1 && return
  [ -n "$(route_of "$NAME")" ] || docker stop "$PROXY" >/dev/null 2>&1
  docker start "$NAME" >/dev/null || docker start "$PROXY" >/dev/null 2>&1
}

make_network() {
  said=$(docker network create --label "$PUBLISHED=" "$PROXY" 2>&1) ||
    docker network inspect "$PROXY" >/dev/null 2>&1 || fail proxy "$said"
}

# One of the plain form has the port until the switch.
may_hold_port() {
  [ "$1" != "$NAME" ] || migrating=yes
  [ "$1" = "$NAME" ] || [ "$1" = "$PROXY" ]
}

make_ready() {
  if exists "$PROXY"; then check_proxy; else make_proxy; fi
  [ -n "$migrating" ] || start_proxy
  running "$NAME" || return 0
  old=$(id_of "$NAME")
  [ -z "$migrating" ] && [ -n "$(route_of "$NAME")" ] && find_target && [ "$target" != "$old" ] || return 0
  # Its notes were lost, with its volume or with the power.
  say "the proxy does not know the way to $NAME: it gets to know it"
  route "$NAME" 10 || say "the proxy does not take $NAME: $said"
}

check_proxy() {
  published=$(look "{{index .Config.Labels \"$PUBLISHED\"}}" "$PROXY")
  [ -n "$published" ] || fail foreign "$PROXY"
  for each in $PROXY_PUBLISH; do
    case " $published " in
      *" $each "*) ;;
      *) fail proxy-ports "the proxy of the host publishes $published, and $NAME wants $PROXY_PUBLISH" ;;
    esac
  done
  runs=$(image_of "$PROXY")
  [ "$runs" = "$PROXY_IMAGE" ] || say "the proxy of the host stays what it is: $runs"
}

make_proxy() {
  docker image inspect "$PROXY_IMAGE" >/dev/null 2>&1 || {
    say "pulling $PROXY_IMAGE"
    log_in "$IMAGE" # it may be kept beside the image
    said=$(docker_pull "$PROXY_IMAGE" 2>&1) || fail proxy-image "$said"
    log_out
  }
  set --
  for each in $PROXY_PUBLISH; do set -- "$@" --publish "$each"; done
  # It writes a line for each request, and other drivers do not know this option.
  case $(docker info --format '{{.LoggingDriver}}' 2>/dev/null) in
    json-file | local) set -- "$@" --log-opt max-size=10m ;;
  esac
  made=yes
  said=$(docker create --name "$PROXY" --network "$PROXY" --restart unless-stopped \
    --label "$PUBLISHED=$PROXY_PUBLISH" --volume "$PROXY:/home/kamal-proxy/.config/kamal-proxy" \
    "$@" "$PROXY_IMAGE" 2>&1) && return
  made=
  # A deploy of another service may have made it just now.
  exists "$PROXY" || fail proxy "$said"
  check_proxy
}

start_proxy() {
  running "$PROXY" || {
    say "starting the proxy $PROXY"
    said=$(docker start "$PROXY" 2>&1) || explain proxy "$said"
  }
  proxy_until=$(($(now) + 20))
  until ask_proxy list; do
    [ "$(now)" -lt "$proxy_until" ] || fail proxy "$said"
    nap
  done
}

phase_check() {
  begun=yes
  say "starting the new container $NAME.next beside $NAME"
  create "$NAME.next" --restart "$RESTART" || explain start "$said"
  said=$(docker start "$NAME.next" 2>&1) || explain start "$said"
  next=$(id_of "$NAME.next")
  address=$(look "{{(index .NetworkSettings.Networks \"$PROXY\").IPAddress}}" "$NAME.next")
  path=$HEALTH_PATH
  # Only the proxy can reach it, and asks the same path before it sends anybody there.
  case $(docker info --format '{{.SecurityOptions}}' 2>/dev/null) in *name=rootless*) path= ;; esac
  await_healthy "$NAME.next" "$HEALTH_TIMEOUT" "$address" "$HEALTH_PORT" "$path" || give_up unhealthy "$reason"
  say 'the new container is healthy'
}

phase_switch() {
  created=yes
  ! has_users || watch_users
  [ -z "$migrating" ] || make_room
  say "sending users to the new $NAME"
  route "$NAME.next" "$HEALTH_TIMEOUT" || refuse_route
  await_users
  end_gap
  [ -z "$gap" ] || tell gap "$gap"
  tell serving "$IMAGE"
}

# Whether somebody is served on the port already.
has_users() { [ -n "$migrating" ] || { [ -n "$old" ] && find_target && [ "$target" = "$old" ]; }; }

# From before the switch: a gap begins with the last good answer of the old one.
watch_users() {
  watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$PROXY_PATH"
  for _ in 1 2 3 4 5 6 7 8 9 10; do [ -z "$PROXY_PATH" ] || [ -e "$gap_file" ] || nap; done
}

# The only gap there ever is: the port goes from the container to the proxy.
make_room() {
  say "stopping $NAME: the proxy gets its port"
  stopped=yes
  begin_gap
  said=$(docker stop -t "$STOP_TIMEOUT" "$NAME" 2>&1) || fail stop "$said"
  start_proxy
}

refuse_route() {
  case $said in
    *healthy*) give_up unhealthy "the proxy asked for $HEALTH_PATH, and $said" ;;
    *conflict*) fail proxy-hosts "$said" ;;
    *) fail proxy "$said" ;;
  esac
}

# What its users see, they see through the proxy.
await_users() {
  users_until=$(($(now) + HEALTH_TIMEOUT))
  until find_target && [ "$target" = "$next" ] && { [ -z "$PROXY_PATH" ] ||
    probe "$ADDRESS" "$HEALTH_HOST_PORT" "$PROXY_PATH"; }; do
    [ "$(now)" -lt "$users_until" ] || give_up unhealthy "GET $HEALTH_PATH through the proxy gave ${answer:-nothing}"
    nap
  done
}
