# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another program that uses cards by pcscd itself, in step with a test; see pcsc_client.py."""

import subprocess
import time

from sandbox import FOLDER, PYTHON, TIMEOUT, read_line, wait_until

PROGRAM = f"{FOLDER}/source/tests/integration/pcsc_client.py"

SELECT = {"openpgp-card": "00A4040C06D27600012401", "piv-card": "00A4040C09A00000030800001000"}
# To the one that OpenSC asks about first; a PIV card wants 8 bytes.
VERIFY = {"openpgp-card": "0020008206", "piv-card": "0020008008"}
PIV_LENGTH = 8
# A card that is in use for less than this may be seen as not in use, in seconds.
LOOK = 0.5


class CardUser:
    """Connected to pcscd, and to a card when it is told so."""

    def __init__(self, sandbox, user="alice"):
        self._program = sandbox.popen(
            user, [PYTHON, PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )
        assert read_line(self._program.stdout) == "ready\n"

    def __enter__(self):
        return self

    def __exit__(self, *_exception):
        self.leave()

    def leave(self):
        self._program.stdin.close()
        self._program.wait(TIMEOUT)
        self._program.stdout.close()

    def ask(self, *words):
        self._program.stdin.write(" ".join(map(str, words)).encode() + b"\n")
        return read_line(self._program.stdout).strip()

    def wait_present(self, is_present, reader=0):
        """Until pcscd sees a card in the reader, or sees that there is none."""
        wanted = "yes" if is_present else "no"
        wait_until(lambda: self.ask("present", reader) == wanted, what=f"a card in its reader: {wanted}")

    def put_in_again(self, card, *faults, reader=0):
        """Takes it out, and puts it in with these faults."""
        card.fault("vanish")
        self.wait_present(False, reader)
        card.fault(*faults)
        self.wait_present(True, reader)

    def connect(self, mode, reader=0):
        """mode: "shared" or "exclusive"."""
        assert self.ask("connect", reader, mode) == "done"

    def do(self, word):
        """"begin" or "end" a transaction, or "disconnect", which nobody does as soon as this could: it might not be seen."""
        if word == "disconnect":
            time.sleep(LOOK)
        assert self.ask(word) == "done"

    def select(self, kind="piv-card"):
        assert self.ask("send", SELECT[kind]).endswith("9000")

    def _verify(self, pin, kind):
        """Returns what the card answers."""
        self.select(kind)
        data = pin.encode().hex().upper()
        return self.ask("send", VERIFY[kind] + (data.ljust(2 * PIV_LENGTH, "F") if kind == "piv-card" else data))

    def right_pin(self, pin, kind="piv-card"):
        assert self._verify(pin, kind) == "9000"

    def _set_piv_pin(self, command, code, pin):
        self.select("piv-card")
        data = "".join(text.encode().hex().upper().ljust(2 * PIV_LENGTH, "F") for text in (code, pin))
        assert self.ask("send", f"{command}{2 * PIV_LENGTH:02X}{data}") == "9000"

    def change_piv_pin(self, pin, new_pin):
        self._set_piv_pin("00240080", pin, new_pin)

    def unblock_piv_pin(self, puk, new_pin):
        self._set_piv_pin("002C0080", puk, new_pin)

    def wrong_pin(self, kind="piv-card"):
        """Returns how many commands that takes."""
        assert self._verify("000000", kind).startswith(("63C", "6982"))
        return 2

    def work(self, count, kind="piv-card"):
        """Sends so many commands in one transaction; returns how many."""
        self.do("begin")
        for _ in range(count):
            self.select(kind)
        self.do("end")
        return count
