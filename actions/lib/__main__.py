# Written so that every Python since 2.7 can parse it: an old one must get a sentence, not a SyntaxError.
import sys

if sys.version_info < (3, 10):
    sys.stdout.write(
        "::error title=Python is too old::This action needs python3 3.10 or newer on the runner, "
        "and found %d.%d at %s. Use a runner image of today (ubuntu-22.04 or newer), "
        "or put a newer python3 first on the PATH.\n"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )
    sys.exit(2)

import gc
import os

# A copy of this in the repository is in the context of a build, and what Python writes beside it would
# make each build another one. Such a copy has a lock. This file itself is compiled before it runs.
here = os.path.dirname(__file__)
if os.path.exists(os.path.join(here, "..", "gen-workflow.lock")):
    sys.dont_write_bytecode = True
    try:
        os.unlink(
            os.path.join(here, "__pycache__", "__main__.%s.pyc" % sys.implementation.cache_tag)
        )
        os.rmdir(os.path.join(here, "__pycache__"))
    except OSError:
        pass  # it could not be written, or another Python has been here

# The objects of a start stay until the end, so a search for garbage among them takes 2 ms for nothing.
gc.set_threshold(50000)

from ship.runner.main import main

sys.exit(main(sys.argv[1:]))
