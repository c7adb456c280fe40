# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the cards have in common: power, the selection of their one application, and the way to its commands."""

import apdu
from apdu import Refusal


class Card:
    """A card with one application. The kinds say which: ATR, AID, the application's commands and its codes.

    selected_at_first: whether the application need not be selected after a reset.
    """

    selected_at_first = False
    shortest_aid = 5  # the registered application provider alone

    def __init__(self, atr, aid, codes):
        """codes: name to Code, for the memory."""
        self.atr = atr
        self.aid = aid
        self.codes = codes
        self.selected = False
        self._channel = apdu.Channel(self._execute)
        self.commands = {}

    def reset(self):
        """Power was lost, or the reader resets the card: the codes are to be verified again."""
        self.selected = self.selected_at_first
        self._channel.reset()
        self.forget()

    def forget(self):
        """No code counts as verified any more."""
        raise NotImplementedError

    def describe(self):
        """What a successful SELECT answers."""
        raise NotImplementedError

    def transmit(self, command):
        """Returns the response's data and status word."""
        return self._channel.transmit(command)

    def _execute(self, command):
        if command.ins == apdu.SELECT:
            return self._select(command)
        if not self.selected or command.ins not in self.commands:
            raise Refusal(apdu.WRONG_INSTRUCTION)
        return self.commands[command.ins](command) or b""

    def _select(self, command):
        """By name, which may be the beginning of it (ISO 7816-4, 11.2.2); a wrong name changes nothing."""
        if command.p1 != 4:
            return self.select_file(command)
        if len(command.data) < self.shortest_aid or not self.aid.startswith(command.data):
            raise Refusal(apdu.FILE_NOT_FOUND)
        self.select()
        return self.describe() if command.p2 & 0x0C == 0 else b""

    def select(self):
        self.selected = True

    def select_file(self, _command):
        """SELECT in another way than by name."""
        raise Refusal(apdu.FILE_NOT_FOUND)


def make_atr(historical, protocol="1"):
    """An answer to reset that offers T=1, or T=0, and says no more than these bytes (ISO/IEC 7816-3, 8.2)."""
    if protocol == "0":
        return bytes([0x3B, len(historical)]) + historical
    atr = bytes([0x3B, 0x80 | len(historical), 0x01]) + historical
    check = 0
    for byte in atr[1:]:
        check ^= byte
    return atr + bytes([check])
