# The ports of the host that a service is to have, and who has them now. A word for a port is
# [ADDRESS:]PORT[/udp]=HEX, where HEX is the address as /proc/net has it, empty for all addresses.

# Ends the session when a container or a program has a port that this deploy would publish. The form
# says in `may_hold_port` which containers give their ports back.
check_port() {
  local shown="${1%=*}" protocol=tcp number holders container held=
  case $shown in */udp) protocol=udp ;; esac
  number=${shown%/udp}
  number=${number##*:}
  holders=$(docker ps --filter "publish=$number/$protocol" --format '{{.Names}}')
  for container in $holders; do
    ! publishes "$container" "${shown%/udp}" "$protocol" || may_hold_port "$container" ||
      fail port-taken "$shown: the container $container already uses it"
    held="$held $(published "$container" "$protocol" | tr '\n' ' ')"
  done
  check_listeners "$shown" "$protocol" "$number" "${1##*=}" "$held"
}

# The addresses and ports of a container. Older engines write [::]:80 as :::80. $2 the protocol.
published() { docker port "$1" 2>/dev/null | sed -n "s|.*/$2 -> ||p" | sed 's/^:::/[::]:/'; }

# Whether a container that publishes a port does so where $2 is to be. $3 the protocol.
publishes() {
  local everywhere
  case $2 in
    0.0.0.0:* | '[::]:'*) return 0 ;;
    '['*) everywhere="[::]:${2##*:}" ;;
    *:*) everywhere="0.0.0.0:${2##*:}" ;;
    *) return 0 ;;
  esac
  published "$1" "$3" | grep -qxF -e "$2" -e "$everywhere"
}

# $1 the port as the user wrote it, $2 its protocol, $3 its number, $4 its address as in /proc/net,
# $5 where containers have it.
check_listeners() {
  local place user inode doubt
  while read -r place user inode doubt; do
    case " $5 " in *" $place "*) continue ;; esac
    [ -z "$doubt" ] || takes_ipv4 "$2" "$3" || continue
    [ -z "$place" ] ||
      fail port-taken "$1: $(program_of "$inode" "$user") already listens on $place"
  done <<LISTENERS
$(listeners "$2" "$3" "$4")
LISTENERS
}

# Prints the sockets beside which a port cannot be published: address and port, the user, the inode.
# A socket on [::] may take IPv4 too, which the kernel does not show here: such a line has one word
# more. $1 the protocol, $2 the number of the port, $3 the address as in /proc/net.
listeners() {
  awk -v protocol="$1" -v number="$2" -v port="$(printf %04X "$2")" -v want="$3" '
    function byte(at) {
      return index(digits, substr(hex, at, 1)) * 16 + index(digits, substr(hex, at + 1, 1))
    }
    function shown(i, text) {
      if (hex ~ /^0+$/) return length(hex) == 8 ? "0.0.0.0" : "[::]"
      if (length(hex) == 8) return byte(7) "." byte(5) "." byte(3) "." byte(1)
      for (i = 1; i < 32; i += 8)
        text = text ":" substr(hex, i + 6, 2) substr(hex, i + 4, 2) \
          ":" substr(hex, i + 2, 2) substr(hex, i, 2)
      if (!sub(/^(:0000)+:0*/, "::", text)) sub(/^:/, "", text)
      return "[" text "]"
    }
    BEGIN { digits = "123456789ABCDEF" }
    {
      split($2, place, ":")
      hex = place[1]
      if (place[2] != port || (protocol == "tcp" && $4 != "0A")) next
      sub(/^0000000000000000FFFF0000/, "", hex)
      everywhere = hex ~ /^0+$/ || want ~ /^0*$/
      same = length(hex) == length(want) || want == ""
      if (same ? everywhere || hex == want : length(want) == 8 && hex ~ /^0+$/)
        print shown() ":" number, $8, $10, same ? "" : "doubt"
    }' "/proc/net/$1" "/proc/net/${1}6" 2>/dev/null
}

# Whether the socket on [::] takes IPv4 too. Where nothing can say so, the start will show it.
takes_ipv4() { ss -anH "--$1" "sport = :$2" 2>/dev/null | grep -q "\*:$2 "; }

# Prints which program has a socket, as far as this user may see it. $1 the inode, $2 the user.
program_of() {
  local process name
  for process in /proc/[0-9]*; do
    case $(ls -l "$process/fd" 2>/dev/null) in
      *"socket:[$1]"*) name=$(cat "$process/comm") && echo "the program $name" && return ;;
    esac
  done
  name=$(awk -F : -v user="$2" '$3 == user { print $1; exit }' /etc/passwd)
  echo "a program of the user ${name:-$2}"
}
