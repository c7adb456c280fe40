# SPDX-License-Identifier: LGPL-2.1-or-later
"""A card of the "Functional Specification of the OpenPGP application on ISO Smart Card Operating Systems", version 3.4, or
2.1 as far as OpenSC can tell.

The sections named below are that document's. It has a signature key and a certificate, both put in when the card is made.
"""

import hashlib

import apdu
from apdu import Refusal
from card import Card, make_atr
from pin import Code
from tlv import decode, encode

AID = bytes.fromhex("D276 0001 2401")
# By the setting: the version in the AID (4.2.1), and the extended capabilities (4.4.3.7): PW status changeable; certificates
# up to 2048 bytes; other objects up to 255, or, before version 3, commands and responses up to 2048.
VERSIONS = {
    "3.4": (bytes.fromhex("0304"), bytes.fromhex("10 00 0000 0800 00FF 00 00")),
    "2.1": (bytes.fromhex("0201"), bytes.fromhex("10 00 0000 0800 0800 0800")),
}
TEST_MANUFACTURER = bytes.fromhex("FFFF")

# Historical bytes (6): services, capabilities (command chaining, extended length), operational, 9000
HISTORICAL = bytes.fromhex("00 31F5 73C001C0 05 9000")
# Extended length information (4.1.3.1): the longest command and response
LENGTHS = bytes.fromhex("0202 1000 0202 1000")

# References of the passwords (4.3): PW1 for a signature, PW1 for all else, the Admin PIN
PW1_SIGNING, PW1, PW3 = 0x81, 0x82, 0x83
LONGEST = 127
SHORTEST = {"pin": 6, "puk": 8, "reset-code": 8}

# The keys of an application template by the tag of their control reference template (7.2.14)
SIGNATURE_KEY = 0xB6

# KDF-DO (4.3.2): the salts of PW1, the resetting code and the Admin PIN, and how many bytes are hashed
SALTS = {"pin": bytes.fromhex("3031323334353637"), "reset-code": bytes(8), "puk": bytes.fromhex("4142434445464748")}
HASHED = 100000

CREATED = (1700000000).to_bytes(4, "big")


class OpenPGPCard(Card):
    shortest_aid = 6

    def __init__(self, settings, key, certificate):
        """settings: serial (8 hexadecimal digits), pin, puk, more: version, wrong-code, locked-code, kdf, protocol.

        For a wrong password the specification has 6982, "PW wrong"; there are cards that answer 63Cx as others do. For one
        that is blocked it has 6983; there are cards that answer 6982 to that as well. With kdf=on the card knows hashes, and
        takes nothing else for a password; with kdf=off it could.
        """
        wrong = None if settings["more"].get("wrong-code") == "63cx" else apdu.SECURITY_STATUS_NOT_SATISFIED
        is_alike = settings["more"].get("locked-code") == "6982"
        blocked = apdu.SECURITY_STATUS_NOT_SATISFIED if is_alike else apdu.METHOD_BLOCKED
        self._kdf = settings["more"].get("kdf")
        self._unread_kdf = int(settings["more"].get("unread-kdf", "0"))
        self.pin = Code(self._stored("pin", settings["pin"]), wrong=wrong, blocked=blocked)
        self.puk = Code(self._stored("puk", settings["puk"]), wrong=wrong, blocked=blocked)
        self.reset_code = Code(None, wrong=wrong, blocked=blocked)
        codes = {"pin": self.pin, "puk": self.puk, "reset-code": self.reset_code}
        version, self._capabilities = VERSIONS[settings["more"].get("version", "3.4")]
        aid = AID + version + TEST_MANUFACTURER + bytes.fromhex(settings["serial"]) + bytes(2)
        if self._kdf:
            self._capabilities = bytes([self._capabilities[0] | 0x01]) + self._capabilities[1:]
        super().__init__(make_atr(HISTORICAL, settings["more"].get("protocol", "1")), aid, codes)
        self.commands = {
            apdu.SELECT_DATA: self.select_data,
            apdu.GET_DATA: self.get_data,
            apdu.PUT_DATA: self.put_data,
            apdu.VERIFY: self.verify,
            apdu.CHANGE_REFERENCE_DATA: self.change_reference_data,
            apdu.RESET_RETRY_COUNTER: self.reset_retry_counter,
            apdu.GENERATE_KEY_PAIR: self.generate_key_pair,
            apdu.PERFORM_SECURITY_OPERATION: self.compute_digital_signature,
        }
        self._key = key
        # In the order of its occurrences: for authentication, decryption, signature
        self._certificates = [b"", b"", certificate]
        self._occurrence = 0
        self._verified = set()
        self._signatures = 0
        self._pin_for_many = 0

    def _stored(self, name, password):
        return hash_password(name, password) if self._kdf == "on" else password.encode()

    def forget(self):
        self._verified.clear()

    def select(self):
        """7.2.1; the access status does not outlive it."""
        super().select()
        self._occurrence = 0
        self.forget()

    def describe(self):
        return encode(0x6F, encode(0x84, self.aid))

    # Data objects (4.4)

    def select_data(self, command):
        """7.2.5: which of the certificates GET DATA is about."""
        wanted = decode(decode(command.data).get(0x60, b"")).get(0x5C)
        if command.p2 != 4 or wanted != b"\x7f\x21" or command.p1 >= len(self._certificates):
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        self._occurrence = command.p1

    def get_data(self, command):
        """7.2.6. Of a constructed object the answer is the content, without the object's own tag."""
        objects = {
            0x004F: lambda: self.aid,
            0x005E: lambda: b"",
            0x0065: lambda: encode(0x5B) + encode(0x5F2D, b"en") + encode(0x5F35, b"9"),
            0x006E: self._application_data,
            0x007A: lambda: encode(0x93, self._signatures.to_bytes(3, "big")),
            0x00C4: self._password_status,
            0x5F50: lambda: b"",
            0x5F52: lambda: HISTORICAL,
            0x7F21: lambda: self._certificates[self._occurrence],
        }
        if self._kdf:
            objects[0x00F9] = self._kdf_data
        if command.p1_p2 not in objects:
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        return objects[command.p1_p2]()

    def _application_data(self):
        discretionary = [
            encode(0xC0, self._capabilities),
            *(encode(tag, self._algorithm()) for tag in (0xC1, 0xC2, 0xC3)),
            encode(0xC4, self._password_status()),
            encode(0xC5, self._fingerprint() + bytes(40)),
            encode(0xC6, bytes(60)),
            encode(0xCD, CREATED + bytes(8)),
            encode(0xDE, bytes.fromhex("0102 0200 0300")),  # the first key is imported, the others are not there
        ]
        return (
            encode(0x4F, self.aid)
            + encode(0x5F52, HISTORICAL)
            + encode(0x7F66, LENGTHS)
            + encode(0x73, *discretionary)
        )

    def _algorithm(self):
        """4.4.3.9: RSA, the bits of modulus and exponent, keys are imported in the standard format."""
        bits = [number.bit_length().to_bytes(2, "big") for number in (self._key.modulus, self._key.exponent)]
        return b"\1" + b"".join(bits) + b"\0"

    def _password_status(self):
        """4.4.2: what PW1 is good for, the greatest lengths, and the tries, of PW1, resetting code and PW3."""
        tries = [code.remaining for code in (self.pin, self.reset_code, self.puk)]
        return bytes([self._pin_for_many, LONGEST, LONGEST, LONGEST, *tries])

    def _kdf_data(self):
        """4.3.2: none; or iterated and salted S2K with SHA-256, of so many bytes, with these salts."""
        if self._unread_kdf > 0:
            self._unread_kdf -= 1
            raise Refusal(0x6F00)
        if self._kdf == "off":
            return encode(0x81, b"\0")
        salts = [encode(tag, SALTS[name]) for tag, name in ((0x84, "pin"), (0x85, "reset-code"), (0x86, "puk"))]
        return encode(0x81, b"\3") + encode(0x82, b"\x08") + encode(0x83, HASHED.to_bytes(4, "big")) + b"".join(salts)

    def _fingerprint(self):
        """Of the key's packet in OpenPGP (RFC 4880, 12.2)."""
        numbers = b"".join(
            number.bit_length().to_bytes(2, "big") + number.to_bytes((number.bit_length() + 7) // 8, "big")
            for number in (self._key.modulus, self._key.exponent)
        )
        packet = b"\4" + CREATED + b"\1" + numbers
        return hashlib.sha1(b"\x99" + len(packet).to_bytes(2, "big") + packet).digest()

    def put_data(self, command):
        """7.2.8: of the objects that may be written, the two that concern passwords."""
        if command.p1_p2 not in (0x00C4, 0x00D3):
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        self._require(PW3)
        if command.p1_p2 == 0x00D3:
            self.reset_code.set(new_value("reset-code", command.data) if command.data else None)
        elif command.data in (b"\0", b"\1"):
            self._pin_for_many = command.data[0]
        else:
            raise Refusal(apdu.WRONG_DATA)

    # Passwords (4.3)

    def _require(self, reference):
        if reference not in self._verified:
            raise Refusal(apdu.SECURITY_STATUS_NOT_SATISFIED)

    def _code(self, reference):
        if reference not in (PW1_SIGNING, PW1, PW3):
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        return self.puk if reference == PW3 else self.pin

    def verify(self, command):
        """7.2.2; with P1 = FF it is a log-out, without data it asks how things stand."""
        reference, code = command.p2, self._code(command.p2)
        if command.p1 == 0xFF and not command.data:
            self._verified.discard(reference)
        elif command.p1 != 0:
            raise Refusal(apdu.WRONG_P1_P2)
        elif command.data:
            self._verified.discard(reference)
            code.check(command.data)
            self._verified.add(reference)
        elif reference not in self._verified:
            raise Refusal(code.state())

    def change_reference_data(self, command):
        """7.2.3: the old password and the new one."""
        if command.p1 != 0:
            raise Refusal(apdu.WRONG_P1_P2)
        if command.p2 == PW1:
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        code = self._code(command.p2)
        old, new = code.split(command.data)
        code.check(old)
        code.set(new_value("puk" if command.p2 == PW3 else "pin", new))

    def reset_retry_counter(self, command):
        """7.2.4: of PW1, after the Admin PIN (P1 = 02), or with the resetting code before the new value (P1 = 00)."""
        if command.p1 not in (0, 2) or command.p2 != PW1_SIGNING:
            raise Refusal(apdu.WRONG_P1_P2)
        new = command.data
        if command.p1 == 2:
            self._require(PW3)
        else:
            code, new = self.reset_code.split(command.data)
            self.reset_code.check(code)
        self.pin.set(new_value("pin", new))

    # The key

    def generate_key_pair(self, command):
        """7.2.14, of which only reading the public key is there (P1 = 81)."""
        if command.p1_p2 != 0x8100:
            raise Refusal(apdu.CONDITIONS_NOT_SATISFIED)
        if SIGNATURE_KEY not in decode(command.data):
            raise Refusal(apdu.REFERENCE_NOT_FOUND)
        exponent = self._key.exponent.to_bytes((self._key.exponent.bit_length() + 7) // 8, "big")
        modulus = self._key.modulus.to_bytes(self._key.length, "big")
        return encode(0x7F49, encode(0x81, modulus), encode(0x82, exponent))

    def compute_digital_signature(self, command):
        """7.2.10. Unless the PW status says otherwise PW1 is good for one signature."""
        if command.p1_p2 != 0x9E9A:
            raise Refusal(apdu.WRONG_P1_P2)
        self._require(PW1_SIGNING)
        if not command.data or len(command.data) * 10 > self._key.length * 4:  # at most 40 % of the key's length
            raise Refusal(apdu.WRONG_DATA)
        if not self._pin_for_many:
            self._verified.discard(PW1_SIGNING)
        self._signatures += 1
        return self._key.sign(command.data)


def hash_password(name, password):
    """RFC 4880, 3.7.1.3: salt and password again and again, up to so many bytes."""
    block = SALTS[name] + password.encode()
    return hashlib.sha256((block * (HASHED // len(block) + 1))[:HASHED]).digest()


def new_value(name, value):
    if not SHORTEST[name] <= len(value) <= LONGEST:
        raise Refusal(apdu.WRONG_DATA)
    return value
