# SPDX-License-Identifier: LGPL-2.1-or-later
"""Cards for the tests, and a way to talk to them in hexadecimal."""

import os
import sys
import unittest

sys.dont_write_bytecode = True
FOLDER = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [os.path.join(FOLDER, "../../tokens/card"), os.path.join(FOLDER, "../../lib")]
from apdu import Command, Refusal  # noqa: E402
from key import Key  # noqa: E402

# The greatest primes below 2^512: a key of 1024 bits that everybody knows.
P, Q = 2**512 - 569, 2**512 - 629
EXPONENT = 65537
KEY = Key(P * Q, EXPONENT, pow(EXPONENT, -1, (P - 1) * (Q - 1)))
CERTIFICATE = bytes(range(256)) * 3

SETTINGS = {"serial": "02a0b1c1", "pin": "123456", "puk": "12345678", "more": {}}


def ask(card, command):
    """Sends a command to the card, in hexadecimal, and returns its answer likewise: data and status word."""
    try:
        data, status = card.transmit(Command.parse(bytes.fromhex(command)))
    except Refusal as refusal:
        data, status = b"", refusal.status
    return f"{data.hex().upper()} {status:04X}".strip()


def code(header, *parts):
    """The command that has these bytes or text as its data, in hexadecimal."""
    data = b"".join(part if isinstance(part, bytes) else part.encode() for part in parts)
    return f"{header} {len(data):02X} {data.hex()}"


class CardCase(unittest.TestCase):
    """self.card: made anew for each test by make(), and given power."""

    def setUp(self):
        self.card = self.make()
        self.card.reset()

    def make(self):
        raise NotImplementedError

    def tell(self, *exchanges):
        """Each is a command and the status word of its answer, in this order."""
        for command, status in exchanges:
            with self.subTest(command=command):
                self.assertEqual(ask(self.card, command)[-4:], status)

    def counters(self):
        return {name: code.remaining for name, code in self.card.codes.items()}
