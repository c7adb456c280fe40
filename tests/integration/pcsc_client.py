#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another program that uses cards, which a test drives: see card_user.py.

It calls the real libpcsclite. Words come a line at a time; each line is answered by one.
"""

import ctypes
import sys

SHARED, EXCLUSIVE = 2, 1
ANY_PROTOCOL = 3
LEAVE = 0
PRESENT = 0x20

pcsc = ctypes.CDLL("libpcsclite.so.1")


class ReaderState(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("user_data", ctypes.c_void_p),
        ("current", ctypes.c_ulong),
        ("event", ctypes.c_ulong),
        ("atr_length", ctypes.c_ulong),
        ("atr", ctypes.c_ubyte * 33),
    ]


class IORequest(ctypes.Structure):
    _fields_ = [("protocol", ctypes.c_ulong), ("length", ctypes.c_ulong)]


def call(name, *arguments):
    result = getattr(pcsc, name)(*arguments) & 0xFFFFFFFF
    if result != 0:
        raise OSError(f"{name}: {result:08X}")


class User:
    def __init__(self):
        self._context, self._card, self._protocol = ctypes.c_long(), ctypes.c_long(), ctypes.c_ulong()
        call("SCardEstablishContext", 2, None, None, ctypes.byref(self._context))

    def _readers(self):
        length = ctypes.c_ulong(0)
        call("SCardListReaders", self._context, None, None, ctypes.byref(length))
        names = ctypes.create_string_buffer(length.value)
        call("SCardListReaders", self._context, None, names, ctypes.byref(length))
        return sorted(name for name in names.raw.split(b"\0") if name)

    def present(self, number):
        """Whether there is a card in the reader with this number."""
        names = self._readers()[int(number) :][:1]
        states = (ReaderState * 1)(*[ReaderState(name=name) for name in names])
        if names:
            call("SCardGetStatusChange", self._context, 0, states, 1)
        return "yes" if states[0].event & PRESENT else "no"

    def connect(self, number, mode):
        """To the card in the reader with this number."""
        name = self._readers()[int(number)]
        how = {"shared": SHARED, "exclusive": EXCLUSIVE}[mode]
        arguments = [ANY_PROTOCOL, ctypes.byref(self._card), ctypes.byref(self._protocol)]
        call("SCardConnect", self._context, name, how, *arguments)

    def begin(self):
        call("SCardBeginTransaction", self._card)

    def end(self):
        call("SCardEndTransaction", self._card, LEAVE)

    def send(self, command):
        """Returns what the card answered, in hexadecimal."""
        raw = bytes.fromhex(command)
        answer, length = ctypes.create_string_buffer(300), ctypes.c_ulong(300)
        request = IORequest(self._protocol.value, ctypes.sizeof(IORequest))
        arguments = [ctypes.byref(request), raw, len(raw), None, answer, ctypes.byref(length)]
        call("SCardTransmit", self._card, *arguments)
        return answer.raw[: length.value].hex().upper()

    def disconnect(self):
        call("SCardDisconnect", self._card, LEAVE)


def main():
    user = User()
    print("ready", flush=True)
    for line in sys.stdin:
        method, *arguments = line.split()
        try:
            print(getattr(user, method)(*arguments) or "done", flush=True)
        except OSError as error:
            print(error, flush=True)


main()
