# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command beside a real bus, a real polkitd, tokend and the wanted tokens, and leaves the machine alone."""

import argparse
import functools
import os
import re
import subprocess
import sys

import inside
from kinds import KINDS, PUK
from namespaces import hide_arguments, run_in_namespaces
from prepare import become_root, prepare

READERS = 2
FIRST_SERIAL = 0x02A0B1C1

EPILOG = """\
KIND is etoken (simulated), alias (shows another one by another name), opencryptoki, softhsm, openpgp-card, piv-card or pkcs15-card (virtual, behind pcscd and OpenSC). The
second etoken has the label ETOKEN2, a serial of its own, and its folder in /run/sandbox/tokens/etoken2; so has the second
card, and there are two readers. Settings of a token follow its kind: etoken:label=WORK,serial=0001
  label=TEXT              bytes may be written \\ooo, for instance a comma: \\054; not of a card
  serial=TEXT             of etoken and cards, where it has 8 hexadecimal digits; see tests/tokens/README.md for the rest
  vendor-objects=false    counter-width=1|4|8    no-puk=true    pin-complexity=true    of etoken
  refused-new-pins=PIN;PIN    slot-events=yes|alone    certificate=shared    of etoken
  reader=NAME             of etoken and alias: the description of the slot
  reader=yes              connection=kept    of etoken: it is in a reader, as a card is
  of=etoken2|opensc       file=NAME    manufacturer=TEXT    model=TEXT    hide-flags=true    of alias
  wrong-code=63cx         locked-code=6982    of openpgp-card     so-pin=yes    pins=0|2    of pkcs15-card
  kdf=on|off              of openpgp-card         maker=yubico        discovery=no  of piv-card
  protocol=0              of openpgp-card and piv-card

Users: alice may do everything, bob nothing, carol must authenticate (password carol) to unlock and to set a PIN.
In it: TOKEN_MODULE is the first token's module, tokenctl is on PATH, /run/sandbox holds logs and tokens, and root may
stop tokend (/run/sandbox/tokend.pid) and start it again (start-tokend).
/tmp, /var/tmp and /dev/shm are its own and empty at first: a script of COMMAND's must not lie there. A module may.
TOKEND_BUILD names another build folder than _build.
"""


def parse_token(text):
    kind, _, rest = text.partition(":")
    if kind not in KINDS:
        raise argparse.ArgumentTypeError(f"{kind}: not a kind of token; there are {', '.join(KINDS)}")
    token = {"kind": kind, "more": {}}
    for setting in filter(None, rest.split(",")):
        key, equals, value = setting.partition("=")
        if equals and key == "label" and KINDS[kind].label is None:
            token[key] = value
        elif equals and key in KINDS[kind].settings:
            (token if key == "serial" else token["more"])[key] = value
        else:
            raise argparse.ArgumentTypeError(f"{setting}: not a setting of {kind}")
    if KINDS[kind].folder == "card" and not re.fullmatch("[0-9a-f]{8}", token.get("serial", "00000000")):
        raise argparse.ArgumentTypeError(f"{token['serial']}: not 8 hexadecimal digits")
    return token


def parse_module(text):
    name, equals, path = text.partition("=")
    if not (name and equals and path) or "/" in name:
        raise argparse.ArgumentTypeError(f"{text}: not NAME=PATH")
    return name, os.path.abspath(path)


def name_tokens(tokens):
    """Gives each token its name, and the label and serial that it was not given; each card its reader."""
    for token in tokens:
        kind = KINDS[token["kind"]]
        number = 1 + sum("name" in other for other in tokens if other["kind"] == token["kind"])
        suffix = str(number) if number > 1 else ""
        if number > 1 and "serial" not in kind.settings:
            raise argparse.ArgumentTypeError(f"there can be only one token of the kind {token['kind']}")
        token["name"] = token["kind"] + suffix
        token.setdefault("label", kind.label or token["kind"].upper() + suffix)
        if "serial" in kind.settings:
            token.setdefault("serial", f"{FIRST_SERIAL + number - 1:08x}")
        if kind.folder == "card" or token["more"].get("reader") == "yes":
            token["reader"] = sum("reader" in other for other in tokens)
            if token["reader"] == READERS:
                raise argparse.ArgumentTypeError(f"there are only {READERS} readers for cards")


def check_codes(tokens, pin, puk):
    for token in tokens:
        kind = KINDS[token["kind"]]
        if pin is not None and len(pin) not in kind.pin_lengths:
            raise argparse.ArgumentTypeError(
                f"the PIN of {token['kind']} has {describe(kind.pin_lengths)} characters"
            )
        if len(puk) not in kind.puk_lengths:
            raise argparse.ArgumentTypeError(
                f"the PUK of {token['kind']} has {describe(kind.puk_lengths)} characters"
            )


def describe(lengths):
    return f"{lengths[0]} to {lengths[-1]}" if len(lengths) > 1 else f"{lengths[0]}"


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tests/sandbox",
        usage="%(prog)s [--token KIND]... [--module NAME=PATH]... [--pin PIN] [--puk PUK] [--user NAME] -- COMMAND...",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--token", metavar="KIND", dest="tokens", action="append", default=[], type=parse_token)
    parser.add_argument(
        "--module", metavar="NAME=PATH", dest="modules", action="append", default=[], type=parse_module
    )
    parser.add_argument("--pin", help="of every token (default 1234, of a card 123456)")
    parser.add_argument("--puk", default=PUK, help=f"of every token (default {PUK})")
    parser.add_argument("--user", metavar="NAME", default="alice", help="who runs COMMAND (default alice)")
    parser.add_argument("command", metavar="COMMAND", nargs="+")
    arguments = parser.parse_args()
    try:
        name_tokens(arguments.tokens)
        check_codes(arguments.tokens, arguments.pin, arguments.puk)
    except argparse.ArgumentTypeError as error:
        parser.error(str(error))
    arguments.modules = dict(arguments.modules)
    return arguments


def main():
    arguments = parse_arguments()
    become_root()
    hide_arguments("sandbox")  # --pin and --puk
    try:
        build = prepare()
    except subprocess.CalledProcessError as error:
        sys.exit(f"{error.cmd[0]} failed")
    sys.exit(run_in_namespaces(functools.partial(inside.run, build, arguments)))


main()
