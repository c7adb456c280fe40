# SPDX-License-Identifier: LGPL-2.1-or-later
"""The card's end of vpcd, the driver of virtual readers that pcscd loads.

A reader listens on a TCP port; a card that connects is inserted, one that hangs up is pulled out. Messages have their
length in front, in two bytes. The reader's are commands, or, when they are one byte long, what it does with the power.
"""

import contextlib
import select
import socket
import time

FIRST_PORT = 0x8C7B

POWER_OFF, POWER_ON, RESET, GET_ATR = 0, 1, 2, 4

RETRY_INTERVAL = 0.02


class PulledOut(Exception):
    """The reader is not there any more."""


class Reader:
    """A reader that the card is in."""

    def __init__(self, number):
        """Waits until there is such a reader."""
        while True:
            try:
                self._socket = socket.create_connection(("127.0.0.1", FIRST_PORT + number))
                break
            except ConnectionRefusedError:
                time.sleep(RETRY_INTERVAL)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        # At once: the reader must not wait for what it may still have to say.
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def receive(self, timeout):
        """The next message; None if none comes in this time, in seconds. Raises PulledOut."""
        if not select.select([self._socket], [], [], timeout)[0]:
            return None
        return self._read(int.from_bytes(self._read(2), "big"))

    def _read(self, length):
        data = b""
        while len(data) < length:
            # The driver sends the length on its own, and the rest once that is acknowledged: not after the usual 40 ms.
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            try:
                part = self._socket.recv(length - len(data))
            except ConnectionError:
                part = b""
            if not part:
                raise PulledOut
            data += part
        return data

    def send(self, data):
        try:
            self._socket.sendall(len(data).to_bytes(2, "big") + data)
        except ConnectionError:
            raise PulledOut from None
