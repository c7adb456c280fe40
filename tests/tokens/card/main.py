#!/usr/bin/python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A virtual smart card in a virtual reader of the real pcscd.

Settings come as JSON on standard input: kind, folder, reader (its number), serial, pin, puk, more (what else the kind
takes), key and certificate (paths), faults (the folder of the file "fault", if it is
another one). Says "ready" on standard output when the reader has given it power for the first
time, and goes on until it is killed.
"""

import json
import os
import sys
import time

sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../lib"))
import vpcd  # noqa: E402
from apdu import Command, Refusal  # noqa: E402
from der import read_rsa_key  # noqa: E402
from etoken import ETokenCard  # noqa: E402
from key import Key  # noqa: E402
from misbehaviour import Faults, Pulled, answer  # noqa: E402
from openpgp import OpenPGPCard  # noqa: E402
from pin import Memory  # noqa: E402
from piv import PIVCard  # noqa: E402
from pkcs15 import PKCS15Card  # noqa: E402

KINDS = {"etoken": ETokenCard, "openpgp-card": OpenPGPCard, "piv-card": PIVCard, "pkcs15-card": PKCS15Card}

# How often an idle card looks whether it shall be pulled out or put in, in seconds.
LOOK_INTERVAL = 0.02


class Record:
    """The commands that the card was sent: headers and lengths, never what may be a code."""

    def __init__(self, folder):
        self._file = os.open(os.path.join(folder, "calls"), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)

    def write(self, insertion, raw, name, result, length):
        """length: of the answer's data."""
        header = raw[:4].hex().upper() or "-"
        os.write(self._file, f"{insertion} {header} {name} {result} {len(raw)} {length}\n".encode())


class VirtualCard:
    """The card, its faults, and its record."""

    def __init__(self, card, folder, faults):
        self._card = card
        self._faults = Faults(faults)
        self._record = Record(folder)
        self._insertion = 0
        self._ready = False

    def run(self, reader_number):
        while True:
            if self._faults.vanished():
                time.sleep(LOOK_INTERVAL)
                continue
            self._insertion += 1
            self._card.reset()
            with vpcd.Reader(reader_number) as reader:
                try:
                    self._serve(reader)
                except (vpcd.PulledOut, Pulled):
                    pass

    def _serve(self, reader):
        while not self._faults.vanished():
            message = reader.receive(LOOK_INTERVAL)
            if message is None:
                continue
            if len(message) > 1:
                reader.send(self._transmit(message))
            elif message[0] == vpcd.GET_ATR:
                reader.send(self._card.atr)
            else:
                self._card.reset()
                self._tell_ready(message[0])

    def _tell_ready(self, control):
        if control == vpcd.POWER_ON and not self._ready:
            self._ready = True
            print("ready", flush=True)

    def _transmit(self, raw):
        try:
            command = Command.parse(raw)
        except Refusal as refusal:
            self._record.write(self._insertion, raw, "INVALID", f"{refusal.status:04X}", 0)
            return answer(b"", refusal.status)
        name = command.name
        self._faults.count(name)
        try:
            status, data = self._faults.before(name), b""
            if status is None:
                data, status = self._card.transmit(command)
                status = self._faults.after(name) or status
        except Pulled:
            self._record.write(self._insertion, raw, name, "REMOVED", 0)
            raise
        garbage = self._faults.garble(name, data, status)
        result = f"{status:04X}" if garbage is None else "GARBAGE"
        self._record.write(self._insertion, raw, name, result, len(data))
        return answer(data, status) if garbage is None else garbage


def main():
    settings = json.load(sys.stdin)
    folder = settings["folder"]
    with open(settings["certificate"], "rb") as file:
        certificate = file.read()
    card = KINDS[settings["kind"]](settings, Key(*read_rsa_key(settings["key"])[:3]), certificate)
    Memory(os.path.join(folder, "state"), card.codes)
    VirtualCard(card, folder, settings.get("faults", folder)).run(settings["reader"])


main()
