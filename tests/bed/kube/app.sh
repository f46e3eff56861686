#!/bin/sh
# The app of the cluster's images: a release that is good, or ill in the way that its tag says.
# READY_AFTER and LIVE_FOR are seconds, which a pod may set. As PID 1 it must end itself on a signal.
trap 'exit 0' TERM INT
serve() {
  sleep "${READY_AFTER:-0}" & wait "$!"
  echo ok >/www/healthz
  echo "$MODE" >/www/version
  httpd -p 8080 -h /www
}
case $MODE in
  crash) echo 'cannot reach database db:5432' >&2; exit 3 ;;
  segv) exit 139 ;;
  done) echo 'finished'; exit 0 ;;
  oom) echo 'loading cache'; exec tail /dev/zero ;; # itself, so that the container ends
  oom-child) serve; tail /dev/zero; echo "child gone: $?" ;;
  late) serve; sleep "${LIVE_FOR:-5}" & wait "$!"; echo 'lost connection to db:5432'; exit 4 ;;
  slow) READY_AFTER=${READY_AFTER:-5}; serve ;;
  unready) httpd -p 8080 -h /www ;;
  deaf) trap '' TERM INT; serve ;;
  *) serve ;;
esac
echo "$MODE is ready"
while :; do sleep 1 & wait "$!"; done
