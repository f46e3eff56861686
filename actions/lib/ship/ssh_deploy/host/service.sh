# Whether what runs under a name is the service that we deploy: two deploys of one repository may
# have been given one name.

# In what it differs from what this deploy brings, in words, and what it has there itself.
differences=
differing=

# Two services that run beside each other have nothing in common here. $1 what it is, $2 what the
# container has, $3 what this deploy has, with blanks between.
note_difference() {
  local each
  set -- "$1" "${2% }" "${3% }"
  [ -n "$2" ] && [ -n "$3" ] || return 0
  # A host name may begin with an asterisk.
  set -f
  for each in $2; do
    case " $3 $REPLACES " in *" $each "*) set +f && return 0 ;; esac
  done
  set +f
  differences="${differences:+$differences; }the $1 $2, and this deploy has $3"
  differing="${differing:+$differing }$2"
}

stop_if_different() {
  [ -n "$differences" ] || return 0
  report old "$differing"
  fail other-service "$differences"
}
