# SPDX-License-Identifier: LGPL-2.1-or-later
"""A code is seen by the token and by nobody else: random ones are looked for wherever they might have been left."""

import os
import re
import subprocess
import threading

import pytest
from client import Client
from journal import FILES, Journal
from leaks import Sampler, check_nothing_is_left, read, search_files, search_memory, search_residents
from sandbox import FOLDER, read_line

KINDS = ("etoken", "opencryptoki", "softhsm")


def test_the_search_finds_what_is_there(sandbox, codes):
    """A code that is planted in arguments, environment, memory, a file, a message and a log is found in each."""
    script = "import sys; code = bytes.fromhex(sys.stdin.readline())[::-1]; print(flush=True); sys.stdin.read()"
    planted = sandbox.popen("alice", ["sleep", "100"], env={"CODE": codes.planted})
    argued = sandbox.popen("alice", ["sh", "-c", "read line", codes.pin], stdin=subprocess.PIPE)
    remembering = sandbox.popen(
        "alice", ["python3", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
    )
    remembering.stdin.write(codes.puk.encode()[::-1].hex().encode() + b"\n")
    read_line(remembering.stdout)
    with Sampler(sandbox, codes) as sampler, sandbox.recorded_bus() as recorded:
        sandbox.run(
            "alice", ["dbus-send", "--system", "--type=signal", "/org/tokend/Test", f"org.tokend.Test.C{codes.pin}"]
        )
        assert "pin" in codes.find(recorded())
        assert search_memory(codes, remembering.number()) >= {"puk"}
        sampler.sample()
    # Of a process that is just being started or ends, the arguments cannot be read.
    assert {(os.path.basename(argv[0]), what) for argv, what in sampler.found if argv} >= {
        ("sleep", "environ"),
        ("sh", "cmdline"),
    }
    sandbox.write_file(f"{FOLDER}/log/planted.log", f"a code: {codes.new_pin.encode('utf-16-le').hex()}")
    sandbox.write_file("/var/lib/tokend/planted", codes.new_pin.encode().hex())
    assert search_files(sandbox, codes, "/var/lib/tokend") == {"/var/lib/tokend/planted": {"new_pin"}}
    for process in (planted, argued, remembering):
        process.kill()
        process.wait()
        for stream in filter(None, (process.stdin, process.stdout)):
            stream.close()


def tokenctl(sandbox, *arguments, **given):
    """Runs tokenctl with codes by descriptors: given by option, with an underscore; returns its exit status."""
    options = [word for option in given for word in (f"--{option.replace('_', '-')}-fd", "{%s}" % option)]
    return sandbox.tokenctl("alice", *arguments, *options, codes=given).returncode


def use_all_codes(sandbox, token, codes):
    """Right and wrong, by tokenctl and by a client of the bus."""
    assert tokenctl(sandbox, "unlock", token.label, puk=codes.wrong_puk, new_pin=codes.third_pin) != 0
    assert (
        tokenctl(sandbox, "unlock", token.label, puk=codes.wrong_puk, new_pin=codes.third_pin) != 0
    ), "already refused"
    assert tokenctl(sandbox, "unlock", token.label, puk=codes.puk, new_pin=codes.new_pin) == 0
    assert tokenctl(sandbox, "set-pin", token.label, pin=codes.wrong_pin, new_pin=codes.third_pin) != 0
    assert tokenctl(sandbox, "set-pin", token.label, pin=codes.new_pin, new_pin=codes.third_pin) == 0
    with Client(sandbox, "alice") as alice:
        path = alice.find(token.label)
        for send in (alice.pipe, alice.socket, alice.file, alice.memfd):
            alice.call("SetPin", send(codes.wrong_pin), send(codes.fourth_pin), path=path)
            # Refused by the policy, the new one holding a code that must not be told in the error
            reply = alice.call("SetPin", send(codes.third_pin), send(codes.new_pin + "\n"), path=path)
            assert reply.error == "PinPolicy" and not codes.find(reply.message.encode())
        assert alice.call("Unlock", codes.puk, codes.fourth_pin, path=path).error is None


@pytest.mark.parametrize("kind", KINDS)
def test_no_code_is_left_anywhere(make_sandbox, codes, kind):
    """Not in a message of the bus, an argument, an environment, a log, a file, or the memory of who goes on living."""
    sandbox = make_sandbox(tokens=[kind], pin=codes.pin, puk=codes.puk)
    token = sandbox.token(kind)
    with sandbox.recorded_bus() as recorded, Sampler(sandbox, codes) as sampler:
        use_all_codes(sandbox, token, codes)
        traffic = recorded()
    assert b"SetPin" in traffic and b"Unlock" in traffic
    assert {"tokend", "tokend-module", "tokenctl"} <= sampler.seen
    assert "SetPin" in sandbox.journal() and "DEBUG" in sandbox.journal(), "the log is the most verbose"
    residents = ("tokend", "tokend-module", "systemd-socket-activate", "dbus-daemon", "polkitd")
    check_nothing_is_left(sandbox, codes, traffic, sampler, residents)
    assert token.login(codes.fourth_pin), "these were the codes"


def test_no_code_is_in_the_journal(make_sandbox, codes):
    """Nor in what surrounds one: not in a field, and not in the journal's own files."""
    sandbox = make_sandbox(pin=codes.pin, puk=codes.puk)
    token = sandbox.token("etoken")
    with Journal(sandbox) as journal:
        use_all_codes(sandbox, token, codes)
        with Client(sandbox, "alice") as alice:
            # A confused program's: a code where an option's name belongs, and where its value does
            for options in ({codes.planted: True}, {"final-attempt": ("s", codes.planted)}):
                assert alice.call("Unlock", codes.puk, codes.pin, options=options).error == "InvalidArgs"
        journal.wait_entries(2, TOKEND_OUTCOME="InvalidArgs")
        text = journal.read("--output=export")
        outcomes = {entry["TOKEND_OUTCOME"] for entry in journal.entries() if "TOKEND_OUTCOME" in entry}
        assert outcomes >= {"Done", "PukIncorrect", "PinIncorrect", "AlreadyRefused", "PinPolicy", "InvalidArgs"}
        assert any(entry["PRIORITY"] == "7" for entry in journal.entries()), "the log is the most verbose"
        assert not codes.find(text.encode())
        assert not search_files(sandbox, codes, FILES)
    assert token.login(codes.fourth_pin), "these were the codes"


def test_nothing_shows_while_it_is_done(make_sandbox, codes):
    """With the operation held where the token is about to see the code, only tokenctl and the operating host hold it,
    and nobody may look into either; nor into the service or a watching host."""
    sandbox = make_sandbox(pin=codes.pin, puk=codes.puk)
    token = sandbox.token("etoken")
    for function, arguments, given in (
        ("C_Login", ["unlock"], {"puk": codes.puk, "new_pin": codes.new_pin}),
        ("C_InitPIN", ["unlock"], {"puk": codes.puk, "new_pin": codes.new_pin}),
        ("C_SetPIN", ["set-pin"], {"pin": codes.new_pin, "new_pin": codes.pin}),
    ):
        token.fault(f"pause {function}")
        held = threading.Thread(target=tokenctl, args=[sandbox, *arguments], kwargs=given)
        held.start()
        token.wait_paused()
        try:
            sampler = Sampler(sandbox, codes)
            sampler.sample()
            assert {"tokend", "tokend-module", "tokenctl"} <= sampler.seen and not sampler.found
            assert_closed(sandbox)
            (operating,) = sandbox.hosts("operate")
            found = search_residents(sandbox, codes)
            holding = {who for who, codes_in in found.items() if codes_in}
            assert len(holding) <= 1 and all("--operate" in who for who in holding), found
            assert search_memory(codes, operating), "it is about to send the code"
        finally:
            token.clear_faults()
            held.join()
    assert token.login(codes.pin)


def assert_closed(sandbox):
    """Nobody, not even a process of the same user, looks into a process of ours."""
    users = {"tokend": "tokend", "tokend-module": "tokend-module", "tokenctl": "alice"}
    # The rest of the world can be looked into: else the test proves nothing.
    shown = sandbox.run("tokend", ["sh", "-c", "ls /proc/$$/fd && cat /proc/$$/environ"])
    assert shown.returncode == 0
    seen = set()
    for number, (outside, _, argv) in sandbox.processes().items():
        name = os.path.basename(argv[0]) if argv else ""
        if name not in users or (name == "tokenctl" and argv[0] != "tokenctl"):
            continue
        seen.add(name)
        assert os.stat(f"/proc/{outside}/fd").st_uid == 0, argv
        script = f"ls /proc/{number}/fd || cat /proc/{number}/environ || head -c1 /proc/{number}/mem"
        assert sandbox.run(users[name], ["sh", "-c", script]).returncode != 0, argv
        if name != "tokenctl":
            assert re.search(r"Max core file size +0 +0 ", read(f"/proc/{outside}/limits").decode()), argv
    assert seen == set(users)
