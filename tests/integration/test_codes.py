# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a code may be: the table of codes, with the token's own counter as witness."""

import collections
import os

import pytest
from client import Client
from sandbox import SOURCE, Sandbox
from support import nothing_sent, restart_with_profile, sent

PIN, PUK, NEW_PIN = "1234", "12345678", "4321"
UNUSUAL = {"send-unusual-code": True}
FULL = {"pin": 3, "puk": 3}
DONE, USAGE, WRONG_CODE, REFUSED = 0, 2, 5, 7
# Bytes of a code
LONGEST = 255
# As long as this token takes them.
TAKEN = range(4, 17)

Row = collections.namedtuple("Row", "code role answer what words")


def read_table():
    with open(os.path.join(SOURCE, "tests/codes.tsv"), encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file if not line.startswith("#")]
    return [Row(bytes.fromhex(code), *more) for code, *more in rows]


ROWS = read_table()
REFUSED_ROWS = [row for row in ROWS if row.answer in ("refuse", "never")]
SENT_ROWS = [row for row in ROWS if row.role == "code" and row.answer != "never" and len(row.code) in TAKEN]
ASKED_ROWS = [row for row in ROWS if row.answer == "ask" and len(row.code.decode()) in TAKEN]


@pytest.fixture(name="shared", scope="module")
def fixture_shared():
    with Sandbox() as sandbox:
        yield sandbox


@pytest.fixture(name="alice", scope="module")
def fixture_alice(shared):
    with Client(shared, "alice") as alice:
        yield alice


def codes_for(row, right):
    return (row.code, NEW_PIN) if row.role == "code" else (right, row.code)


@pytest.mark.parametrize("row", REFUSED_ROWS, ids=lambda row: f"{row.role}: {row.what}")
def test_what_is_refused_costs_nothing(shared, alice, row):
    """By Unlock and by SetPin; what is never sent, not with the word either, nor a new PIN that looks like a mistake."""
    token = shared.token("etoken")
    error = "InvalidArgs" if row.role == "code" else "PinPolicy"
    with nothing_sent(token):
        for options in ({}, UNUSUAL) if row.answer == "never" else ({},):
            for method, right in (("Unlock", PUK), ("SetPin", PIN)):
                reply = alice.call(method, *codes_for(row, right), options=options)
                # What no pipe may hold the service itself turns away, without a look at it.
                wanted = "InvalidArgs" if len(row.code) > LONGEST else error
                assert reply.error == wanted and row.words in reply.message, reply
                assert ("send-unusual-code" in reply.message) == (row.answer == "refuse"), reply
    assert token.counters() == FULL


@pytest.mark.parametrize("row", SENT_ROWS, ids=lambda row: row.what)
def test_with_the_word_it_is_sent_and_counted(shared, alice, row):
    """Whatever the table lets through, as the present PIN that it is not: one try."""
    token = shared.token("etoken")
    before = sent(token)
    options = UNUSUAL if row.answer == "refuse" else {}
    reply = alice.call("SetPin", row.code, NEW_PIN, options=options)
    if row.code == PIN.encode():
        assert reply.error is None
    else:
        assert reply.error == "PinIncorrect", reply
        assert sent(token) == before + ["C_Login"]
        assert token.counters() == {"pin": 2, "puk": 3}
    assert token.login(PIN) and token.counters() == FULL


def test_a_puk_with_the_word(shared, alice):
    """It is sent, and counted; the right one brings the try back."""
    token = shared.token("etoken")
    unusual = "12345678\u200b"
    assert alice.call("Unlock", unusual, NEW_PIN).error == "InvalidArgs"
    assert token.counters() == FULL
    assert alice.call("Unlock", unusual, NEW_PIN, options=UNUSUAL).error == "PukIncorrect"
    assert token.counters() == {"pin": 3, "puk": 2}
    assert alice.call("Unlock", PUK, PIN).error is None
    assert token.counters() == FULL


@pytest.mark.parametrize("pin", ["12\u200b34", " 1234", "1234\u00a0", "\ufeff4711"])
def test_a_pin_that_another_program_has_set_so(make_sandbox, pin):
    """It goes with the word alone, and is none that could be set here."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    token.change_pin(PIN, pin)
    with Client(sandbox, "alice") as alice:
        with nothing_sent(token):
            assert alice.call("SetPin", pin, NEW_PIN).error == "InvalidArgs"
            assert alice.call("SetPin", pin, pin + "1", options=UNUSUAL).error == "PinPolicy"
        assert alice.call("SetPin", pin, NEW_PIN, options=UNUSUAL).error is None
    assert token.login(NEW_PIN) and token.counters() == FULL


@pytest.mark.parametrize("row", ASKED_ROWS, ids=lambda row: row.what)
def test_a_new_pin_that_is_a_question_for_people(make_sandbox, row):
    """The service takes it."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        assert alice.call("Unlock", PUK, row.code).error is None
        assert alice.call("SetPin", row.code, PIN).error is None
    assert token.counters() == FULL


# tokenctl


def change(sandbox, pin, new_pin, *options):
    codes = {"pin": pin, "new": new_pin}
    words = ["set-pin", "--pin-fd", "{pin}", "--new-pin-fd", "{new}", *options]
    return sandbox.tokenctl("alice", *words, codes=codes)


def test_tokenctl_by_descriptor(make_sandbox):
    """A doubtful code is refused, since nobody can be asked, with what is wrong and the option that sends it."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    doubtful = {
        "12\u200b34": "has an invisible character after the 2nd",
        "1234 ": "has a blank after the 4th",
        "şifre1": "has a character that not every keyboard has at the beginning",
    }
    for pin, words in doubtful.items():
        with nothing_sent(token):
            done = change(sandbox, pin, NEW_PIN)
        assert done.returncode == REFUSED, done.stderr
        assert f"--pin-fd: the code {words}." in done.stderr and "--send-unusual-code" in done.stderr
        token.change_pin(PIN, pin)
        done = change(sandbox, pin, PIN, "--send-unusual-code")
        assert done.returncode == DONE, done.stderr
        assert token.login(PIN)

    with nothing_sent(token):
        for new_pin in ("12\u200b34", "1234 "):
            done = change(sandbox, PIN, new_pin, "--send-unusual-code")
            assert done.returncode == REFUSED and "--new-pin-fd: the code has" in done.stderr, done.stderr
        assert change(sandbox, "12\x0734", NEW_PIN, "--send-unusual-code").returncode == USAGE
    assert token.counters() == FULL


def answer(terminal, prompt, text):
    terminal.expect(prompt + "$")
    terminal.type_line(text)


def test_tokenctl_at_a_terminal(make_sandbox):
    """A code that nobody can see is refused, and taken once it comes again without that."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        with nothing_sent(token):
            answer(terminal, "PUK: ", "\u200e12345678\u200f")
            terminal.expect("cannot be the code: it has an invisible character at the beginning. Nothing was sent")
            answer(terminal, "PUK: ", "12345679")
            terminal.expect("not the code that was typed before. Nothing was sent. Type it again.")
            terminal.expect("PUK: $")
        terminal.type("\x03")
        terminal.finish()

    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        answer(terminal, "PUK: ", "\u200e12345678\u200f")
        answer(terminal, "PUK: ", PUK)
        answer(terminal, r"New PIN \(.*\): ", "ş1234")
        answer(terminal, "The new PIN has a character that not every keyboard has at the beginning.* Enter: ", "")
        answer(terminal, r"New PIN \(.*\): ", "43\u00ad21")
        terminal.expect("cannot be the code: it has an invisible character after the 2nd. Nothing was sent.\n")
        answer(terminal, r"New PIN \(.*\): ", NEW_PIN)
        answer(terminal, "New PIN once more: ", NEW_PIN)
        assert terminal.finish() == DONE
    assert token.login(NEW_PIN) and token.counters() == FULL


def test_tokenctl_asks(make_sandbox):
    """What may be meant is asked: letters of other keyboards always, what nobody sees with the option."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    with nothing_sent(token), sandbox.terminal("alice", ["tokenctl", "set-pin"]) as terminal:
        for _ in range(3):
            answer(terminal, "Present PIN: ", "şifre1")
            answer(terminal, "The code has a character .*costs a try.* type yes.* Enter: ", "no")
        assert terminal.finish() == REFUSED

    unusual = "12\u200b34"
    token.change_pin(PIN, unusual)
    with sandbox.terminal("alice", ["tokenctl", "set-pin", "--send-unusual-code"]) as terminal:
        answer(terminal, "Present PIN: ", unusual)
        answer(terminal, "The code has an invisible character after the 2nd; .* type yes.* Enter: ", "yes")
        answer(terminal, r"New PIN \(.*\): ", "ş234")
        answer(terminal, "The new PIN has .* type yes.* Enter: ", "yes")
        answer(terminal, "New PIN once more: ", "ş234")
        assert terminal.finish() == DONE
    assert token.login("ş234") and token.counters() == FULL


# What is visibly the wrong code


@pytest.mark.parametrize("kind", ["etoken", "opencryptoki", "piv-card"])
def test_a_new_pin_that_is_the_code_it_is_set_with(make_sandbox, kind):
    """Somebody who types the PIN thrice, or the PUK: nothing is sent, neither by the bus nor by tokenctl."""
    sandbox = make_sandbox([kind])
    token = sandbox.token(kind)
    with nothing_sent(token), Client(sandbox, "alice") as alice:
        for method, code, words in (("Unlock", sandbox.puk, "PUK"), ("SetPin", sandbox.pin, "present one")):
            reply = alice.call(method, code, code, options={"final-attempt": True, **UNUSUAL})
            assert reply.error == "PinPolicy", reply
            assert reply.message == f"The new PIN is the same as the {words}"
            # As the token's owners call it.
            words = words.replace("PUK", "SO PIN") if kind == "opencryptoki" else words
            codes = {"code": code, "new": code}
            command, option = ("unlock", "--puk-fd") if method == "Unlock" else ("set-pin", "--pin-fd")
            words_of = [command, "--final-attempt", option, "{code}", "--new-pin-fd", "{new}"]
            done = sandbox.tokenctl("alice", *words_of, codes=codes)
            assert done.returncode == REFUSED, done.stderr
            assert f"The new PIN is the same as the {words}. Nothing was sent; no try was spent." in done.stderr
    assert token.login(sandbox.pin)


def test_the_same_while_typing(make_sandbox):
    """Another one is asked for."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    with sandbox.terminal("alice", ["tokenctl", "set-pin"]) as terminal:
        with nothing_sent(token):
            answer(terminal, "Present PIN: ", PIN)
            answer(terminal, r"New PIN \(.*\): ", PIN)
            terminal.expect("The new PIN is the same as the present one. Nothing was sent")
        answer(terminal, r"New PIN \(.*\): ", NEW_PIN)
        answer(terminal, "New PIN once more: ", NEW_PIN)
        assert terminal.finish() == DONE
    assert token.login(NEW_PIN)


def test_a_code_with_a_blank_is_typed_again(make_sandbox):
    """The same without the blank is taken, or just the same again; another one is not, until it comes twice."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    blank, again = "The code contains a blank", "not the code that was typed before"
    unusual = "has a blank at the beginning. Nothing was sent. If another program .*--send-unusual-code"
    for typed, taken in (
        ([("1234 5678", blank), (PUK, None)], True),
        ([(" 12345678", blank), (PUK, None)], True),
        ([("1234\u00a05678", blank), (PUK, None)], True),
        ([("1234 5678", blank), ("12345679", again), (PUK, again)], False),
        ([("1234 5678", blank), ("12345679", again), ("1234 5678", again)], False),
        ([("1234 5679", blank), (PUK, again), (PUK, None)], True),
        ([("    ", blank), (PUK, None)], True),
        ([("1234 5678", blank), ("", "it is empty"), ("12345679", again)], False),
        ([("1234 5678", blank), ("\x1b[A", "control character"), (PUK, None)], True),
        ([(" 12345678", blank), (" 12345678", unusual), (PUK, None)], True),
    ):
        with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
            with nothing_sent(token):
                for code, words in typed:
                    answer(terminal, "PUK: ", code)
                    if words:
                        terminal.expect(words)
                terminal.expect(r"New PIN \(.*\): $" if taken else "Given up. Nothing was sent")
            if taken:
                terminal.type_line(PIN)
                answer(terminal, "New PIN once more: ", PIN)
                assert terminal.finish() == DONE
            else:
                assert terminal.finish() == REFUSED
        assert token.counters() == FULL


def test_limits_of_the_pin_are_none_of_the_puk(make_sandbox):
    """A PUK that is longer or shorter than any PIN of this token is sent, by tokenctl as well."""
    puk = "1" * 20
    sandbox = make_sandbox(puk=puk)
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        assert alice.call("Unlock", puk, NEW_PIN).error is None
        assert alice.call("Unlock", "123", NEW_PIN).error == "PukIncorrect"
        assert token.counters() == {"pin": 3, "puk": 2}
        assert alice.call("Unlock", puk, PIN).error is None
        assert alice.call("SetPin", "123", NEW_PIN).error == "InvalidArgs"
        assert token.counters() == FULL
    codes = {"puk": "321", "new": NEW_PIN}
    done = sandbox.tokenctl("alice", "unlock", "--puk-fd", "{puk}", "--new-pin-fd", "{new}", codes=codes)
    assert done.returncode == WRONG_CODE, done.stderr
    assert token.counters() == {"pin": 3, "puk": 2}


def test_lengths_that_a_document_gives(make_sandbox):
    """Of a PIV card: PIN and PUK have 6 to 8 bytes. Others go with the word alone, and are counted; a PUK of seven is a
    question."""
    sandbox = make_sandbox(["piv-card"])
    token = sandbox.token("piv-card")
    final = {"final-attempt": True}
    with Client(sandbox, "alice") as alice:
        status = alice.call("Refresh").value
        assert [status[f"{code}-{end}-length"] for code in ("present-pin", "puk") for end in ("minimum", "maximum")] == [
            *(6, 8),
            *(6, 8),
        ]
        assert (status["puk-usual-minimum-length"], status["puk-usual-maximum-length"]) == (8, 8)
        assert status["present-pin-usual-characters"] == "digits"
        for method, name in (("Unlock", "PUK"), ("SetPin", "PIN")):
            for code, words in (("12345", "too short"), ("123456789", "too long")):
                reply = alice.call(method, code, "654321", options=final)
                assert reply.error == "InvalidArgs", reply
                assert f"The {name} is {words}: it takes 6 to 8 bytes; " in reply.message
        assert token.counters() == FULL and not token.codes_sent()

        reply = alice.call("SetPin", "12345", "654321", options=final | UNUSUAL)
        assert reply.error == "PinIncorrect", reply
        assert token.counters() == {"pin": 2, "puk": 3}
        assert alice.call("SetPin", sandbox.pin, "654321", options=final).error is None
        assert alice.call("Unlock", "1234567", "123456", options=final).error == "PukIncorrect"
        assert token.counters() == {"pin": 3, "puk": 2}

    before = token.counters()
    codes = {"puk": "7654321", "new": "123456"}
    asking = ["unlock", "--final-attempt", "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]
    done = sandbox.tokenctl("alice", *asking, codes=codes)
    assert done.returncode == REFUSED, done.stderr
    assert "--puk-fd: the code is not as long as usual: mostly it has 8 characters." in done.stderr
    assert "--send-unusual-code" in done.stderr
    assert token.counters() == before
    assert sandbox.tokenctl("alice", *asking, "--send-unusual-code", codes=codes).returncode == WRONG_CODE
    assert token.counters() == {"pin": 3, "puk": 1}


def test_a_providers_habit_is_a_question(make_sandbox):
    """What the administrator's profile says without a document: the service sends it, tokenctl asks."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    restart_with_profile(sandbox, "etoken", "[PUK]\nMinimumLength=8\nMaximumLength=10\nCharacters=digits\n")
    questions = {
        "1234567": "not as long as usual: mostly it has 8 to 10 characters",
        "1234567a": "other characters than digits",
    }
    for puk, words in questions.items():
        with nothing_sent(token), sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
            answer(terminal, "PUK: ", puk)
            answer(terminal, f"The code .*{words}.* Enter: ", "")
            terminal.expect("PUK: $")
            terminal.type("\x03")
            terminal.finish()
    with Client(sandbox, "alice") as alice:
        assert alice.call("Unlock", "1234567a", NEW_PIN).error == "PukIncorrect"
        assert token.counters() == {"pin": 3, "puk": 2}

    restart_with_profile(sandbox, "etoken", "[PUK]\nMinimumLength=8\nLengthDocument=The issuer's letter\n")
    with Client(sandbox, "alice") as alice, nothing_sent(token):
        assert alice.call("Unlock", "7654321", NEW_PIN).error == "InvalidArgs"


def test_a_transport_pin_may_be_short(make_sandbox):
    """The token wants a new PIN of six characters, and comes with one of four: set-pin, which status recommends, takes it."""
    sandbox = make_sandbox()
    token = sandbox.token("etoken")
    with Client(sandbox, "alice") as alice:
        token.fault("transport-pin")
        status = alice.call("Refresh").value
        assert status["pin-must-change"] is True and status["pin-minimum-length"] == 6
        assert "present-pin-minimum-length" not in status
        assert alice.call("SetPin", PIN, "65432").error == "PinPolicy"
        assert "tokenctl set-pin ETOKEN" in sandbox.tokenctl("alice", "status").stdout
        done = change(sandbox, PIN, "654321")
        assert done.returncode == DONE, done.stderr
        token.clear_faults()
        assert token.login("654321") and token.counters() == FULL
