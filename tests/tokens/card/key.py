# SPDX-License-Identifier: LGPL-2.1-or-later
"""An RSA key, as a card has it: the number theory alone."""


class Key:
    def __init__(self, modulus, exponent, private_exponent):
        self.modulus = modulus
        self.exponent = exponent
        self._private_exponent = private_exponent

    @property
    def length(self):
        """Of the modulus, in bytes."""
        return (self.modulus.bit_length() + 7) // 8

    def apply(self, block):
        """The private operation on a block as long as the modulus (RFC 8017, 5.2.1)."""
        number = pow(int.from_bytes(block, "big"), self._private_exponent, self.modulus)
        return number.to_bytes(self.length, "big")

    def sign(self, digest_info):
        """The signature of a digest with the identifier of its algorithm (RFC 8017, 8.2.1, from step 2 on)."""
        padding = b"\xff" * (self.length - len(digest_info) - 3)
        return self.apply(b"\0\1" + padding + b"\0" + digest_info)
