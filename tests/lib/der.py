# SPDX-License-Identifier: LGPL-2.1-or-later
"""As much of DER as keys and certificates that openssl made need."""

import base64


def elements(data):
    """The elements of a sequence's content: (whole element, its content)."""
    found = []
    while data:
        length, start = data[1], 2
        if length & 0x80:
            start = 2 + (length & 0x7F)
            length = int.from_bytes(data[2:start], "big")
        found.append((data[: start + length], data[start : start + length]))
        data = data[start + length :]
    return found


def read_rsa_key(path):
    """The numbers of an RSA key in a PEM file of PKCS #8: modulus, the two exponents, the primes and so on."""
    with open(path, encoding="ascii") as file:
        pkcs8 = base64.b64decode("".join(line for line in file if not line.startswith("-")))
    pkcs1 = elements(elements(elements(pkcs8)[0][1])[2][1])[0][1]
    return [int.from_bytes(content, "big") for _, content in elements(pkcs1)[1:]]
