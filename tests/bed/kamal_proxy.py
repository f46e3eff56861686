"""Makes the image of kamal-proxy: the real program and its folders, on busybox, not Ubuntu."""

from __future__ import annotations

import base64
import json
import shutil
from typing import TYPE_CHECKING

from bed import tools

if TYPE_CHECKING:
    from bed.testbed import Bed

REPOSITORY = "acme/kamal-proxy"
TOKEN = "ghs_kamal_proxy"
USER = "kamal-proxy"
# As in the real image, where the user also has the lowest id of an ordinary user.
DOCKERFILE = """\
FROM scratch
COPY passwd group /etc/
COPY busybox /bin/
RUN ["/bin/busybox", "mkdir", "-m", "1777", "/tmp"]
COPY --chown=1000:1000 home /home/kamal-proxy
COPY kamal-proxy /usr/local/bin/
EXPOSE 80 443
USER kamal-proxy:kamal-proxy
CMD ["kamal-proxy", "run"]
"""


def push(bed: Bed) -> str:
    """Push the image to the bed's ghcr.io and return its name by digest.

    Raises Unavailable when kamal-proxy was not built.
    """
    program = tools.built("kamal-proxy")
    context = bed.work / "kamal-proxy"
    (context / "home/.config/kamal-proxy").mkdir(parents=True)
    shutil.copy(program, context)
    shutil.copy("/bin/busybox", context)
    (context / "passwd").write_text(f"{USER}:x:1000:1000::/home/{USER}:/bin/sh\n")
    (context / "group").write_text(f"{USER}:x:1000:\n")
    (context / "Dockerfile").write_text(DOCKERFILE)
    # The runner's own login does not change.
    login = {"auths": {"ghcr.io": {"auth": base64.b64encode(f"x:{TOKEN}".encode()).decode()}}}
    (context / "config.json").write_text(json.dumps(login))
    bed.registry.allow(TOKEN, f"{REPOSITORY}:pull,push")
    tag = f"ghcr.io/{REPOSITORY}:{tools.source_folder('kamal-proxy').name.rpartition('-')[2]}"
    bed.runner.docker("build", "--quiet", "--tag", tag, str(context))
    bed.runner.docker("--config", str(context), "push", "--quiet", tag)
    digest = bed.registry.digest(REPOSITORY, tag.rpartition(":")[2])
    return f"ghcr.io/{REPOSITORY}@{digest}"
