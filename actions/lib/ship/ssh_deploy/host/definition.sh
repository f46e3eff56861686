# What makes a container again that another program has removed. `docker system prune` in a cron job
# removes each container that does not run, and the networks and images that are then unused. So the
# host notes how to make the old container before it stops, as requests to the engine, which takes
# nearly what `docker inspect` prints. A container that was made by hand comes back too, and so do
# options that we do not know.
#
# `docker system dial-stdio` sends the requests. Docker's client reaches an engine over SSH with it:
# it works wherever this client does, without curl and without the path of a socket.
#
# The environment of the container is in the note. Only the user can read it, and it is there only
# during a switch.

DEFINITION=$STATE/definition
# What the note needs to know of a container, in lines. `println` ends them, and not the line breaks
# here.
# - its image, by name and by id; what it runs; how it runs; a name that it may not set
# - its mounts, with those that have no name, because their data is still there
# - the network that it is made with; all its networks; the requests that connect it to the others
# shellcheck disable=SC2016 # variables of the template
CONTAINER_FORMAT='{{define "end"}}{"IPAMConfig":{{json .IPAMConfig}},"Links":{{json .Links}},
"Aliases":{{json .Aliases}},"DriverOpts":{{json .DriverOpts}}}{{end}}
{{$box := .}}{{.Config.Image}} {{.Image}}{{println}}
{{json .Config}}{{println}}
{{json .HostConfig}}{{println}}
{{if or .HostConfig.NetworkMode.IsContainer .HostConfig.UTSMode.IsHost}},"Hostname":""{{end}}
{{println}}
{{range .HostConfig.Binds}}{{json .}},{{end}}
{{range $mount := .Mounts}}{{if eq (print .Type) "volume"}}
{{$named := false}}
{{range $box.HostConfig.Binds}}
{{if eq (index (split . ":") 1) $mount.Destination}}{{$named = true}}{{end}}{{end}}
{{range $box.HostConfig.Mounts}}{{if eq .Target $mount.Destination}}{{$named = true}}{{end}}{{end}}
{{if not $named}}{{json (print .Name ":" .Destination)}},{{end}}
{{end}}{{end}}{{println}}
{{range $name, $end := .NetworkSettings.Networks}}
{{if eq $name (print $box.HostConfig.NetworkMode)}}{{json $name}}:{{template "end" $end}}{{end}}
{{end}}{{println}}
{{range $name, $end := .NetworkSettings.Networks}}{{$name}} {{end}}{{println}}
{{range $name, $end := .NetworkSettings.Networks}}
{{if ne $name (print $box.HostConfig.NetworkMode)}}
/networks/{{$name}}/connect {"Container":"CONTAINER","EndpointConfig":{{template "end" $end}}}
{{println}}{{end}}{{end}}'
NETWORK_FORMAT='/networks/create {"Name":{{json .Name}},"CheckDuplicate":true,
"Driver":{{json .Driver}},"EnableIPv6":{{json .EnableIPv6}},"IPAM":{{json .IPAM}},
"Internal":{{json .Internal}},"Attachable":{{json .Attachable}},"Options":{{json .Options}},
"Labels":{{json .Labels}}}'

# Notes how to make a container again, whole or not at all. $1 its name.
note_definition() {
  local format
  format=$(printf '%s' "$CONTAINER_FORMAT" | sed "s/CONTAINER/$1/" | tr -d '\n')
  (inspect "$format" "$1" | describe "$1" >"$DEFINITION.new") 2>/dev/null &&
    mv -f "$DEFINITION.new" "$DEFINITION" 2>/dev/null && return
  rm -f "$DEFINITION.new"
  log "the host cannot make $1 again if another program removes it now: no note in $DEFINITION"
}

# Prints the note: the image, and then one request in each line. Of two keys with one name the
# engine takes the last. $1 the name of the container. Reads what CONTAINER_FORMAT gives.
describe() {
  local image id config host hostname binds network networks
  read -r image id && read -r config && read -r host && read -r hostname && read -r binds &&
    read -r network && read -r networks || return 1
  image=$(by_content "$image" "$id")
  printf 'image %s\n' "$image"
  describe_networks "$networks $NETWORKS"
  printf '/containers/create?name=%s %s,"Image":"%s"%s,"HostConfig":%s,"Binds":[%s]},' \
    "$1" "${config%\}}" "$image" "$hostname" "${host%\}}" "${binds%,}"
  printf '"NetworkingConfig":{"EndpointsConfig":{%s}}}\n' "$network"
  cat
}

# $1 names of networks. Docker itself has made those that nobody can remove.
describe_networks() {
  local network format
  format=$(printf '%s' "$NETWORK_FORMAT" | tr -d '\n')
  for network in $1; do
    case $network in
      bridge | host | none) ;;
      *) docker network inspect --format "$format" "$network" ;;
    esac
  done
}

# The image of a container by its digest, or by its id when no registry has it: a tag may mean
# another image by now. $1 its name, $2 its id.
by_content() {
  local digest
  case $1 in
    *@*) printf '%s\n' "$1" ;;
    *)
      digest=$(docker image inspect --format '{{index .RepoDigests 0}}' "$2" 2>/dev/null) ||
        digest=$2
      printf '%s\n' "$digest"
      ;;
  esac
}

# Whether another program has removed a container. An engine that restarts does not know.
is_removed() { engine_answers && ! exists "$1"; }

# Makes the container again that the note describes, and does not start it. Nothing ends the session
# here: `docker_output` says why it failed. $1 the name of the container.
make_again() {
  local image
  image=$(sed -n 's/^image //p' "$DEFINITION" 2>/dev/null)
  if [ -z "$image" ]; then
    docker_output="another program has removed its container, and there is no note how to make it"
    return 1
  fi
  tell "another program has removed the container $1: the host makes it again"
  has_image "$image" || pull_again "$image" || return 1
  make_networks_again
  send_noted /containers/ || return 1
  # The same container for those who look at its id.
  [ ! -e "$STATE/adopted" ] || inspect '{{.Id}}' "$1" >"$STATE/adopted"
  send_noted '/networks/*/connect'
}

# A network that is there is refused, and stays as it is.
make_networks_again() { send_noted /networks/create || :; }

# Sends requests of the note, up to one that fails. $1 how their paths begin.
send_noted() {
  local path body
  [ -e "$DEFINITION" ] || return 1
  while read -r path body; do
    # shellcheck disable=SC2254 # a pattern
    case $path in $1*) send "$path" "$body" || return 1 ;; esac
  done <"$DEFINITION"
}

# Sends a request to the engine. $1 the path, $2 the body. The input stays open until the answer is
# there, because the engine may give up a request whose client has closed it.
send() {
  local version tries=100 reply="$DEFINITION.answer"
  version=$(docker version --format '{{.Client.APIVersion}}' 2>/dev/null)
  rm -f "$reply"
  {
    printf 'POST %s HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n' "${version:+/v$version}$1"
    printf 'Content-Type: application/json\r\nContent-Length: %s\r\n\r\n%s' \
      "$(printf '%s' "$2" | wc -c)" "$2"
    until [ -e "$reply" ] || [ "$tries" = 0 ]; do
      tries=$((tries - 1))
      pause
    done
  } 2>/dev/null | {
    docker system dial-stdio >"$reply.new" 2>&1
    mv -f "$reply.new" "$reply"
  }
  docker_output=$(tail -n 1 "$reply")
  grep -q '^HTTP/[0-9.]* 2' "$reply" && rm -f "$reply"
}

forget_definition() { rm -f "$DEFINITION" "$DEFINITION.answer"; }
