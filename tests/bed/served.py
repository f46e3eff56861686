"""A server of this process that runs in a thread of its own, while a `with` block runs."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socketserver
    from types import TracebackType

    from typing_extensions import Self


class Served:
    """Serves `_server`, which has to be there before the block begins."""

    _server: socketserver.BaseServer

    def __enter__(self) -> Self:
        # Polled often, so that stopping does not cost half a second per test.
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
