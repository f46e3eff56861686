# Commands of the person, and nothing else: with the environment that they asked for, and up to the
# first that fails.

phase_lock() {
  open_state
  take_lock
}

phase_script() {
  tell script yes
  (
    unset MARK
    umask "$UMASK"
    trap - EXIT TERM INT HUP PIPE
    app_environment
    set -eu
    eval "$SCRIPT"
  ) 9>&-
  code=$?
  tell exit-code "$code"
  [ "$code" = 0 ] || fail script "$code"
  tell committed yes
}
