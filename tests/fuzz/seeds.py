#!/usr/bin/python3 -B
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes the seeds that are not text to seeds/, which holds what it wrote: run it again after a change of their form.

The certificates are made anew, with another key, each time.
"""

import os
import struct
import subprocess
import tempfile

import gi

gi.require_version("Gio", "2.0")
from gi.repository import Gio, GLib  # noqa: E402

HERE = os.path.dirname(os.path.realpath(__file__))
SEEDS = os.path.join(HERE, "seeds")


class Long(int):
    """A number of D-Bus type t."""


# Of org.tokend.Module1.xml.
READING = {
    "manufacturer": b"SafeNet, Inc.", "model": b"eToken", "serial": b"02a1b2c3", "label": b"ETOKEN", "flags": 0x10,
    "pin-minimum-length": 4, "pin-maximum-length": 16, "new-pin-minimum-length": 6, "new-pin-maximum-length": 16,
    "pin-retries-remaining": 2, "pin-retries-maximum": 3, "puk-retries-remaining": 3, "puk-retries-maximum": 3,
    "certificate-issuer": "CN=Issuer,O=Maker,C=TR", "certificate-not-after": Long(1900000000000000),
    "certificate-sha256": bytes(range(32)), "reader": "Virtual PCD 00 00",
}  # fmt: skip
# Of org.tokend.Tokend1.xml.
STATUS = {
    "label": "ETOKEN", "manufacturer": "SafeNet, Inc.", "model": "eToken", "serial": "02a1b2c3", "module": "etoken",
    "module-profile": "etoken", "module-profile-match": {"file": "libeToken.so", "manufacturer": "SafeNet, Inc."},
    "module-profile-override": "/etc/tokend/profiles.d/etoken.conf", "provider-match": {"issuer": "CN=Issuer"},
    "provider": "e-guven", "pin-state": "low", "puk-state": "ok", "pin-retries-remaining": 2, "pin-retries-maximum": 3,
    "pin-retries-source": "token", "puk-retries-remaining": 3, "puk-retries-maximum": 3, "puk-retries-source": "flags",
    "pin-minimum-length": 4, "pin-maximum-length": 16, "pin-characters": "digits", "pin-must-change": True,
    "card-id": "c0ffee", "pin-id": "decade", "preferred": True,
    "pin-shared": False, "can-set-pin": True, "can-unlock": True, "certificate-not-after": Long(1900000000000000),
}  # fmt: skip
CHANGED = {"result": "changed", "sent": False, "token": READING}
RESULTS = ["done", "code-incorrect", "code-locked", "new-pin-refused", "length-refused", "changed", "token-removed"]
RESULTS += ["failed"]
FREE_KEY = 0xFF


def write(target, name, content):
    folder = os.path.join(SEEDS, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content)


def number(value):
    """As fuzz_take_number() takes it."""
    return bytes([value]) if value < 0xFF else b"\xff" + struct.pack(">Q", value)


def text(value):
    return bytes([len(value)]) + value


def dictionary(values):
    """As fuzz_take_dictionary() takes it."""
    content = bytes([len(values)])
    for key, value in values.items():
        content += bytes([FREE_KEY]) + text(key.encode())
        if isinstance(value, bool):
            content += bytes([3, value])
        elif isinstance(value, Long):
            content += bytes([4]) + number(value)
        elif isinstance(value, int):
            content += bytes([2]) + number(value)
        elif isinstance(value, bytes):
            content += bytes([1]) + text(value)
        elif isinstance(value, dict):
            content += bytes([5, len(value)])
            for name, words in value.items():
                content += bytes([FREE_KEY]) + text(name.encode()) + text(words.encode())
        else:
            content += bytes([0]) + text(value.encode())
    return content


def variant(values):
    types = {bool: "b", int: "u", Long: "t", str: "s", bytes: "ay"}
    return {
        key: GLib.Variant("a{sv}", variant(value)) if isinstance(value, dict) else GLib.Variant(types[type(value)], value)
        for key, value in values.items()
    }


def reply(serial, body):
    """A D-Bus message. The calls' serials are, from Load on, 1 to 5."""
    message = Gio.DBusMessage.new()
    message.set_message_type(Gio.DBusMessageType.METHOD_RETURN)
    message.set_serial(serial)
    message.set_reply_serial(serial)
    if body is not None:
        message.set_body(body)
    return message.to_blob(Gio.DBusCapabilityFlags.NONE)


def failure(serial, name, words):
    message = Gio.DBusMessage.new()
    message.set_message_type(Gio.DBusMessageType.ERROR)
    message.set_serial(serial)
    message.set_reply_serial(serial)
    message.set_error_name(name)
    message.set_body(GLib.Variant("(s)", (words,)))
    return message.to_blob(Gio.DBusCapabilityFlags.NONE)


def write_host():
    prepared = GLib.Variant("(a{sv}ay)", (variant(READING), bytes(32)))
    answers = [
        reply(2, GLib.Variant("(aa{sv}sas)", ([variant(READING)], "unknown-card", ["Reader"]))),
        reply(3, None),
        reply(4, prepared),
        reply(5, GLib.Variant("(a{sv})", (variant(CHANGED),))),
    ]
    errors = [
        failure(2, "org.tokend.Tokend1.Error.ModuleFailed", "C_GetSlotList: CKR_DEVICE_ERROR"),
        failure(3, "org.tokend.Tokend1.Error.NotSupported", "It cannot wait"),
        failure(4, "org.tokend.Tokend1.Error.PinPolicy", "The new PIN is too short"),
        failure(5, "org.freedesktop.DBus.Error.NoReply", "\u202eright to left"),
    ]
    lines = b"OK 0123456789abcdef0123456789abcdef\r\nAGREE_UNIX_FD\r\n"
    write("host", "answers", b"\1" + b"".join(answers))
    write("host", "errors", b"\1" + b"".join(reversed(errors)))
    write("host", "authentication", b"\0" + lines + reply(1, GLib.Variant("(a{sv})", ({},))))
    write("host", "rejected", b"\0REJECTED ANONYMOUS\r\nOK 1\r\n")


def write_dictionaries():
    locked = READING | {"flags": 0x1D, "label": b"\xe2\x80\xae\x1b[2J", "pin-retries-remaining": 0}
    write("reading", "etoken", dictionary(READING))
    write("reading", "locked", dictionary(locked))
    write("reading", "unread", dictionary(READING | {"unread": "C_GetTokenInfo: CKR_DEVICE_ERROR \u202e"}))
    write("reading", "absurd", dictionary(READING | {"pin-retries-maximum": 2**32 - 1, "pin-retries-remaining": 7}))
    write("reading", "spared", dictionary(READING | {"spared": True, "pending": True}))
    for result in RESULTS:
        outcome = {"result": result, "sent": result != "changed", "reason": "C_InitPIN: CKR_DEVICE_ERROR"}
        write("outcome", result, b"\1\1" + dictionary(outcome))
    twin = STATUS | {"serial": "02a1ffff", "pin-state": "locked", "puk-state": "final-try", "puk-retries-remaining": 1}
    odd = {"label": "-x 'y'\n", "serial": "", "pin-state": "unknown", "puk-retries-source": "ledger"}
    for target in "client-status", "notify":
        write(target, "twins", dictionary(STATUS) + dictionary(twin))
        write(target, "odd", dictionary(odd) + dictionary(STATUS))


def write_options():
    options = {"final-attempt": True, "expected-retries": 3, "send-refused-code": False}
    write("attempt", "unusual", dictionary({"send-unusual-code": True}) + bytes([1, 1, 3, 1]))
    write("attempt", "all", dictionary(options) + bytes([0, 0, 4, 1]))
    write("attempt", "final", dictionary({"final-attempt": True}) + bytes([0, 2, 2, 0]))
    write("attempt", "refused", dictionary({"send-refused-code": True}) + bytes([1, 1, 3, 1]))
    write("attempt", "unknown", dictionary(options | {"force": True}))
    write("attempt", "wrong-type", dictionary({"expected-retries": "3"}))


def write_readers():
    names = [b"Virtual PCD 00 00", b"Reader [CCID] (1;{}) # 01 00"]
    write("opensc-readers", "two", bytes([len(names)]) + b"".join(map(text, names)))
    for name, reader in {"quote": b'A"; debug = 9; "', "lines": b"A\r\nB", "slash": b"A\\", "empty": b""}.items():
        write("opensc-readers", name, bytes([1]) + text(reader))


def write_answers():
    answers = {
        "openpgp-name": "D27600012401 0304 FFFF 02A0B1C1 0000",
        "openpgp-tries": "01 7F 7F 7F 03 00 03",
        "kdf": "81 01 03 82 01 08 83 04 000186A0 84 08 3031323334353637",
        "piv": "7E12 4F0BA000000308000010000100 5F2F024000",
        "metadata": "01 01 FF 05 01 01 06 02 03 03",
        "verify": "63C3",
    }
    for name, answer in answers.items():
        write("card-answer", name, bytes.fromhex(answer))


def write_words():
    text = b'# OpenSC\napp default {\n  ignored_readers = "CardMan 1021", SPR;\n  card_drivers = openpgp, internal;\n'
    write("opensc-words", "default", text + b"  reader_driver pcsc {\n    ignored_readers = no;\n  }\n}\n")
    write("opensc-words", "apps", text + b"}\napp opensc-pkcs11 { card_drivers = old; }\napp other { a = \"b")


def token_info(flags):
    fields = b"SafeNet, Inc.".ljust(32) + b"eToken".ljust(16) + b"02a1b2c3".ljust(16)
    return b"ETOKEN".ljust(32) + fields + struct.pack("<11Q", flags, 0, 0, 0, 0, 16, 4, 0, 0, 0, 0) + bytes(24)


def write_token(certificate):
    """As a module is asked, call by call, and a byte that lets each one succeed."""
    flags = 0x40C  # initialised, with a PIN
    found = b"\0" + number(1) + b"\0\0"  # init, count, find, final

    def attribute(value):
        return number(len(value)) + b"\0" + number(len(value)) + value + b"\0"

    info = number(1) + b"\0" + number(1) + b"\0" + token_info(flags) + b"\1\0"
    found_all = b"\0" + number(1) + b"\0" + number(0) + b"\0\0"  # until no more are found
    signing = b"\0" + found_all + attribute(certificate) + b"\0"
    numbers = [2, 3, 3, 3, 1]
    counters = found + b"".join(attribute(struct.pack("<I", value)) for value in numbers)
    policy = found + attribute(b"\6") + attribute(b"\x10")
    write("token", "etoken", info + b"\0" + counters + policy + b"\0" + signing)
    write("token", "silent", number(1) + b"\0" + number(1) + b"\0" + token_info(flags) + b"\0\0" + b"\xff" * 8)


def make_certificate(*extensions):
    with tempfile.TemporaryDirectory() as folder:
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-keyout", "/dev/null", "-outform", "DER", "-out", f"{folder}/der", "-utf8", "-days", "3650"]
        command += ["-subj", "/C=TR/O=İmza, Inc.\u202e/CN=Ada"]
        for extension in extensions:
            command += ["-addext", extension]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        with open(f"{folder}/der", "rb") as file:
            return file.read()


def main():
    person = make_certificate("basicConstraints=critical,CA:false", "keyUsage=critical,nonRepudiation")
    write("certificate", "person", person)
    write("certificate", "authority", make_certificate("basicConstraints=critical,CA:true"))
    write("counter", "final", bytes([1, 0, 1, 0, 0, 4, 1, 0, 4, 1, 0]))
    write("counter", "number", bytes([1, 1, 0, 0, 3, 4, 0, 0, 4, 0, 0]))
    write_token(person)
    write_host()
    write_dictionaries()
    write_options()
    write_readers()
    write_answers()
    write_words()
    write("code", "digits", bytes([4, 8, 4, 16, 1]) + b"123456")
    with open(os.path.join(HERE, "../codes.tsv"), encoding="utf-8") as table:
        rows = [line.split("\t") for line in table if not line.startswith("#")]
    for row, (code, _, answer, *_) in enumerate(rows):
        if len(code) < 40 and answer != "send":
            write("code-check", f"{answer}-{row}", bytes.fromhex(code))
    write("code", "long", bytes([4, 255, 4, 255, 0]) + b"1" * 256)
    write("code", "letters", bytes([4, 8, 4, 16, 0]) + "şifre\n".encode())


main()
