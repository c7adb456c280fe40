# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands and responses of ISO/IEC 7816-4: how they are coded, chained, and fetched in parts."""

import dataclasses

# Status words (ISO 7816-4, 5.6)
OK = 0x9000
WRONG_LENGTH = 0x6700
LAST_OF_CHAIN_EXPECTED = 0x6883
SECURITY_STATUS_NOT_SATISFIED = 0x6982
METHOD_BLOCKED = 0x6983
CONDITIONS_NOT_SATISFIED = 0x6985
WRONG_DATA = 0x6A80
FILE_NOT_FOUND = 0x6A82
WRONG_P1_P2 = 0x6A86
REFERENCE_NOT_FOUND = 0x6A88
WRONG_OFFSET = 0x6B00
WRONG_INSTRUCTION = 0x6D00
WRONG_CLASS = 0x6E00
TRIES_LEFT = 0x63C0  # plus their number
BYTES_LEFT = 0x6100  # plus their number, 0 for 256 or more

# Instructions (ISO 7816-4, 5.5, and 7816-8)
VERIFY = 0x20
MANAGE_SECURITY_ENVIRONMENT = 0x22
CHANGE_REFERENCE_DATA = 0x24
PERFORM_SECURITY_OPERATION = 0x2A
RESET_RETRY_COUNTER = 0x2C
GENERATE_KEY_PAIR = 0x47
GET_CHALLENGE = 0x84
GENERAL_AUTHENTICATE = 0x87
SELECT = 0xA4
SELECT_DATA = 0xA5
READ_BINARY = 0xB0
READ_RECORD = 0xB2
GET_RESPONSE = 0xC0
GET_DATA = 0xCA
GET_DATA_ODD = 0xCB
UPDATE_BINARY = 0xD6
PUT_DATA = 0xDA
GET_METADATA = 0xF7  # Yubico's

NAMES = {
    VERIFY: "VERIFY",
    MANAGE_SECURITY_ENVIRONMENT: "MANAGE-SECURITY-ENVIRONMENT",
    CHANGE_REFERENCE_DATA: "CHANGE-REFERENCE-DATA",
    PERFORM_SECURITY_OPERATION: "PERFORM-SECURITY-OPERATION",
    RESET_RETRY_COUNTER: "RESET-RETRY-COUNTER",
    GENERATE_KEY_PAIR: "GENERATE-KEY-PAIR",
    GET_CHALLENGE: "GET-CHALLENGE",
    GENERAL_AUTHENTICATE: "GENERAL-AUTHENTICATE",
    SELECT: "SELECT",
    SELECT_DATA: "SELECT-DATA",
    READ_BINARY: "READ-BINARY",
    READ_RECORD: "READ-RECORD",
    GET_RESPONSE: "GET-RESPONSE",
    GET_DATA: "GET-DATA",
    GET_DATA_ODD: "GET-DATA",
    UPDATE_BINARY: "UPDATE-BINARY",
    PUT_DATA: "PUT-DATA",
    GET_METADATA: "GET-METADATA",
}

CHAINED = 0x10  # in the class byte: more of this command follows (5.4.1)
LONGEST_COMMAND = 4096


class Refusal(Exception):
    """Ends a command with a status word other than 9000."""

    def __init__(self, status):
        super().__init__(f"{status:04X}")
        self.status = status


@dataclasses.dataclass
class Command:
    """le: how many bytes the sender has room for; None if it expects none."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes = b""
    le: int | None = None

    @classmethod
    def parse(cls, raw):
        """The four cases, short and extended (ISO 7816-3, 12.1.3). Raises Refusal."""
        if len(raw) < 4:
            raise Refusal(WRONG_LENGTH)
        header, body = raw[:4], raw[4:]
        if len(body) < 2:
            return cls(*header, le=(body[0] or 256) if body else None)
        width = 2 if body[0] == 0 else 1  # of each length field
        start = 1 if width == 2 else 0
        if width == 2 and len(body) == 3:
            return cls(*header, le=int.from_bytes(body[1:], "big") or 65536)
        lc = int.from_bytes(body[start : start + width], "big")
        data, rest = body[start + width :][:lc], body[start + width + lc :]
        if lc == 0 or len(data) != lc or len(rest) not in (0, width):
            raise Refusal(WRONG_LENGTH)
        le = (int.from_bytes(rest, "big") or 256**width) if rest else None
        return cls(*header, data, le)

    @property
    def p1_p2(self):
        return self.p1 << 8 | self.p2

    @property
    def name(self):
        return NAMES.get(self.ins, f"INS-{self.ins:02X}")


class Channel:
    """What lies between the reader and a card's application, which sees whole commands and gives whole answers."""

    def __init__(self, execute):
        """execute: a function from Command to the answer's data, which may raise Refusal."""
        self._execute = execute
        self.reset()

    def reset(self):
        self._chain = None
        self._waiting = b""

    def transmit(self, command):
        """Returns the response's data and status word."""
        try:
            return self._limit(self._process(command), command.le)
        except Refusal as refusal:
            return b"", refusal.status

    def _process(self, command):
        if command.cla & ~CHAINED:
            raise Refusal(WRONG_CLASS)
        if command.ins == GET_RESPONSE:
            return self._take_waiting(command)
        self._waiting = b""
        whole = self._join(command)
        return self._execute(whole) if whole else b""

    def _join(self, command):
        """Command chaining (5.3.3): returns the whole command with its last part, before that None."""
        chain, self._chain = self._chain, None
        if chain:
            if (chain.ins, chain.p1_p2) != (command.ins, command.p1_p2):
                raise Refusal(LAST_OF_CHAIN_EXPECTED)
            command = dataclasses.replace(command, data=chain.data + command.data)
        if len(command.data) > LONGEST_COMMAND:
            raise Refusal(WRONG_LENGTH)
        if command.cla & CHAINED:
            self._chain = command
            return None
        return command

    def _take_waiting(self, command):
        if command.p1_p2:
            raise Refusal(WRONG_P1_P2)
        if not self._waiting:
            raise Refusal(CONDITIONS_NOT_SATISFIED)
        return self._waiting

    def _limit(self, data, le):
        """What is longer than the sender has room for is fetched by GET RESPONSE (5.3.4)."""
        shown, self._waiting = data[: le or 0], data[le or 0 :]
        if self._waiting:
            return shown, BYTES_LEFT | (len(self._waiting) if len(self._waiting) < 256 else 0)
        return shown, OK
