# SPDX-License-Identifier: LGPL-2.1-or-later
"""What of the simulated eToken is in a reader: it takes the commands that its module sends, and does nothing."""

from card import make_atr


class ETokenCard:
    atr = make_atr(b"Simulated eTok")
    codes = {}

    def __init__(self, _settings, _key, _certificate):
        pass

    def reset(self):
        pass

    def transmit(self, _command):
        return b"", 0x9000
