# SPDX-License-Identifier: LGPL-2.1-or-later
"""A terminal with a program in it: what a person sees and types."""

import os
import pty
import re
import select
import subprocess
import termios
import time


class Terminal:
    """Runs a program on a new terminal, which is its controlling one.

    popen: what starts it, called with the arguments of subprocess.Popen.
    """

    def __init__(self, argv, popen=subprocess.Popen, **more):
        self._master, slave = pty.openpty()
        # The program itself leads the session: were it nsenter, that could die of a Ctrl-C first, and hang up.
        leader = ["setsid", "--ctty", *argv]
        self.process = popen(leader, stdin=slave, stdout=slave, stderr=slave, **more)
        os.close(slave)
        self.text = ""
        self._position = 0

    def _read(self, deadline):
        """Reads some more; False at the end."""
        if not select.select([self._master], [], [], max(0, deadline - time.monotonic()))[0]:
            raise TimeoutError(f"nothing more came; there was:\n{self.text}")
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the last one closed the terminal
            return False
        self.text += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)

    def expect(self, pattern, timeout=30):
        """Waits until the pattern is shown, after what was expected before; returns the match."""
        deadline = time.monotonic() + timeout
        while True:
            match = re.compile(pattern).search(self.text, self._position)
            if match:
                self._position = match.end()
                return match
            if not self._read(deadline):
                raise EOFError(f"{pattern!r} was not shown; there was:\n{self.text}")

    def type(self, text):
        os.write(self._master, text.encode())

    def type_line(self, text):
        self.type(text + "\n")

    def is_echoing(self):
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def finish(self, timeout=30):
        """Waits for the end; returns the exit status. All that was shown is in text."""
        deadline = time.monotonic() + timeout
        while self._read(deadline):
            pass
        return self.process.wait(max(0.1, deadline - time.monotonic()))

    def close(self):
        if self.process.poll() is None:
            self.process.kill()  # an interactive shell ignores SIGTERM
            self.process.wait(10)
        os.close(self._master)

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.close()
