# Taking over a container that was made by hand. This comes after owner.sh, when the person says so.

# As JSON, so that a variable with several lines is one line.
ENV_FORMAT='{{range .Config.Env}}{{json .}}{{println}}{{end}}'
# shellcheck disable=SC2016 # variables of Docker's templates
NETWORKS_FORMAT='{{range $name, $value := .NetworkSettings.Networks}}{{println $name}}{{end}}'
VOLUMES_FORMAT='{{range .Mounts}}{{if ne .Type "tmpfs"}}
{{if eq .Type "volume"}}{{.Name}}{{else}}{{.Source}}{{end}}:{{.Destination}}{{end}}{{end}}'
# shellcheck disable=SC2016
PORTS_FORMAT='{{range $port, $all := .HostConfig.PortBindings}}{{range $all}}
{{if .HostIp}}{{.HostIp}}:{{end}}{{.HostPort}}:{{$port}}{{end}}{{end}}'

# Says what the person should know before it is replaced, and keeps what is needed to make it again.
adopt() {
  [ -n "$adopting" ] && [ "$(inspect '{{.Id}}' "$NAME")" = "$adopting" ] || return 0
  { docker container inspect "$NAME" >"$STATE/adopted-$NAME.json.new" 2>/dev/null &&
    mv -f "$STATE/adopted-$NAME.json.new" "$STATE/adopted-$NAME.json" &&
    printf '%s' "$adopting" >"$STATE/adopted"; } || fail disk "$STATE"
  report adopted "$found_image"
  report definition "$STATE/adopted-$NAME.json"
  log "$NAME (image $found_image) was not made by a deploy, and this deploy replaces it;" \
    "its definition is kept on the host: $STATE/adopted-$NAME.json"
  compare_settings
}

# No line has the value of a variable.
compare_settings() {
  local networks volumes ports variables lost gained
  networks=$(inspect "$NETWORKS_FORMAT" "$NAME")
  volumes=$(inspect "$VOLUMES_FORMAT" "$NAME" | sed 's/^[0-9a-f]\{64\}:/an anonymous one at /')
  ports=$(inspect "$PORTS_FORMAT" "$NAME")
  variables=$(own_variables)
  lost=$(
    only_in_first network "$networks" "$(in_lines "${NETWORKS:-bridge}")"
    only_in_first variable "$variables" "$(in_lines "$ENV_NAMES")"
    only_in_first volume "$volumes" "$(in_lines "$VOLUMES")"
    only_in_first port "$ports" "$(in_lines "$SERVED")"
  )
  gained=$(
    only_in_first network "$(in_lines "${NETWORKS:-bridge}")" "$networks"
    only_in_first variable "$(in_lines "$ENV_NAMES")" "$variables"
    only_in_first volume "$(in_lines "$VOLUMES")" "$volumes"
    only_in_first port "$(in_lines "$SERVED")" "$ports"
  )
  tell_difference lost-settings "the new $NAME will not have what the old one has" "$lost"
  tell_difference new-settings "the new $NAME will have what the old one has not" "$gained"
}

in_lines() { printf '%s' "$1" | tr ' ' '\n'; }

tell_difference() {
  [ -n "$3" ] || return 0
  set -- "$1" "$2" "$(printf '%s' "$3" | tr '\n' ';' | sed 's/;/; /g')"
  log "$2: $3"
  report "$1" "$3"
}

# The names of the variables of the container that are not those of its image.
own_variables() {
  lines_without "$(inspect "$ENV_FORMAT" "$NAME")" \
    "$(docker image inspect --format "$ENV_FORMAT" "$(inspect '{{.Image}}' "$NAME")" 2>/dev/null)" |
    sed 's/^"//; s/=.*//'
}

# Prints the lines of the first text that the second does not have.
lines_without() {
  { printf '%s\n' "$2" | grep .; printf '\n%s\n' "$1"; } |
    awk 'NF == 0 { first = 1; next } !first { known[$0]; next } !($0 in known)'
}

# The same in words, such as: the volumes a:/b, c:/d. $1 what they are.
only_in_first() {
  lines_without "$2" "$3" | awk -v what="the $1" '{ all = all (NR > 1 ? ", " : "") $0 }
    END { if (NR) print what (NR > 1 ? "s " : " ") all }'
}
