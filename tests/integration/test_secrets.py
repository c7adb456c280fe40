# SPDX-License-Identifier: LGPL-2.1-or-later
"""A code is seen by the token and by nobody else: random ones are looked for wherever they might have been left."""

import os
import re
import subprocess

import leaks
import pytest
from client import Client
from journal import FILES, Journal
from leaks import Sampler, check_nothing_is_left, read, search_files, search_memory, search_residents
from sandbox import FOLDER, TIMEOUT, read_line, wait_until

KINDS = ("etoken", "opencryptoki", "softhsm")
CARDS = ("openpgp-card", "piv-card", "pkcs15-card")
RESIDENTS = ("tokend", "tokend-module", "systemd-socket-activate", "dbus-daemon", "polkitd")


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


def start_tokenctl(sandbox, *arguments, **given):
    """Starts tokenctl, which waits for its codes; given: by option, with an underscore. Returns the process, and what gives
    it the codes."""
    ends = {f"--{option.replace('_', '-')}-fd": os.pipe() for option in given}
    options = [word for option, (reading, _) in ends.items() for word in (option, str(reading))]
    process = sandbox.popen(
        "alice",
        ["tokenctl", *arguments, *options],
        pass_fds=[reading for reading, _ in ends.values()],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for reading, _ in ends.values():
        os.close(reading)

    def give_codes():
        for (_, writing), code in zip(ends.values(), given.values()):
            os.write(writing, code.encode())
            os.close(writing)

    return process, give_codes


def tokenctl(sandbox, sampler, *arguments, **given):
    """Runs tokenctl, which is looked at before it gets its codes; returns its exit status."""
    process, give_codes = start_tokenctl(sandbox, *arguments, **given)
    wait_until(lambda: (process.number(), "tokenctl") in sampler.seen, what="a look at tokenctl")
    give_codes()
    return process.wait(TIMEOUT)


def use_all_codes(sandbox, sampler, token, codes):
    """Right and wrong, by tokenctl and by a client of the bus."""
    for method, code, new_pin, is_right in (
        ("unlock", {"puk": codes.wrong_puk}, codes.third_pin, False),
        ("unlock", {"puk": codes.wrong_puk}, codes.third_pin, False),  # refused already
        ("unlock", {"puk": codes.puk}, codes.new_pin, True),
        ("set-pin", {"pin": codes.wrong_pin}, codes.third_pin, False),
        ("set-pin", {"pin": codes.new_pin}, codes.third_pin, True),
    ):
        status = tokenctl(sandbox, sampler, method, token.label, **code, new_pin=new_pin)
        assert (status == 0) == is_right, (method, status)
    with Client(sandbox, "alice") as alice:
        path = alice.find(token.label)
        alice.call("SetPin", codes.wrong_pin, codes.fourth_pin, path=path)
        # Refused by the policy, the new one holding a code that must not be told in the error
        reply = alice.call("SetPin", codes.third_pin, codes.new_pin + "\n", path=path)
        assert reply.error == "PinPolicy" and not codes.find(reply.message.encode())
        # Codes that are given up, before they are whole and once they are
        for end in (alice.finish, alice.cancel):
            operation, *pipes = alice.open("Unlock", path)
            assert [alice.write(pipe, code) for pipe, code in zip(pipes, (codes.puk, codes.fourth_pin))] == ["", ""]
            end(operation)
            alice.close(*pipes)
        assert alice.call("Unlock", codes.puk, codes.fourth_pin, path=path).error is None


@pytest.mark.parametrize("kind", KINDS)
def test_no_code_is_left_anywhere(make_sandbox, codes, kind):
    """Not in a message of the bus, an argument, an environment, a log, a file, or the memory of who goes on living."""
    sandbox = make_sandbox(tokens=[kind], pin=codes.pin, puk=codes.puk)
    token = sandbox.token(kind)
    with sandbox.recorded_bus() as recorded, Sampler(sandbox, codes) as sampler:
        use_all_codes(sandbox, sampler, token, codes)
        traffic = recorded()
    assert b"SetPin" in traffic and b"Unlock" in traffic
    assert {"tokend", "tokend-module", "tokenctl"} <= sampler.names()
    assert "SetPin" in sandbox.journal() and "DEBUG" in sandbox.journal(), "the log is the most verbose"
    check_nothing_is_left(sandbox, codes, traffic, sampler, RESIDENTS)
    assert token.login(codes.fourth_pin), "these were the codes"


@pytest.mark.parametrize("kind", CARDS)
def test_no_code_of_a_card_is_left_anywhere(make_sandbox, codes, kind):
    """By way of OpenSC, which builds commands of its own around a code, and keeps a card's PINs if it is let."""
    sandbox = make_sandbox(tokens=[kind], pin=codes.pin, puk=codes.puk)
    token = sandbox.token(kind)
    wait_until(lambda: token.label in [status["label"] for status in sandbox.status()], what="the card")
    with sandbox.recorded_bus() as recorded, Sampler(sandbox, codes) as sampler:
        for method, code, new_pin, is_right in (
            ("unlock", {"puk": codes.wrong_puk}, codes.third_pin, False),
            ("unlock", {"puk": codes.puk}, codes.new_pin, True),
            ("set-pin", {"pin": codes.wrong_pin}, codes.third_pin, False),
            ("set-pin", {"pin": codes.new_pin}, codes.third_pin, True),
        ):
            status = tokenctl(sandbox, sampler, method, "--final-attempt", token.label, **code, new_pin=new_pin)
            assert (status == 0) == is_right, (method, status)
        traffic = recorded()
    assert b"SetPin" in traffic and b"Unlock" in traffic
    check_nothing_is_left(sandbox, codes, traffic, sampler, RESIDENTS)
    assert token.login(codes.third_pin), "these were the codes"


@pytest.mark.parametrize("kind", CARDS)
def test_who_sees_a_code_on_its_way_to_a_card(make_sandbox, codes, kind):
    """With the command held in the card, the operating host and pcscd, which has it from there, and nobody else."""
    sandbox = make_sandbox(tokens=[kind], pin=codes.pin, puk=codes.puk)
    token = sandbox.token(kind)
    wait_until(lambda: token.label in [status["label"] for status in sandbox.status()], what="the card")
    token.fault("pause CHANGE-REFERENCE-DATA")
    arguments = ["set-pin", "--final-attempt", token.label]
    held, give_codes = start_tokenctl(sandbox, *arguments, pin=codes.pin, new_pin=codes.new_pin)
    give_codes()
    token.wait_paused()
    try:
        found = search_residents(sandbox, codes, (*leaks.RESIDENTS, "pcscd"))
        holding = {who: names for who, names in found.items() if names}
        assert len(holding) == 2 and set(map(frozenset, holding.values())) == {frozenset({"pin", "new_pin"})}, found
        assert all("--operate" in who or who.startswith("pcscd") for who in holding), holding
    finally:
        token.clear_faults()
        ended = held.wait(TIMEOUT)
    assert ended == 0 and token.login(codes.new_pin)


def test_no_code_is_in_the_journal(make_sandbox, codes):
    """Nor in what surrounds one: not in a field, and not in the journal's own files."""
    sandbox = make_sandbox(pin=codes.pin, puk=codes.puk)
    token = sandbox.token("etoken")
    with Journal(sandbox) as journal, Sampler(sandbox, codes) as sampler:
        use_all_codes(sandbox, sampler, token, codes)
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
        held, give_codes = start_tokenctl(sandbox, *arguments, **given)
        give_codes()
        token.wait_paused()
        try:
            sampler = Sampler(sandbox, codes)
            sampler.sample()
            assert {"tokend", "tokend-module", "tokenctl"} <= sampler.names() and not sampler.found
            assert_closed(sandbox)
            (operating,) = sandbox.hosts("operate")
            found = search_residents(sandbox, codes)
            holding = {who for who, codes_in in found.items() if codes_in}
            assert len(holding) <= 1 and all("--operate" in who for who in holding), found
            assert search_memory(codes, operating), "it is about to send the code"
        finally:
            token.clear_faults()
            ended = held.wait(TIMEOUT)
        assert ended == 0, function
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
