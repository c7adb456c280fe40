# SPDX-License-Identifier: LGPL-2.1-or-later
"""A card with a file system that describes what is on it, as ISO/IEC 7816-15 (PKCS #15) has it.

The files are read-only. There is a PIN, or there are two, each with a key of its own; and for a PIN that is forgotten
either its PUK, which RESET RETRY COUNTER takes, or a security officer's PIN, which is verified before it. Sections
without a document are those of PKCS #15 1.1, whose names for the structures are used below.
"""

import apdu
from apdu import Refusal
from card import Card, make_atr
from kinds import SIGN_PIN, SIGN_PUK
from pin import Code
from tlv import decode, encode

# What OpenSC's driver for the IsoApplet knows such a card by
AID = bytes.fromhex("F276A288BCFBA69D34F31001")
PKCS15_AID = bytes.fromhex("A000000063504B43532D3135")

# Category indicator, no services, capabilities: command chaining
HISTORICAL = bytes.fromhex("80 73 000080")

# File identifiers (5.4, 5.7 and 5.8); of the directories that the object directory names, as one likes
MF, DIR, APPLICATION = 0x3F00, 0x2F00, 0x5015
OBJECTS, TOKEN_INFO = 0x5031, 0x5032
PINS, PRIVATE_KEYS, CERTIFICATES, CERTIFICATE = 0x4401, 0x4402, 0x4403, 0x4301

PIN, PUK, SECOND_PIN, SECOND_PUK = 1, 2, 3, 4  # references
KEY, SECOND_KEY = 1, 2
PIN_OF_KEY = {KEY: PIN, SECOND_KEY: SECOND_PIN}
PUK_TRIES = 5
PINS_ROOM = 256  # in the file that describes the PINs, where there is none yet
LENGTHS = range(4, 17)
RSA_PADDED = 0x11  # the algorithm: padding as in PKCS #1

# What this kind of card answers when no try is left, instead of 6983
NO_TRY_LEFT = apdu.TRIES_LEFT

# ASN.1
BIT_STRING, OCTET_STRING, ENUMERATED, UTF8_STRING, SEQUENCE = 0x03, 0x04, 0x0A, 0x0C, 0x30


def explicit(number, *parts):
    """A part behind a context-specific tag of its own."""
    return encode(0xA0 | number, *parts)


class PKCS15Card(Card):
    def __init__(self, settings, key, certificate):
        """settings: serial (8 hexadecimal digits), pin, puk, more: so-pin (yes: the PUK is a security officer's PIN),
        pins (2: there is another one; 0: there is none yet, nor a PUK)."""
        has_so_pin, pins = settings["more"].get("so-pin") == "yes", settings["more"].get("pins", "1")
        has_two_pins, has_no_pin = pins == "2", pins == "0"
        self.pin = make_pin(None if has_no_pin else settings["pin"])
        self.puk = make_puk(None if has_no_pin else settings["puk"])
        codes = {"pin": self.pin, "puk": self.puk}
        self._codes, self._puk_of_pin = {PIN: self.pin, PUK: self.puk}, {PIN: PUK}
        if has_two_pins:
            self._codes[SECOND_PIN] = codes["sign-pin"] = make_pin(SIGN_PIN)
            self._puk_of_pin[SECOND_PIN] = PUK
        if has_two_pins and not has_so_pin:
            self._codes[SECOND_PUK] = codes["sign-puk"] = make_puk(SIGN_PUK)
            self._puk_of_pin[SECOND_PIN] = SECOND_PUK
        super().__init__(make_atr(HISTORICAL), AID, codes)
        self.commands = {
            apdu.READ_BINARY: self.read_binary,
            apdu.UPDATE_BINARY: self.update_binary,
            apdu.VERIFY: self.verify,
            apdu.CHANGE_REFERENCE_DATA: self.change_reference_data,
            apdu.RESET_RETRY_COUNTER: self.reset_retry_counter,
            apdu.MANAGE_SECURITY_ENVIRONMENT: self.manage_security_environment,
            apdu.PERFORM_SECURITY_OPERATION: self.compute_digital_signature,
        }
        self._key = key
        self._has_so_pin = has_so_pin
        pins = bytes(PINS_ROOM) if has_no_pin else make_pins(self._puk_of_pin, has_so_pin)
        self._files = make_files(bytes.fromhex(settings["serial"]), pins, has_two_pins, key, certificate)
        self.forget()

    def forget(self):
        self._verified = set()
        self._key_in_use = None
        self._file = MF

    def select(self):
        """Again, it changes nothing: what is verified is so until a reset."""
        if not self.selected:
            self.forget()
        super().select()

    def describe(self):
        return b""

    # Files (ISO 7816-4, 7)

    def select_file(self, command):
        """11.2.2: by identifier, or by a path from the MF or the application; each identifier occurs once."""
        if not self.selected:
            raise Refusal(apdu.FILE_NOT_FOUND)
        if command.p1 not in (0, 1, 2, 8, 9):
            raise Refusal(apdu.WRONG_P1_P2)
        identifier = int.from_bytes(command.data[-2:], "big") if command.data else MF
        if identifier not in (MF, APPLICATION) and identifier not in self._files:
            raise Refusal(apdu.FILE_NOT_FOUND)
        self._file = identifier
        return self._control_information() if command.p2 & 0x0C == 0 else b""

    def _control_information(self):
        """7.4.3: length, descriptor byte (transparent EF, or DF), identifier."""
        content = self._files.get(self._file)
        parts = [encode(0x82, b"\x38" if content is None else b"\x01"), encode(0x83, self._file.to_bytes(2, "big"))]
        if content is not None:
            parts.insert(0, encode(0x80, len(content).to_bytes(2, "big")))
        return encode(0x6F, *parts)

    def read_binary(self, command):
        """11.3.3: of the selected file, from an offset on."""
        if self._file not in self._files:
            raise Refusal(apdu.CONDITIONS_NOT_SATISFIED)
        if command.p1 & 0x80 or command.p1_p2 > len(self._files[self._file]):
            raise Refusal(apdu.WRONG_OFFSET)
        return self._files[self._file][command.p1_p2 :][: command.le or 0]

    def update_binary(self, command):
        """11.3.5: likewise; what is written beyond the end makes the file longer."""
        if self._file not in self._files:
            raise Refusal(apdu.CONDITIONS_NOT_SATISFIED)
        content, offset = self._files[self._file], command.p1_p2
        if command.p1 & 0x80 or offset > len(content):
            raise Refusal(apdu.WRONG_OFFSET)
        self._files[self._file] = content[:offset] + command.data + content[offset + len(command.data) :]

    # Codes (ISO 7816-4, 11.5)

    def _code(self, command):
        if command.p2 not in self._codes:
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        return self._codes[command.p2]

    def verify(self, command):
        """11.5.6; without data it asks how things stand."""
        code = self._code(command)
        if command.p1 != 0 or (command.p2 not in self._puk_of_pin and not self._has_so_pin):
            raise Refusal(apdu.WRONG_P1_P2)
        if command.data:
            self._verified.discard(command.p2)
            code.check(command.data)
            self._verified.add(command.p2)
        elif command.p2 not in self._verified:
            raise Refusal(code.state())

    def change_reference_data(self, command):
        """11.5.7: the old one and the new one; or the first one alone (P1 = 01)."""
        code = self._code(command)
        if command.p1 == 1 and code.value is None:
            code.set(new_value(command.data))
            return
        if command.p1 != 0:
            raise Refusal(apdu.WRONG_P1_P2)
        old, new = code.split(command.data)
        code.check(old)
        code.set(new_value(new))

    def reset_retry_counter(self, command):
        """11.5.10: the PUK and a new PIN (P1 = 00), or a new PIN alone once the security officer's is verified (P1 = 02)."""
        if command.p2 not in self._puk_of_pin:
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        new = command.data
        if command.p1 == 2 and self._has_so_pin:
            if PUK not in self._verified:
                raise Refusal(apdu.SECURITY_STATUS_NOT_SATISFIED)
        elif command.p1 == 0:
            puk = self._codes[self._puk_of_pin[command.p2]]
            given, new = puk.split(command.data)
            puk.check(given)
        else:
            raise Refusal(apdu.WRONG_P1_P2)
        self._codes[command.p2].set(new_value(new))

    # The key (ISO 7816-4, 11.5.11, and 7816-8)

    def manage_security_environment(self, command):
        """Sets algorithm (80) and private key (84) for a signature."""
        if command.p1_p2 != 0x41B6:
            raise Refusal(apdu.WRONG_P1_P2)
        wanted = decode(command.data)
        key = int.from_bytes(wanted.get(0x84, b""), "big")
        if PIN_OF_KEY.get(key) not in self._puk_of_pin or wanted.get(0x80) != bytes([RSA_PADDED]):
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        self._key_in_use = key

    def compute_digital_signature(self, command):
        if command.p1_p2 != 0x9E9A:
            raise Refusal(apdu.WRONG_P1_P2)
        if PIN_OF_KEY[self._key_in_use or KEY] not in self._verified:
            raise Refusal(apdu.SECURITY_STATUS_NOT_SATISFIED)
        if self._key_in_use is None:
            raise Refusal(apdu.CONDITIONS_NOT_SATISFIED)
        if not 0 < len(command.data) <= self._key.length - 11:
            raise Refusal(apdu.WRONG_DATA)
        return self._key.sign(command.data)


def make_pin(value):
    return Code(value and value.encode(), blocked=NO_TRY_LEFT)


def make_puk(value):
    return Code(value and value.encode(), maximum=PUK_TRIES, blocked=NO_TRY_LEFT)


def new_value(value):
    if len(value) not in LENGTHS:
        raise Refusal(apdu.WRONG_DATA)
    return value


# What the files hold


def integer(value, tag=0x02):
    return encode(tag, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def bits(*numbers):
    """A BIT STRING in which these are set; the first bit has the number 0."""
    length = max(numbers, default=-1) + 1
    unused = -length % 8
    value = sum(1 << (length + unused - 1 - number) for number in numbers)
    return encode(BIT_STRING, bytes([unused]), value.to_bytes((length + 7) // 8, "big"))


def sequence(*parts):
    return encode(SEQUENCE, *parts)


def path(identifier):
    identifiers = (MF, APPLICATION, identifier) if identifier != APPLICATION else (MF, APPLICATION)
    return sequence(encode(OCTET_STRING, *(part.to_bytes(2, "big") for part in identifiers)))


def text(value):
    return encode(UTF8_STRING, value.encode())


def code_object(label, flags, reference, unblocked_by=None):
    """An authentication object (6.8): flags are numbers of PinFlags' bits."""
    common = [text(label), bits(0, 1)]  # private, modifiable
    if unblocked_by:
        common.append(encode(OCTET_STRING, bytes([unblocked_by])))
    # The type: UTF-8; its shortest and stored lengths, its longest, the reference
    kind = encode(ENUMERATED, b"\2")
    lengths = [integer(LENGTHS[0]), integer(LENGTHS[-1]), integer(LENGTHS[-1])]
    attributes = sequence(bits(*flags), kind, *lengths, integer(reference, 0x80), path(APPLICATION))
    return sequence(sequence(*common), sequence(encode(OCTET_STRING, bytes([reference]))), explicit(1, attributes))


def make_pins(puk_of_pin, has_so_pin):
    """The authentication objects: each PIN, and what unblocks it."""
    # PinFlags (6.8.2): case-sensitive, local, initialized; unblocking PIN, security officer's PIN
    usual, unblocking, security_officer = (0, 1, 4), 6, 7
    described = b""
    for pin, puk in puk_of_pin.items():
        name = "User PIN" if pin == PIN else "Sign PIN"
        described += code_object(name, usual, pin, None if has_so_pin else puk)
        if not has_so_pin:
            described += code_object("PUK" if pin == PIN else "Sign PUK", (*usual, unblocking), puk)
    if has_so_pin:
        described += code_object("Security officer PIN", (*usual, security_officer), PUK)
    return described


def make_private_key(label, number, key):
    return sequence(
        sequence(text(label), bits(0), encode(OCTET_STRING, bytes([PIN_OF_KEY[number]]))),
        # to sign, non-repudiation; sensitive, local
        sequence(encode(OCTET_STRING, bytes([number])), bits(2, 9), bits(0, 2, 3), integer(number)),
        explicit(1, sequence(path(APPLICATION), integer(key.length * 8))),
    )


def make_certificate(label, number):
    return sequence(
        sequence(text(label), bits()),
        sequence(encode(OCTET_STRING, bytes([number]))),
        explicit(1, sequence(path(CERTIFICATE))),
    )


def make_files(serial, pins, has_two_pins, key, certificate):
    """From identifier to content. Of two PINs each has a key, which is the same one: it is the PIN that matters."""
    names = {KEY: "Authentication", SECOND_KEY: "Signature"} if has_two_pins else {KEY: "Signature"}
    return {
        # 5.4.2: the application's name, its label, and where it is
        DIR: encode(
            0x61,
            encode(0x4F, PKCS15_AID),
            encode(0x50, b"PKCS#15"),
            encode(0x51, MF.to_bytes(2, "big"), APPLICATION.to_bytes(2, "big")),
        ),
        # 6.9: version 1, serial number, manufacturer, label, flags: login required
        TOKEN_INFO: sequence(
            integer(0),
            encode(OCTET_STRING, serial),
            text("Simulated maker"),
            encode(0x80, b"PKCS15-CARD"),
            bits(1),
        ),
        # 6.2
        OBJECTS: explicit(0, path(PRIVATE_KEYS)) + explicit(4, path(CERTIFICATES)) + explicit(8, path(PINS)),
        PINS: pins,
        PRIVATE_KEYS: b"".join(make_private_key(name, number, key) for number, name in names.items()),
        CERTIFICATES: b"".join(make_certificate(name, number) for number, name in names.items()),
        CERTIFICATE: certificate,
    }
