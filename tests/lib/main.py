# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command beside a real bus, a real polkitd, tokend and the wanted tokens, and leaves the machine alone."""

import argparse
import functools
import os
import subprocess
import sys

import inside
from namespaces import hide_arguments, run_in_namespaces
from prepare import become_root, prepare

KINDS = ("etoken", "opencryptoki", "softhsm")
ETOKEN_SETTINGS = ("vendor-objects", "counter-width", "refused-new-pins", "slot-events")
FIRST_SERIAL = 0x02A0B1C1

EPILOG = """\
KIND is etoken (simulated), opencryptoki or softhsm. The second etoken has the label ETOKEN2, a serial of its own, and
its folder in /run/sandbox/tokens/etoken2. Settings of a token follow its kind: etoken:label=WORK,serial=0001
  label=TEXT              bytes may be written \\ooo, for instance a comma: \\054
  serial=TEXT             etoken only, as the rest; see tests/tokens/README.md
  vendor-objects=false    counter-width=1|4|8    refused-new-pins=PIN;PIN    slot-events=yes|alone

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
        if equals and (key == "label" or (key == "serial" and kind == "etoken")):
            token[key] = value
        elif equals and key in ETOKEN_SETTINGS and kind == "etoken":
            token["more"][key] = value
        else:
            raise argparse.ArgumentTypeError(f"{setting}: not a setting of {kind}")
    return token


def parse_module(text):
    name, equals, path = text.partition("=")
    if not (name and equals and path) or "/" in name:
        raise argparse.ArgumentTypeError(f"{text}: not NAME=PATH")
    return name, os.path.abspath(path)


def name_tokens(tokens):
    """Gives each token its name, and the label and serial that it was not given."""
    for token in tokens:
        number = 1 + sum("name" in other for other in tokens if other["kind"] == token["kind"])
        suffix = str(number) if number > 1 else ""
        token["name"] = token["kind"] + suffix
        token.setdefault("label", token["kind"].upper() + suffix)
        if token["kind"] == "etoken":
            token.setdefault("serial", f"{FIRST_SERIAL + number - 1:08x}")
        elif number > 1:
            raise argparse.ArgumentTypeError(f"there can be only one token of the kind {token['kind']}")


def parse_arguments():
    parser = argparse.ArgumentParser(
        prog="tests/sandbox",
        usage="%(prog)s [--token KIND]... [--module NAME=PATH]... [--pin PIN] [--puk PUK] [--user NAME] -- COMMAND...",
        description=__doc__,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--token", metavar="KIND", dest="tokens", action="append", default=[], type=parse_token)
    parser.add_argument("--module", metavar="NAME=PATH", dest="modules", action="append", default=[], type=parse_module)
    parser.add_argument("--pin", default="1234", help="of every token (default 1234)")
    parser.add_argument("--puk", default="12345678", help="of every token (default 12345678)")
    parser.add_argument("--user", metavar="NAME", default="alice", help="who runs COMMAND (default alice)")
    parser.add_argument("command", metavar="COMMAND", nargs="+")
    arguments = parser.parse_args()
    try:
        name_tokens(arguments.tokens)
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
