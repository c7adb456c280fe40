#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A card that nobody knows, in the reader whose number is given: its ATR is of no kind, and it answers 6D00 to everything.

Says "ready" when it has power, and then writes a line for each command.
"""

import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../tokens/card"))
import vpcd  # noqa: E402

# Convention, T0 with historical bytes alone, those, T=0
ATR = bytes.fromhex("3B0A") + os.urandom(10)
FOREVER = 86400


def main():
    with vpcd.Reader(int(sys.argv[1])) as reader:
        while True:
            message = reader.receive(FOREVER)
            if len(message) > 1:
                print(message[:4].hex(), flush=True)
                reader.send(bytes.fromhex("6D00"))
            elif message[0] == vpcd.GET_ATR:
                reader.send(ATR)
            elif message[0] == vpcd.POWER_ON:
                print("ready", flush=True)


main()
