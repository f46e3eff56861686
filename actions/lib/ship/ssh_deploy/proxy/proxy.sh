# One container behind a proxy. The new one is started and checked beside the old one. Then the
# proxy sends the users to it, and the old one finishes the requests that it has begun. This comes
# after run.sh and redefines what differs. One proxy serves all services of a host, whichever
# repository deploys them.

PROXY=gen-workflow-proxy
# In this network the proxy finds a container by its short id, which stays the same when the name or
# the address of the container changes.
NETWORKS="$PROXY${NETWORKS:+ $NETWORKS}"
ROUTE=io.github.gen-workflow.route
PUBLISHED=io.github.gen-workflow.published

# Whether the new container was made, or is about to be, so that there is something to undo.
begun=
# The short ids: of the new container; of the one that served before; of the one with the users.
next_id=
old_id=
target_id=
# Whether this deploy has made the proxy.
made_proxy=
# Whether a container of the plain form has the port that the proxy needs.
migrating=
# What the last command of the proxy printed.
proxy_output=

id_of() { inspect '{{.Id}}' "$1" | cut -c 1-12; }
# The port of a container and its flags for the proxy, one word each. A container of the plain form
# has none.
route_of() { inspect "{{index .Config.Labels \"$ROUTE\"}}" "$1"; }
ask_proxy() { proxy_output=$(docker exec "$PROXY" kamal-proxy "$@" 2>&1); }

# Sets `target_id` to the container that gets the users, or to nothing when there is none.
find_target() {
  ask_proxy list || return 1
  # shellcheck disable=SC2016 # a program for awk
  target_id=$(printf '%s\n' "$proxy_output" |
    awk -v name="$NAME" '{ gsub(/\033\[[0-9;]*m/, "") }
      $1 == name { sub(/:.*/, "", $4); print $4 }')
}

# A command to the proxy that was interrupted goes on there, and must end before we undo what it
# does. Once its container has the users, it only waits for the last requests.
await_pending() {
  local deadline
  deadline=$(($(now) + HEALTH_TIMEOUT + 5))
  while docker top "$PROXY" 2>/dev/null | grep -qF " deploy $NAME --"; do
    if find_target && [ -n "$next_id" ] && [ "$target_id" = "$next_id" ]; then return; fi
    [ "$(now)" -lt "$deadline" ] || return
    pause
  done
}

# Sends the users to a container, once the proxy has found it healthy, and returns when the requests
# to the other one have ended. $1 its name, $2 seconds it has to be healthy, then further flags.
route() {
  local target seconds="$2" words deadline
  target=$(id_of "$1")
  words=$(route_of "$1")
  shift 2
  set -f
  # shellcheck disable=SC2086 # one flag a word
  set -- $words --deploy-timeout="${seconds}s" --drain-timeout="${DRAIN_TIMEOUT}s" "$@"
  set +f
  target=$target:$1
  shift
  deadline=$(($(now) + seconds + 30))
  until ask_proxy deploy "$NAME" --target="$target" "$@"; do
    case $proxy_output in *healthy* | *conflict* | *invalid* | *unknown*) return 1 ;; esac
    # The proxy, or the engine, restarts.
    [ "$(now)" -lt "$deadline" ] || return 1
    pause 0.5
  done
}

undo_switch() {
  local tries=40
  [ -n "$begun" ] || { remove_idle_proxy && return 0; }
  # An engine that restarts takes no commands for some seconds.
  until try_to_undo; do
    tries=$((tries - 1))
    if [ "$tries" -le 0 ]; then
      [ -z "$created" ] || [ -z "$old_id" ] || give_old_up
      return 0
    fi
    # Each try to make it again pulls, which may take long.
    [ -z "$stopped" ] || [ "$tries" -le 3 ] || ! is_removed "$NAME" || tries=3
    # On a full disk nothing starts. The new image is what we can remove.
    [ "$tries" -gt 35 ] || docker rmi "$IMAGE" >/dev/null 2>&1
    sleep 1
  done
  end_gap
}

# The old container could not get the users back.
give_old_up() {
  report lost "$NAME"
  if [ -n "$stopped" ]; then
    report_serving nobody "$docker_output"
  else
    report_serving nobody "the proxy does not send users to it: $proxy_output"
  fi
  record failed
}

try_to_undo() {
  engine_answers || return 1
  if [ -n "$stopped" ]; then
    return_port || return 1
  elif [ -n "$migrating" ]; then
    # The old container still has its port, and all users.
    created=
  elif [ -n "$created" ]; then
    send_back || return 1
  fi
  remove_idle_proxy
  docker rm -f -v "$NAME.next" >/dev/null 2>&1
  ! exists "$NAME.next"
}

# A proxy of this deploy that never started would keep its ports from the next deploy, which may
# want others. Without force, because another service may start it at this moment.
remove_idle_proxy() {
  [ -z "$made_proxy" ] || [ "$(inspect '{{.State.Status}}' "$PROXY")" != created ] ||
    docker rm "$PROXY" >/dev/null 2>&1
  made_proxy=
}

# Sends the users back to the old container, which still runs. The client learns it as soon as they
# are there, because the last requests to the new container may take a while.
send_back() {
  local process
  running "$PROXY" || docker start "$PROXY" >/dev/null 2>&1
  await_pending
  find_target || return 1
  if [ "$target_id" != "$next_id" ]; then
    created=
  elif [ -n "$old_id" ] && [ -n "$(route_of "$NAME")" ] && running "$NAME"; then
    watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$PROXY_PATH"
    log "sending users back to the old container $NAME"
    { route "$NAME" 10 || route "$NAME" 10 --force; } 9>&- &
    process=$!
    until { find_target && [ "$target_id" = "$old_id" ]; } || ! kill -0 "$process" 2>/dev/null; do
      pause
    done
    find_target && [ "$target_id" = "$old_id" ] || return 1
    report_rollback
    wait "$process"
    created=
  else
    ask_proxy remove "$NAME" || return 1
    created=
  fi
}

# Through the proxy, as its users do. With TLS the proxy gives no answer over HTTP.
is_old_healthy() {
  local address
  if [ -n "$PROXY_PATH" ]; then
    is_healthy "$NAME" "$ADDRESS" "$HEALTH_HOST_PORT" "$PROXY_PATH" "$1"
  else
    address=$(inspect "{{(index .NetworkSettings.Networks \"$PROXY\").IPAddress}}" "$NAME")
    is_healthy "$NAME" "$address" "$HEALTH_PORT" "$HEALTH_PATH" "$1"
  fi
}

# The old container of the plain form gets its port back from the proxy.
return_port() {
  watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$PROXY_PATH"
  begin_gap
  log "starting the previous container $NAME again"
  # A stop that was interrupted goes on in the engine, and would stop what we start now.
  docker stop -t "$STOP_TIMEOUT" "$NAME" >/dev/null 2>&1
  docker stop "$PROXY" >/dev/null 2>&1
  [ -z "$made_proxy" ] || docker rm -f "$PROXY" >/dev/null 2>&1
  start_old
  running "$NAME" || return 1
  stopped=
  report_rollback
}

# Finishes or undoes a deploy that was killed. The container that has the users keeps them, if it is
# one of this service. Otherwise the old one keeps serving: we cannot know whether NAME.next is
# healthy.
recover() {
  # Before we ask it anything, and before a recovery stops it.
  ! exists "$PROXY" || [ -n "$(inspect "{{index .Config.Labels \"$PUBLISHED\"}}" "$PROXY")" ] ||
    fail_foreign "$PROXY"
  docker network inspect "$PROXY" >/dev/null 2>&1 || make_network
  ! exists "$NAME.previous" || check_previous
  ! bring_removed_back || running "$NAME" || bring_back
  remove_left_over "$NAME.candidate"
  next_id=$(id_of "$NAME.next")
  if running "$PROXY"; then
    await_pending
    find_target || target_id=
  fi
  if [ -n "$next_id" ]; then
    is_ours "$NAME.next" || fail_foreign "$NAME.next"
    recover_next
  fi
  retire
  next_id=
}

recover_next() {
  report recovered yes
  if [ "$target_id" = "$next_id" ]; then
    tell "an earlier deploy was killed after its switch: its $NAME.next stays and becomes $NAME"
    take_names
  elif exists "$NAME"; then
    tell "an earlier deploy was killed before its end: the host removes its container $NAME.next"
    # The old container may have lost its port, so it comes first.
    running "$NAME" || bring_back
    running "$NAME" || log "$NAME does not start: the service is down until the new version runs"
    remove_left_over "$NAME.next"
  elif exists "$NAME.previous"; then
    tell "an earlier deploy was killed in its last step: the host renames $NAME.next to $NAME"
    take_names
  else
    tell "an earlier deploy was killed before its end: the host removes its container $NAME.next"
    remove_left_over "$NAME.next"
  fi
}

# A container of the plain form was stopped to give its port to the proxy. Then the proxy has no
# other users and can stop.
bring_back() {
  docker start "$NAME" >/dev/null 2>&1 && return
  [ -n "$(route_of "$NAME")" ] || docker stop "$PROXY" >/dev/null 2>&1
  docker start "$NAME" >/dev/null || docker start "$PROXY" >/dev/null 2>&1
}

make_network() {
  docker_output=$(docker network create --label "$PUBLISHED=" "$PROXY" 2>&1) ||
    docker network inspect "$PROXY" >/dev/null 2>&1 || fail proxy "$docker_output"
}

# A container of the plain form holds the port until the switch.
may_hold_port() {
  [ "$1" != "$NAME" ] || migrating=yes
  [ "$1" = "$NAME" ] || [ "$1" = "$PROXY" ]
}

make_ready() {
  if exists "$PROXY"; then check_proxy; else make_proxy; fi
  [ -n "$migrating" ] || start_proxy
  running "$NAME" || return 0
  old_id=$(id_of "$NAME")
  [ -z "$migrating" ] && [ -n "$(route_of "$NAME")" ] && find_target &&
    [ "$target_id" != "$old_id" ] || return 0
  # The proxy has lost its notes, with its volume or with the power.
  tell "the proxy has lost its entry for $NAME: the host adds it again"
  route "$NAME" 10 || log "the proxy did not accept $NAME: $proxy_output"
}

check_proxy() {
  local published each image
  published=$(inspect "{{index .Config.Labels \"$PUBLISHED\"}}" "$PROXY")
  [ -n "$published" ] || fail_foreign "$PROXY"
  for each in $PROXY_PUBLISH; do
    case " $published " in
      *" $each "*) ;;
      *)
        fail proxy-ports \
          "the proxy of the host publishes the ports $published, but $NAME needs $PROXY_PUBLISH"
        ;;
    esac
  done
  image=$(image_of "$PROXY")
  [ "$image" = "$PROXY_IMAGE" ] ||
    tell "the deploy does not replace the proxy of the host, which runs the image $image"
}

make_proxy() {
  local each
  docker image inspect "$PROXY_IMAGE" >/dev/null 2>&1 || pull_proxy
  set --
  for each in $PROXY_PUBLISH; do set -- "$@" --publish "$each"; done
  # The proxy writes a line for each request, and other log drivers do not know this option.
  case $(docker info --format '{{.LoggingDriver}}' 2>/dev/null) in
    json-file | local) set -- "$@" --log-opt max-size=10m ;;
  esac
  made_proxy=yes
  # While the host pulled, another program may have removed a network that no container used.
  docker network inspect "$PROXY" >/dev/null 2>&1 || make_network
  docker_output=$(docker create --name "$PROXY" --network "$PROXY" --restart unless-stopped \
    --label "$PUBLISHED=$PROXY_PUBLISH" --volume "$PROXY:/home/kamal-proxy/.config/kamal-proxy" \
    "$@" "$PROXY_IMAGE" 2>&1) && return
  made_proxy=
  # A deploy of another service may be making it at the same time. The engine gives the name away
  # before there is a container to look at.
  await_proxy || fail proxy "$docker_output"
  check_proxy
}

# Returns whether the proxy is there. Only when its name is taken it may still come.
await_proxy() {
  local deadline
  case $docker_output in *Conflict*) ;; *) exists "$PROXY" || return 1 ;; esac
  deadline=$(($(now) + 20))
  until exists "$PROXY"; do
    [ "$(now)" -lt "$deadline" ] || return 1
    pause
  done
}

pull_proxy() {
  log "pulling $PROXY_IMAGE"
  # The registry of the image may have the proxy too.
  log_in "$IMAGE"
  docker_output=$(docker_pull "$PROXY_IMAGE" 2>&1) || fail proxy-image "$docker_output"
  log_out
}

start_proxy() {
  local deadline
  running "$PROXY" || {
    log "starting the proxy $PROXY"
    docker_output=$(docker start "$PROXY" 2>&1) || start_proxy_again
  }
  deadline=$(($(now) + 20))
  until ask_proxy list; do
    [ "$(now)" -lt "$deadline" ] || fail proxy "$proxy_output"
    pause
  done
}

# One that was made and has not run yet is what other programs remove.
start_proxy_again() {
  is_removed "$PROXY" || explain proxy "$docker_output"
  tell "another program has removed the proxy: the host makes it again"
  make_proxy
  docker_output=$(docker start "$PROXY" 2>&1) || explain proxy "$docker_output"
}

# The new container runs beside the old one. What others find it by, it has from its start: then a
# candidate without that is checked first.
phase_check() {
  [ -z "$FOUND_BY" ] || check_candidate
  check_next
}

check_next() {
  local address path="$HEALTH_PATH"
  begun=yes
  log "starting the new container $NAME.next beside $NAME"
  create_next || explain start "$docker_output"
  start_new "$NAME.next" create_next || explain start "$docker_output"
  next_id=$(id_of "$NAME.next")
  address=$(inspect "{{(index .NetworkSettings.Networks \"$PROXY\").IPAddress}}" "$NAME.next")
  # Only the proxy can reach the container, and asks the same path before it sends users there.
  case $(docker info --format '{{.SecurityOptions}}' 2>/dev/null) in *name=rootless*) path= ;; esac
  await_healthy "$NAME.next" "$HEALTH_TIMEOUT" "$address" "$HEALTH_PORT" "$path" ||
    give_up unhealthy "$reason"
  log 'the new container is healthy'
}

phase_switch() {
  created=yes
  ! has_users || { note_health && watch_users; }
  [ -z "$migrating" ] || hand_port_over
  log "sending users to the new $NAME"
  route "$NAME.next" "$HEALTH_TIMEOUT" || refuse_route
  await_users
  end_gap
  report_gap
}

# Whether the port serves users already.
has_users() {
  [ -n "$migrating" ] ||
    { [ -n "$old_id" ] && find_target && [ "$target_id" = "$old_id" ]; }
}

# From before the switch, because a gap begins with the last good answer of the old container.
watch_users() {
  watch_gap "$ADDRESS" "$HEALTH_HOST_PORT" "$PROXY_PATH"
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    [ -z "$PROXY_PATH" ] || [ -e "$gap_file" ] || pause
  done
}

# The only gap that a deploy behind a proxy ever has: the proxy gets the port of the container.
hand_port_over() {
  note_definition "$NAME"
  log "stopping $NAME, so that the proxy can use its port"
  stopped=yes
  begin_gap
  docker_output=$(docker stop -t "$STOP_TIMEOUT" "$NAME" 2>&1) || fail stop "$docker_output"
  start_proxy
}

refuse_route() {
  case $proxy_output in
    *healthy*) give_up unhealthy "the proxy asked for $HEALTH_PATH, and $proxy_output" ;;
    *conflict*) fail proxy-hosts "$proxy_output" ;;
    *) fail proxy "$proxy_output" ;;
  esac
}

# Asks the path through the proxy, as its users do.
await_users() {
  local deadline
  deadline=$(($(now) + HEALTH_TIMEOUT))
  until find_target && [ "$target_id" = "$next_id" ] && { [ -z "$PROXY_PATH" ] ||
    { be_patient $((deadline - $(now))) &&
      probe "$ADDRESS" "$HEALTH_HOST_PORT" "$PROXY_PATH" "$patience"; }; }; do
    [ "$(now)" -lt "$deadline" ] ||
      give_up unhealthy "GET $HEALTH_PATH through the proxy gave ${answer:-no answer}"
    pause
  done
}
