"""A small app to deploy, with versions that are healthy or fail in a chosen way."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from bed.testbed import Bed

TOKEN = "ghs_0123456789abcdefghijklmnopqrstuvwxyz"
PORT = 8080
# The faults of a version: none; never healthy; healthy as a candidate only; ends at once; serves 2
# seconds late; does not stop when asked; healthy but for users at its published port, by the path
# /cgi-bin/up; ends when another one has its volume, as an embedded database does; that and never
# healthy. The last two have no fault. Their images have a HEALTHCHECK that passes or fails.
FAULTS = (
    "", "sick", "sick-when-real", "ends", "slow-start", "slow-stop", "sick-in-public", "alone",
    "alone-sick", "healthcheck", "unhealthy",
)  # fmt: skip

DOCKERFILE = """\
FROM scratch
COPY busybox /bin/busybox
COPY serve /bin/serve
ENV VERSION={version} FAULT={fault}
EXPOSE {port}
{healthcheck}
ENTRYPOINT ["/bin/busybox", "sh", "/bin/serve"]
"""
# Each check starts a program in the container, which takes a tenth of a second of a processor: so a
# container is asked every second until it is found well, and seldom from then on.
CHECKS = {
    "healthcheck": "--start-period=60s --start-interval=1s --interval=20s --retries=2 "
    'CMD ["/bin/busybox", "test", "-e", "/www/health"]',
    "unhealthy": '--interval=1s --retries=2 CMD ["/bin/busybox", "false"]',
}
# Only the first start with a volume is a candidate's; there `sick-when-real` is healthy.
# Who is answered when it shall stop gets the whole answer, as from every app that does it well.
SERVE = """\
set -eu
b=/bin/busybox
$b mkdir -p /www/cgi-bin /state
end() {
  [ -z "$server" ] || kill "$server" || :
  while $b grep -qs 'http[d]' /proc/[0-9]*/cmdline; do $b sleep 0.02; done
  exit 0
}
server=
trap end TERM
echo "shop $VERSION says ${GREETING:-nothing}"
echo "$VERSION" >/www/index.html
# One that can be written to has a reader: another one, which is alive.
alone() {
  [ -p /state/own ] || $b mkfifo /state/own
  ! $b timeout 1 $b sh -c 'echo >/state/own' || { echo 'another one has the data' && exit 4; }
  exec 9<>/state/own
}
case $FAULT in alone*) alone ;; esac
case $FAULT in
  sick | alone-sick) ;;
  ends) printf 'cannot reach the database' >&2; exit 3 ;;
  sick-when-real)
    [ -e /state/seen ] || echo ok >/www/health; : >/state/seen ;;
  *) echo ok >/www/health ;;
esac
printf '%s' "${GREETING:-}" >/www/greeting
printf '#!/bin/busybox sh\necho; /bin/busybox sleep 1; echo "$VERSION"\n' >/www/cgi-bin/slow
print_up() {
  echo '#!/bin/busybox sh'
  echo '[ -e /www/health ] && [ "$FAULT $HTTP_HOST" != "sick-in-public 127.0.0.1:8080" ] ||'
  echo 'echo "Status: 503"; echo; echo'
}
print_up >/www/cgi-bin/up
$b chmod +x /www/cgi-bin/slow /www/cgi-bin/up
case $FAULT in
  slow-start) $b sleep 2 & wait $! ;;
  slow-stop) trap '' TERM ;;
esac
$b httpd -f -p 8080 -h /www &
server=$!
wait
"""


class Shop:
    """Builds versions of the app on the runner of a bed, and pushes them to its registry."""

    name = "ghcr.io/acme/shop"

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self._folder = bed.work / "shop"
        self.write_context(self._folder)
        bed.registry.allow(TOKEN, "acme/*:pull,push")
        bed.runner.run(
            "docker", "login", "ghcr.io", "-u", "octocat", "--password-stdin", input=TOKEN
        )

    @staticmethod
    def write_context(folder: Path, version: str = "1", fault: str = "") -> None:
        """Write the build context of an image into a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy("/bin/busybox", folder / "busybox")
        (folder / "serve").write_text(SERVE)
        check = f"HEALTHCHECK {CHECKS[fault]}" if fault in CHECKS else ""
        text = DOCKERFILE.format(version=version, fault=fault or '""', port=PORT, healthcheck=check)
        (folder / "Dockerfile").write_text(text)

    def push(self, version: str, fault: str = "") -> str:
        """Return the image of a version, by digest. It is pushed once to the registry of a bed."""
        key, pushed = (version, fault), self._bed.pushed
        if key not in pushed:
            self.write_context(self._folder, version, fault)
            tag = f"{self.name}:{version}{fault}"
            self._bed.runner.run("docker", "build", "-q", "-t", tag, str(self._folder))
            self._bed.runner.run("docker", "push", "-q", tag)
            digest = self._bed.registry.digest("acme/shop", f"{version}{fault}")
            pushed[key] = f"{self.name}@{digest}"
        return pushed[key]
