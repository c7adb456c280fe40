#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A little of PKCS#11 by ctypes, for making tokens and for looking at them; no code is ever on its command line.

    pkcs11.py MODULE flags [LABEL]                  the retry flags, one a line
    pkcs11.py MODULE login|login-so [LABEL]         the code from standard input; prints the result
    pkcs11.py MODULE init-pin|set-pin [LABEL]       PUK or PIN, and the new PIN, one a line; prints the result
"""

import ctypes
import sys
from ctypes import POINTER, Structure, byref, c_char, c_ubyte, c_ulong, c_void_p

FUNCTIONS = """Initialize Finalize GetInfo GetFunctionList GetSlotList GetSlotInfo GetTokenInfo GetMechanismList
GetMechanismInfo InitToken InitPIN SetPIN OpenSession CloseSession CloseAllSessions GetSessionInfo GetOperationState
SetOperationState Login Logout CreateObject""".split()

CKF_RW_SESSION = 0x2
CKF_SERIAL_SESSION = 0x4
CKF_TOKEN_INITIALIZED = 0x400
CKU_SO, CKU_USER = 0, 1

RETRY_FLAGS = {
    0x00010000: "USER_PIN_COUNT_LOW",
    0x00020000: "USER_PIN_FINAL_TRY",
    0x00040000: "USER_PIN_LOCKED",
    0x00100000: "SO_PIN_COUNT_LOW",
    0x00200000: "SO_PIN_FINAL_TRY",
    0x00400000: "SO_PIN_LOCKED",
}

RESULTS = {
    0x00: "CKR_OK",
    0x05: "CKR_GENERAL_ERROR",
    0x30: "CKR_DEVICE_ERROR",
    0x32: "CKR_DEVICE_REMOVED",
    0xA0: "CKR_PIN_INCORRECT",
    0xA1: "CKR_PIN_INVALID",
    0xA2: "CKR_PIN_LEN_RANGE",
    0xA4: "CKR_PIN_LOCKED",
    0xE0: "CKR_TOKEN_NOT_PRESENT",
    0x101: "CKR_USER_NOT_LOGGED_IN",
}


class TokenInfo(Structure):
    _fields_ = [
        ("label", c_char * 32),
        ("manufacturer", c_char * 32),
        ("model", c_char * 16),
        ("serial", c_char * 16),
        ("flags", c_ulong),
        ("numbers", c_ulong * 10),
        ("versions", c_ubyte * 4),
        ("time", c_char * 16),
    ]


class Attribute(Structure):
    _fields_ = [("type", c_ulong), ("value", c_void_p), ("length", c_ulong)]


class FunctionList(Structure):
    _fields_ = [("version", c_ubyte * 2)] + [(name, c_void_p) for name in FUNCTIONS]


class Pkcs11Error(Exception):
    def __init__(self, function, result):
        self.result = RESULTS.get(result, hex(result))
        super().__init__(f"C_{function}: {self.result}")


class Module:
    """A loaded and initialised module."""

    def __init__(self, path):
        self._library = ctypes.CDLL(path)
        functions = POINTER(FunctionList)()
        self._library.C_GetFunctionList(byref(functions))
        self._functions = functions.contents
        self.call("Initialize", None)

    def call(self, name, *arguments):
        """Calls C_NAME; integers are passed as CK_ULONG, bytes as a pointer. Raises Pkcs11Error unless CKR_OK."""
        function = ctypes.CFUNCTYPE(c_ulong)(getattr(self._functions, name))
        function.argtypes = None
        converted = [c_ulong(a) if isinstance(a, int) else a for a in arguments]
        result = function(*converted)
        if result != 0:
            raise Pkcs11Error(name, result)

    def slots(self):
        count = c_ulong(0)
        self.call("GetSlotList", 1, None, byref(count))
        slots = (c_ulong * count.value)()
        self.call("GetSlotList", 1, slots, byref(count))
        return list(slots)[: count.value]

    def token_info(self, slot):
        info = TokenInfo()
        self.call("GetTokenInfo", slot, byref(info))
        return info

    def find_slot(self, label=None):
        """The slot of the first initialised token, or of the one with this label (bytes)."""
        for slot in self.slots():
            info = self.token_info(slot)
            if info.flags & CKF_TOKEN_INITIALIZED and label in (None, info.label.rstrip(b" \0")):
                return slot
        raise LookupError("no such token")

    def retry_flags(self, slot):
        flags = self.token_info(slot).flags
        return [name for bit, name in RETRY_FLAGS.items() if flags & bit]

    def open_session(self, slot):
        session = c_ulong()
        self.call("OpenSession", slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, None, None, byref(session))
        return session.value

    def login(self, session, user, code):
        self.call("Login", session, user, code, len(code))

    def init_token(self, slot, puk, label):
        self.call("InitToken", slot, puk, len(puk), label.ljust(32))

    def init_pin(self, session, new_pin):
        self.call("InitPIN", session, new_pin, len(new_pin))

    def set_pin(self, session, old, new):
        self.call("SetPIN", session, old, len(old), new, len(new))

    def create_object(self, session, attributes):
        """@attributes: attribute type to bytes, bool or int."""
        template = (Attribute * len(attributes))()
        values = []
        for attribute, (kind, value) in zip(template, attributes.items()):
            if isinstance(value, bool):
                value = bytes([value])
            elif isinstance(value, int):
                value = value.to_bytes(8, sys.byteorder)
            values.append(ctypes.create_string_buffer(value, len(value)))
            attribute.type = kind
            attribute.value = ctypes.cast(values[-1], c_void_p)
            attribute.length = len(value)
        handle = c_ulong()
        self.call("CreateObject", session, template, len(attributes), byref(handle))

    def finalize(self):
        self.call("Finalize", None)


def main(path, command, label=None):
    module = Module(path)
    slot = module.find_slot(label.encode() if label else None)
    if command == "flags":
        print("\n".join(module.retry_flags(slot)))
        return 0

    codes = sys.stdin.buffer.read().splitlines()
    session = module.open_session(slot)
    try:
        if command == "login":
            module.login(session, CKU_USER, codes[0])
        elif command == "login-so":
            module.login(session, CKU_SO, codes[0])
        elif command == "init-pin":
            module.login(session, CKU_SO, codes[0])
            module.init_pin(session, codes[1])
        elif command == "set-pin":
            module.set_pin(session, codes[0], codes[1])
        else:
            sys.exit(__doc__)
    except Pkcs11Error as error:
        print(error.result)
        return 1
    print("CKR_OK")
    return 0


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
