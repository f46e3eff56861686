# Whose container it is that a deploy would replace. One that we did not make is replaced only when
# the person says so, and one of another tool never.

NEWLINE='
'
# Each value is a line of its own and begins with a sign, so that none is lost when it is empty. For
# a label that is missing some versions of Docker would print words.
OWNER_FORMAT='={{.Name}}
={{.Id}}
={{.Config.Image}}
={{with index .Config.Labels "io.github.gen-workflow.service"}}{{.}}{{end}}
={{with index .Config.Labels "io.github.gen-workflow.repository"}}{{.}}{{end}}
={{with index .Config.Labels "io.github.gen-workflow.environment"}}{{.}}{{end}}
={{range .HostConfig.PortBindings}}{{range .}}{{.HostPort}} {{end}}{{end}}
={{with index .Config.Labels "io.github.gen-workflow.route"}}{{.}}{{end}}'
# The labels that tools set on each container of theirs. The pages of Portainer set none on a single
# container, and its stacks are compose projects; CapRover, Dokploy and Easypanel use Swarm. Docker
# prints labels in their order. An image that compose has built has the label of its project too.
# shellcheck disable=SC2016 # a program for awk
TOOLS='
  $1 == "com.docker.compose.oneoff" { is_made_by_compose = 1 }
  is_made_by_compose && $1 == "com.docker.compose.project" { owner = "the compose project" }
  $1 == "com.docker.swarm.service.name" { owner = "the Swarm service" }
  $1 == "io.kubernetes.pod.name" { owner = "the Kubernetes pod" }
  $1 == "io.podman.compose.project" { owner = "the podman-compose project" }
  $1 == "PODMAN_SYSTEMD_UNIT" { owner = "the systemd unit" }
  $1 == "com.hashicorp.nomad.alloc_id" { owner = "the Nomad allocation" }
  $1 == "com.dokku.app-name" { owner = "the Dokku app" }
  $1 == "coolify.name" { owner = "the Coolify resource" }
  $1 == "uncloud.service.name" { owner = "the Uncloud service" }
  $1 == "service" { owner = "the Kamal service" }
  $1 == "io.github.gen-workflow.published" { owner = "the proxy of all services, on" }
  owner { print owner, $2; exit }'

# What the last container that we looked at is.
found_name=
found_id=
found_image=
found_service=
found_repository=
found_environment=
found_ports=
found_route=
# The id of the container that this deploy replaces and that we did not make, or nothing.
adopting=

# Looks at a container; fails when there is none.
read_container() {
  local IFS="$NEWLINE" lines
  lines=$(inspect "$OWNER_FORMAT" "$1") || return 1
  set -f
  # shellcheck disable=SC2086 # one value a line
  set -- $lines
  set +f
  [ $# -ge 8 ] || return 1
  found_name=${1#=/} found_id=${2#=} found_image=${3#=} found_service=${4#=}
  found_repository=${5#=} found_environment=${6#=} found_ports=${7#=} found_route=${8#=}
}

# Before anything is touched. A deploy that was killed may have left only NAME.next.
check_service() {
  if ! read_container "$NAME" && ! read_container "$NAME.next"; then
    engine_answers || fail docker-down
    check_earlier_name
    return
  fi
  # Docker takes the beginning of an ID for a name, where no container has the name.
  case $found_name in
    "$NAME" | "$NAME.next") ;;
    *) fail foreign "$found_name (image $found_image, whose ID begins with $NAME)" ;;
  esac
  check_source "$found_repository"
  if [ "$found_service" = "$NAME" ]; then
    check_same_service
    [ -z "$ADOPT" ] || tell "a deploy has made the container $NAME: remove the input 'adopt'"
  elif [ "$found_name" = "$NAME" ]; then
    check_adoption
  fi
}

# A default name that has changed would leave the service running under its earlier one.
check_earlier_name() {
  [ -n "$EARLIER_NAME" ] && read_container "$EARLIER_NAME" || return 0
  [ "$found_service $found_repository" = "$EARLIER_NAME $SOURCE" ] || return 0
  [ "$(image_name "$found_image")" = "$(image_name "$REPOSITORY")" ] || return 0
  [ "$found_environment" != "$ENVIRONMENT" ] || fail earlier-name "$EARLIER_NAME"
  tell "$EARLIER_NAME runs the same image of this repository, and this deploy does not replace" \
    "it: if it is this service under an earlier name, remove it"
}

check_same_service() {
  note_difference image "$(image_name "$found_image")" "$(image_name "$REPOSITORY")"
  note_difference environment "$found_environment" "$ENVIRONMENT"
  note_difference port "$found_ports" "$SERVED_PORTS"
  note_difference 'host name' "$(host_names "$found_route")" "$SERVED_NAMES"
  stop_if_different
}

# The name of an image as Docker shows it, which leaves out its own registry.
image_name() {
  set -- "$(repository_of "$1")"
  set -- "${1#index.}"
  set -- "${1#docker.io/}"
  printf '%s\n' "${1#library/}"
}

# The host names that a route has for the proxy.
host_names() {
  local each
  set -f
  for each in $1; do case $each in --host=*) printf '%s ' "${each#--host=}" ;; esac; done
}

# The person has said so once, also when that deploy was killed.
check_adoption() {
  [ -z "$(owner_of "$NAME")" ] || fail_foreign "$NAME"
  # Without an answer it would look as if it was made by hand.
  engine_answers || fail docker-down
  [ -n "$ADOPT" ] || [ "$(cat "$STATE/adopted" 2>/dev/null)" = "$found_id" ] ||
    fail not-adopted "$NAME (image $found_image)"
  adopting=$found_id
}

# The tool that a container belongs to, in words; nothing when no label says so.
owner_of() {
  # shellcheck disable=SC2016
  inspect '{{range $name, $value := .Config.Labels}}{{println $name $value}}{{end}}' "$1" |
    awk "$TOOLS"
}

fail_foreign() {
  local owner
  owner=$(owner_of "$1")
  fail foreign "$1 (image $(image_of "$1")${owner:+, of $owner})"
}

# Comes with the input `adopt`.
adopt() { :; }

# Whether NAME may be given to the new container: others may have taken it since we looked.
may_take_name() {
  is_ours "$NAME" || [ "$(inspect '{{.Id}}' "$NAME")" = "$(cat "$STATE/adopted" 2>/dev/null)" ]
}
