# SPDX-License-Identifier: LGPL-2.1-or-later
"""The kinds of tokens that a sandbox can have, and what is different about each."""

import typing

OPENSC = "opensc"


class Kind(typing.NamedTuple):
    """folder: in tests/tokens, if it is not the kind's name; label: the one that its module shows, if it is not free;
    signing_label: of the slot that signs, where a token has several;
    module: the name in p11-kit's configuration, where one module shows all tokens of several kinds;
    pin: unless told otherwise; pin_lengths, puk_lengths: what such a token can start with;
    settings: what may follow the kind, besides label; counts: whether its folder has its own counters and its record of
    calls.
    """

    folder: str | None = None
    label: str | None = None
    signing_label: str | None = None
    module: str | None = None
    pin: str = "1234"
    pin_lengths: range = range(4, 256)
    puk_lengths: range = range(4, 256)
    settings: tuple = ()
    counts: bool = False


KINDS = {
    "alias": Kind(settings=("serial", "of", "file", "manufacturer", "model", "reader", "hide-flags")),
    "etoken": Kind(
        settings=(
            *("serial", "vendor-objects", "counter-width", "no-puk", "pin-complexity", "refused-new-pins"),
            *("slot-events", "reader", "connection", "certificate"),
        ),
        counts=True,
    ),
    "opencryptoki": Kind(),
    "openpgp-card": Kind(
        folder="card",
        label="OpenPGP card (User PIN)",
        signing_label="OpenPGP card (User PIN (sig))",
        module=OPENSC,
        pin="123456",
        pin_lengths=range(6, 128),
        puk_lengths=range(8, 128),
        settings=("serial", "version", "wrong-code", "locked-code", "kdf", "unread-kdf", "protocol"),
        counts=True,
    ),
    "piv-card": Kind(
        folder="card",
        label="Simulated signer",  # its certificate's
        module=OPENSC,
        pin="123456",
        pin_lengths=range(6, 9),
        puk_lengths=range(8, 9),
        settings=("serial", "maker", "discovery", "protocol"),
        counts=True,
    ),
    "pkcs15-card": Kind(
        folder="card",
        label="PKCS15-CARD (User PIN)",
        module=OPENSC,
        pin="123456",
        pin_lengths=range(4, 17),
        puk_lengths=range(4, 17),
        settings=("serial", "so-pin", "pins"),
        counts=True,
    ),
    "softhsm": Kind(),
}

PUK = "12345678"

# Of the second PIN of a pkcs15-card:pins=2, and of its token.
SIGN_PIN, SIGN_PUK = "246810", "24681012"
SIGN_LABEL = "PKCS15-CARD (Sign PIN)"
