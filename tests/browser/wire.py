"""A network between a page and the hotline that can be cut: everything of HTTP and SIP passes here, sound does not."""

import contextlib
import socket
import threading
from typing import Self

_PIECE = 65_536


class Wire:
    """Carries TCP from a port of its own to the hotline's, until it is cut, and again once it is mended."""

    def __init__(self, port: int) -> None:
        self._target = ("127.0.0.1", port)
        self._ear = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._ear.getsockname()[1]
        self._lock, self._open = threading.Lock(), set[socket.socket]()
        self._is_cut = False
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self) -> None:
        """Every connection breaks, and no new one is made."""
        with self._lock:
            self._is_cut = True
            broken, self._open = self._open, set()
        for one in broken:
            _end(one)

    def mend(self) -> None:
        with self._lock:
            self._is_cut = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ear.close()
        self.cut()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self._join(self._ear.accept()[0])

    def _join(self, page: socket.socket) -> None:
        with contextlib.suppress(OSError):
            server = socket.create_connection(self._target, timeout=5)
            server.settimeout(None)
            with self._lock:
                is_cut = self._is_cut
                if not is_cut:
                    self._open |= {page, server}
            if not is_cut:
                for source, sink in ((page, server), (server, page)):
                    threading.Thread(target=self._pump, args=(source, sink), daemon=True).start()
                return
            _end(server)
        _end(page)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                sink.sendall(piece)
        with self._lock:
            self._open -= {source, sink}
        _end(source)
        _end(sink)


def _end(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
