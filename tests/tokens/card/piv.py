# SPDX-License-Identifier: LGPL-2.1-or-later
"""A card of NIST SP 800-73-4, "Interfaces for Personal Identity Verification", with the key for PIV Authentication.

The sections named below are those of part 2, unless it says otherwise.
"""

import apdu
from apdu import Refusal
from card import Card, make_atr
from pin import Code
from tlv import decode, encode

PROVIDER = bytes.fromhex("A0 0000 0308")
AID = PROVIDER + bytes.fromhex("0000 1000 0100")

# Compact TLV (ISO 7816-4, 8.1.1): the application identifier
HISTORICAL = b"\x80" + bytes([0xF0 | len(AID)]) + AID

# Key references (part 1, table 4): the application's PIN, the PUK, PIV Authentication
PIN, PUK, AUTHENTICATION_KEY = 0x80, 0x81, 0x9A
# Algorithms (SP 800-78-4, table 6-2)
RSA_ALGORITHMS = {1024: 0x06, 2048: 0x07}

# The historical bytes of a YubiKey 5: compact TLV with capabilities and the issuer's data. GET METADATA is its own instruction,
# from firmware 5.3 on (developers.yubico.com, PIV, "Yubico extensions").
YUBIKEY_HISTORICAL = bytes.fromhex("80 73C021C0 57") + b"YubiKey"

CODE_LENGTH = 8
PADDING = b"\xff"
SHORTEST_PIN = 6

# Where the card says nothing of itself: an agency code of 9999 stands for "see the GUID" (part 1, 3.1.2)
FASC_N = bytes.fromhex("D4E739DA739CED39CE739DA1685A1082108CE73984108CA3FC")
EXPIRES = b"20401231"


class PIVCard(Card):
    selected_at_first = True  # part 1, 2.3: it is the default application

    def __init__(self, settings, key, certificate):
        """settings: serial (8 hexadecimal digits, the end of the GUID), pin, puk, more: maker, discovery, protocol.

        maker=yubico: a YubiKey 5 by its ATR and instructions; discovery=no: without the object that tells what it is.
        """
        more = settings["more"]
        is_yubikey = more.get("maker") == "yubico"
        self.pin = Code(settings["pin"].encode().ljust(CODE_LENGTH, PADDING))
        self.puk = Code(settings["puk"].encode().ljust(CODE_LENGTH, PADDING))
        atr = make_atr(YUBIKEY_HISTORICAL if is_yubikey else HISTORICAL, more.get("protocol", "1"))
        super().__init__(atr, AID, {"pin": self.pin, "puk": self.puk})
        self.commands = {
            apdu.GET_DATA_ODD: self.get_data,
            apdu.VERIFY: self.verify,
            apdu.CHANGE_REFERENCE_DATA: self.change_reference_data,
            apdu.RESET_RETRY_COUNTER: self.reset_retry_counter,
            apdu.GENERAL_AUTHENTICATE: self.general_authenticate,
        }
        if is_yubikey:
            self.commands[apdu.GET_METADATA] = self.get_metadata
        self._key = key
        self._objects = make_objects(settings["serial"], certificate)
        if more.get("discovery") == "no":
            del self._objects[b"\x7e"]
        self._verified = False

    def forget(self):
        self._verified = False

    def describe(self):
        """3.1.1: the application's identifier without its provider, and the provider."""
        return encode(0x61, encode(0x4F, AID[5:]), encode(0x79, encode(0x4F, PROVIDER)))

    def get_data(self, command):
        """3.1.2"""
        if command.p1_p2 != 0x3FFF:
            raise Refusal(apdu.WRONG_P1_P2)
        tag = decode(command.data).get(0x5C)
        if tag not in self._objects:
            raise Refusal(apdu.FILE_NOT_FOUND)
        return self._objects[tag]

    # The PIN and the PUK

    def get_metadata(self, command):
        """Of PIN or PUK: the algorithm, none; whether it is the factory's; how many tries there are, and are left."""
        codes = {PIN: self.pin, PUK: self.puk}
        if command.p1 != 0 or command.p2 not in codes:
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        tries = bytes([codes[command.p2].maximum, codes[command.p2].remaining])
        return encode(0x01, b"\xff") + encode(0x05, b"\0") + encode(0x06, tries)

    def verify(self, command):
        """3.2.1; with P1 = FF it is a log-out, without data it asks how things stand. There is no VERIFY of the PUK."""
        if command.p2 != PIN:
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        if command.p1 == 0xFF and not command.data:
            self.forget()
        elif command.p1 != 0:
            raise Refusal(apdu.WRONG_P1_P2)
        elif command.data:
            self.forget()
            # One that cannot be a PIN, too short for instance, may be refused at no cost, or count: here it counts.
            self.pin.check(command.data)
            self._verified = True
        elif not self._verified:
            raise Refusal(self.pin.state())

    def change_reference_data(self, command):
        """3.2.2: of PIN or PUK. A new value that cannot be is refused before the old one is looked at."""
        codes = {PIN: self.pin, PUK: self.puk}
        if command.p1 != 0 or command.p2 not in codes:
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        code = codes[command.p2]
        old, new = split(command.data)
        check_new(new, SHORTEST_PIN if command.p2 == PIN else CODE_LENGTH, command.p2 == PIN)
        if command.p2 == PIN:
            self.forget()
        code.check(old)
        code.set(new)
        self._verified = self._verified or command.p2 == PIN

    def reset_retry_counter(self, command):
        """3.2.3: the PUK and the new PIN."""
        if command.p1 != 0 or command.p2 != PIN:
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        puk, new = split(command.data)
        check_new(new, SHORTEST_PIN, True)
        self.puk.check(puk)
        self.pin.set(new)

    # The key

    def general_authenticate(self, command):
        """3.2.4, of which the private operation on a padded block is there."""
        algorithm = RSA_ALGORITHMS.get(self._key.length * 8)
        if command.p1 != algorithm or command.p2 != AUTHENTICATION_KEY:
            raise Refusal(apdu.WRONG_P1_P2)
        if not self._verified:
            raise Refusal(apdu.SECURITY_STATUS_NOT_SATISFIED)
        template = decode(decode(command.data).get(0x7C, b""))
        if template.get(0x82) != b"" or len(template.get(0x81, b"")) != self._key.length:
            raise Refusal(apdu.WRONG_DATA)
        return encode(0x7C, encode(0x82, self._key.apply(template[0x81])))


def split(data):
    """Two codes, one after the other, each filled to its full length."""
    if len(data) != 2 * CODE_LENGTH:
        raise Refusal(apdu.WRONG_LENGTH)
    return data[:CODE_LENGTH], data[CODE_LENGTH:]


def check_new(value, shortest, digits):
    """2.4.3: a PIN has 6 to 8 digits."""
    text = value.rstrip(PADDING)
    if len(text) < shortest or (digits and not text.isdigit()):
        raise Refusal(apdu.WRONG_DATA)


def make_objects(serial, certificate):
    """The data objects (part 1, appendix A) by their tags."""
    guid = bytes.fromhex(serial).rjust(16, b"\0")
    end = encode(0xFE)
    capabilities = [
        encode(0xF0, b"\xa0\0\0\x01\x16\xff\x02" + guid[2:]),
        encode(0xF1, b"\x21"),
        encode(0xF2, b"\x21"),
    ]
    capabilities += [encode(0xF3), encode(0xF4, b"\0"), encode(0xF5, b"\x10")]
    capabilities += [encode(tag) for tag in (0xF6, 0xF7, 0xFA, 0xFB, 0xFC, 0xFD)]
    holder = [encode(0x30, FASC_N), encode(0x34, guid), encode(0x35, EXPIRES), encode(0x3E)]
    authentication = [encode(0x70, certificate), encode(0x71, b"\0")]
    return {
        bytes.fromhex("5FC107"): encode(0x53, *capabilities, end),
        bytes.fromhex("5FC102"): encode(0x53, *holder, end),
        bytes.fromhex("5FC105"): encode(0x53, *authentication, end),
        # Of the codes, the application's PIN alone is there
        bytes.fromhex("7E"): encode(0x7E, encode(0x4F, AID), encode(0x5F2F, b"\x40\x00")),
    }
