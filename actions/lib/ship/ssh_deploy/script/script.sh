# Commands of the user and nothing else: with the environment that the user gave, up to the first
# command that fails.

# Log lines and facts in one stream, or they would reach the client in another order. The standard
# error of the commands stays a stream of its own, because their standard output is an output of the
# step.
exec 3>&2 2>&1

phase_script() {
  report script yes
  (
    umask "$UMASK"
    trap - EXIT TERM INT HUP PIPE
    # A variable of the app may have the name of one of ours, and the commands get none of ours.
    set -- "$SCRIPT"
    unset_our_variables
    app_environment
    # Nor must one of our functions hide a program of the host.
    unset -f log report pause now finish clean_up interrupted phase phase_leave phase_lock fail \
      phase_script open_state show_state take_lock process_group look_at_holder \
      unset_our_variables report_exit_code app_environment secret_files
    set +u -e
    eval "shift; $1"
  ) 2>&3 3>&- 9>&-
  report_exit_code $?
}

# $1 the exit code of the commands.
report_exit_code() {
  report exit-code "$1"
  [ "$1" = 0 ] || fail script "$1"
  report committed yes
}

unset_our_variables() {
  unset DOCKER_PROGRAM hidden_state MARK NAME OWNER LOCK_TIMEOUT LOCK_EXPIRES SCRIPT UMASK
  unset RELEASE STATE
  unset finished has_lock lock_holder asked_since
}
