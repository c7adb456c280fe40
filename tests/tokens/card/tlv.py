# SPDX-License-Identifier: LGPL-2.1-or-later
"""BER-TLV data objects (ISO/IEC 7816-4, 5.2.2)."""

from apdu import WRONG_DATA, Refusal


def encode(tag, *parts):
    """tag: as a number, 0x7F49 for instance."""
    value = b"".join(parts)
    encoded = tag.to_bytes((tag.bit_length() + 7) // 8, "big")
    if len(value) < 0x80:
        return encoded + bytes([len(value)]) + value
    length = len(value).to_bytes((len(value).bit_length() + 7) // 8, "big")
    return encoded + bytes([0x80 | len(length)]) + length + value


def decode(data):
    """Returns the objects in a row as a dict of tag to value. Raises Refusal."""
    found = {}
    while data:
        try:
            width = 1
            if data[0] & 0x1F == 0x1F:
                width += 1
                while data[width - 1] & 0x80:
                    width += 1
            tag, length, start = int.from_bytes(data[:width], "big"), data[width], width + 1
            if length & 0x80:
                start += length & 0x7F
                length = int.from_bytes(data[width + 1 : start], "big")
        except IndexError:
            raise Refusal(WRONG_DATA) from None
        if start + length > len(data):
            raise Refusal(WRONG_DATA)
        found[tag] = data[start : start + length]
        data = data[start + length :]
    return found
