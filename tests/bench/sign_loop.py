#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another program that signs with a card through OpenSC, in one session: sign_loop.py MODULE COUNT PAUSE, the PIN on
standard input.

PAUSE: after each signature, in seconds. Says "ready" when it has logged in, and at last how long all took, in seconds.
"""

import ctypes
import sys
import time

CKU_USER, CKU_CONTEXT_SPECIFIC = 1, 2
CKF_SERIAL_SESSION = 4
CKA_CLASS, CKO_PRIVATE_KEY = 0, 3
CKA_ALWAYS_AUTHENTICATE = 0x202
CKM_SHA256_RSA_PKCS = 0x40
SLOTS_MAX = 16

Number = ctypes.c_ulong


class Attribute(ctypes.Structure):
    _fields_ = [("type", Number), ("value", ctypes.c_void_p), ("length", Number)]


class Mechanism(ctypes.Structure):
    _fields_ = [("mechanism", Number), ("parameter", ctypes.c_void_p), ("length", Number)]


class Signer:
    """A session with the one token that has a private key."""

    def __init__(self, path, pin):
        self._module = ctypes.CDLL(path)
        self._pin = pin
        slots, count = (Number * SLOTS_MAX)(), Number(SLOTS_MAX)
        self._call("C_Initialize", None)
        self._call("C_GetSlotList", 1, slots, ctypes.byref(count))
        if not any(self._find_key(slot) for slot in slots[: count.value]):
            sys.exit("no key")
        self._wants_pin = self._always_authenticates()

    def _call(self, name, *arguments):
        converted = [Number(argument) if isinstance(argument, int) else argument for argument in arguments]
        result = getattr(self._module, name)(*converted)
        if result != 0:
            sys.exit(f"{name}: {result:#x}")

    def _find_key(self, slot):
        session, key, found, kind = Number(), Number(), Number(), Number(CKO_PRIVATE_KEY)
        wanted = Attribute(CKA_CLASS, ctypes.addressof(kind), ctypes.sizeof(kind))
        self._call("C_OpenSession", slot, CKF_SERIAL_SESSION, None, None, ctypes.byref(session))
        self._call("C_Login", session.value, CKU_USER, self._pin, len(self._pin))
        self._call("C_FindObjectsInit", session.value, ctypes.byref(wanted), 1)
        self._call("C_FindObjects", session.value, ctypes.byref(key), 1, ctypes.byref(found))
        self._call("C_FindObjectsFinal", session.value)
        self._session, self._key = session.value, key.value
        return found.value > 0

    def _always_authenticates(self):
        value = ctypes.c_ubyte()
        attribute = Attribute(CKA_ALWAYS_AUTHENTICATE, ctypes.addressof(value), 1)
        self._call("C_GetAttributeValue", self._session, self._key, ctypes.byref(attribute), 1)
        return bool(value.value)

    def sign(self):
        mechanism = Mechanism(CKM_SHA256_RSA_PKCS, None, 0)
        signature = ctypes.create_string_buffer(512)
        length = Number(len(signature))
        self._call("C_SignInit", self._session, ctypes.byref(mechanism), self._key)
        if self._wants_pin:
            self._call("C_Login", self._session, CKU_CONTEXT_SPECIFIC, self._pin, len(self._pin))
        self._call("C_Sign", self._session, b"data", 4, signature, ctypes.byref(length))

    def leave(self):
        self._call("C_Finalize", None)


def main(path, count, pause):
    signer = Signer(path, sys.stdin.buffer.readline().strip())
    print("ready", flush=True)
    begun = time.monotonic()
    for _ in range(count):
        signer.sign()
        time.sleep(pause)
    print(time.monotonic() - begun)
    signer.leave()


main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]))
