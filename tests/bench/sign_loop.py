#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another program that signs with a card through OpenSC, in one session: sign_loop.py MODULE COUNT, the PIN on standard input.

Prints how long the signatures took, in seconds.
"""

import ctypes
import sys
import time

CKU_USER = 1
CKF_SERIAL_SESSION = 4
CKA_CLASS, CKO_PRIVATE_KEY = 0, 3
CKM_SHA256_RSA_PKCS = 0x40

Number = ctypes.c_ulong


class Attribute(ctypes.Structure):
    _fields_ = [("type", Number), ("value", ctypes.c_void_p), ("length", Number)]


class Mechanism(ctypes.Structure):
    _fields_ = [("mechanism", Number), ("parameter", ctypes.c_void_p), ("length", Number)]


def main(path, count):
    module = ctypes.CDLL(path)

    def call(name, *arguments):
        converted = [Number(argument) if isinstance(argument, int) else argument for argument in arguments]
        if getattr(module, name)(*converted) != 0:
            sys.exit(f"{name} failed")

    slot, slots, session, key, found = Number(), Number(1), Number(), Number(), Number()
    pin = sys.stdin.buffer.readline().strip()
    kind = Number(CKO_PRIVATE_KEY)
    wanted = Attribute(CKA_CLASS, ctypes.addressof(kind), ctypes.sizeof(kind))
    call("C_Initialize", None)
    call("C_GetSlotList", 1, ctypes.byref(slot), ctypes.byref(slots))
    call("C_OpenSession", slot.value, CKF_SERIAL_SESSION, None, None, ctypes.byref(session))
    call("C_Login", session.value, CKU_USER, pin, len(pin))
    call("C_FindObjectsInit", session.value, ctypes.byref(wanted), 1)
    call("C_FindObjects", session.value, ctypes.byref(key), 1, ctypes.byref(found))
    call("C_FindObjectsFinal", session.value)

    mechanism = Mechanism(CKM_SHA256_RSA_PKCS, None, 0)
    signature = ctypes.create_string_buffer(512)
    begun = time.monotonic()
    for _ in range(count):
        length = Number(len(signature))
        call("C_SignInit", session.value, ctypes.byref(mechanism), key.value)
        call("C_Sign", session.value, b"data", 4, signature, ctypes.byref(length))
    print(time.monotonic() - begun)
    call("C_Finalize", None)


main(sys.argv[1], int(sys.argv[2]))
