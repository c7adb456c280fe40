# SPDX-License-Identifier: LGPL-2.1-or-later
"""tokenctl: what a person sees and types, and what a script can rely on."""

import json
import os
import re
import shlex
import signal
import subprocess

import pytest
from card_user import CardUser
from sandbox import SOURCE, wait_until, wait_until_asleep
from support import ADMIN_PROFILES, WRONG_PINS, WRONG_PUKS, Client, nothing_sent, restart_with_profile, sent

NEW_PIN = "4321"
CTRL_C = -signal.SIGINT
DONE, FAILED, USAGE, NOT_AUTHORIZED, NO_SUCH_TOKEN, WRONG_CODE, LOCKED, REFUSED, BUSY, UNKNOWN = range(10)
COMMANDS = ["status", "unlock", "set-pin", "modules", "monitor"]
# With Flags=none and these, the token shows no counter of any kind.
NO_COUNTERS = ("no-so-flags", "no-vendor-objects")


def unlock(sandbox, *more, user="alice", puk=None, new=NEW_PIN, env=None):
    codes = {"puk": sandbox.puk if puk is None else puk, "new": new}
    return sandbox.tokenctl(user, "unlock", "--puk-fd", "{puk}", "--new-pin-fd", "{new}", *more, codes=codes, env=env)


def set_pin(sandbox, *more, user="alice", pin=None, new=NEW_PIN):
    codes = {"pin": sandbox.pin if pin is None else pin, "new": new}
    return sandbox.tokenctl(user, "set-pin", "--pin-fd", "{pin}", "--new-pin-fd", "{new}", *more, codes=codes)


def without_terminal(sandbox, *arguments):
    """Whoever runs the tests may have a terminal; this run of tokenctl has none."""
    return sandbox.tokenctl("alice", *arguments, start_new_session=True)


def answer(terminal, prompt, code):
    """Waits for the prompt, sees that what is typed will not be shown, and types."""
    terminal.expect(prompt + "$")
    wait_until(lambda: not terminal.is_echoing(), what="the end of echoing")
    terminal.type_line(code)


def answer_unlock(terminal, sandbox):
    """All that it asks for."""
    answer(terminal, "PUK: ", sandbox.puk)
    answer(terminal, r"New PIN \(4 to 16 characters\): ", NEW_PIN)
    answer(terminal, "New PIN once more: ", NEW_PIN)


OWNERS_WORDS = {
    "en": ("Admin PIN: ", "The Admin PIN is not right", "It is not the reset code"),
    "tr": ("Yönetici PIN kodu: ", "Yönetici PIN kodu hatalı", "sıfırlama kodu \\(reset code\\) değildir"),
}


# On a terminal


@pytest.mark.parametrize("language", ["en", "tr"])
def test_code_is_called_as_its_owners_call_it(make_sandbox, language):
    """An OpenPGP card has an Admin PIN, and its owners call another code PUK: on the whole way it is never asked for."""
    sandbox = make_sandbox(["openpgp-card"])
    token = sandbox.token("openpgp-card")
    prompt, not_right, source = OWNERS_WORDS[language]
    env = {"LANGUAGE": language}
    with sandbox.terminal("alice", ["tokenctl", "unlock", "OpenPGP card (User PIN)"], env=env) as terminal:
        terminal.expect(source)
        answer(terminal, prompt, "11111111")
        for _ in range(2):
            answer(terminal, "[^\n]*: ", "654321")
        assert terminal.finish() == WRONG_CODE
        assert re.search(not_right, terminal.text)
        said = terminal.text
    assert token.counters()["puk"] == 2
    said += sandbox.tokenctl("alice", "status", env=env).stdout
    # But where it is said which code it is not.
    assert len(re.findall("PUK", said)) == 1, said
    assert not re.search("issued your certificate|SMS|sertifikanızı veren", said), said


def test_nothing_is_lost_where_nothing_locks(make_sandbox):
    """No certificate is said to be in danger on a token that never locks; its code is the SO PIN to its owners."""
    sandbox = make_sandbox(["softhsm"])
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        terminal.expect("However many wrong SO PINs are typed, nothing is locked.")
        answer(terminal, "SO PIN: ", "99999999")
        for prompt in (r"New PIN .*: ", "New PIN once more: "):
            answer(terminal, prompt, NEW_PIN)
        assert terminal.finish() == WRONG_CODE
    assert not re.search("certificate|PUK|how many tries", terminal.text), terminal.text
    shown = sandbox.tokenctl("alice", "status").stdout
    assert "SO PIN" in shown.splitlines()[0] and "However many are typed, nothing is locked." in shown


def test_codes_are_asked_for_without_echo(sandbox):
    """It says what is left and what may be lost, asks the PUK once and the new PIN twice, and shows none of them."""
    token = sandbox.token("etoken")
    token.wrong_pin(3)
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        terminal.expect(f"ETOKEN, serial {token.serial}\n")
        terminal.expect("PUK: 3 of 3 tries left")
        terminal.expect("certificate")
        answer(terminal, "PUK: ", sandbox.puk)
        answer(terminal, r"New PIN \(4 to 16 characters\): ", NEW_PIN)
        answer(terminal, "New PIN once more: ", "4322")
        terminal.expect("not the same")
        assert sent(token) == []
        answer(terminal, r"New PIN \(4 to 16 characters\): ", NEW_PIN)
        answer(terminal, "New PIN once more: ", NEW_PIN)
        assert terminal.finish() == DONE
        assert terminal.is_echoing()
    assert not re.search(f"{sandbox.puk}|{NEW_PIN}|4322", terminal.text)
    assert token.counters() == {"pin": 3, "puk": 3}
    assert token.login(NEW_PIN)

    with sandbox.terminal("alice", ["tokenctl", "set-pin"]) as terminal:
        terminal.expect("PIN: 3 of 3 tries left")
        answer(terminal, "Present PIN: ", NEW_PIN)
        answer(terminal, "New PIN .*: ", "123")
        terminal.expect("too short")
        answer(terminal, "New PIN .*: ", "8765")
        answer(terminal, "New PIN once more: ", "8765")
        assert terminal.finish() == DONE
    assert not re.search(f"{NEW_PIN}|8765", terminal.text)
    assert token.login("8765")


def test_unknown_tries_are_said_to_be_unknown(sandbox):
    """And then every try may be the last."""
    token = sandbox.token("etoken")
    token.fault(*NO_COUNTERS)
    restart_with_profile(sandbox, "etoken", "[PUK]\nFlags=none\n")
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal, nothing_sent(token):
        terminal.expect("how many tries are left is not known")
        terminal.expect("type the token's label.*: $")
        terminal.type_line("")
        assert terminal.finish() == REFUSED


def test_a_last_try_without_a_number(sandbox):
    """The token's flags tell of it, and its number contradicts them: it is the last one, and nothing else is said of it."""
    token = sandbox.token("etoken")
    token.wrong_pin(2)
    token.fault("garbage C_GetAttributeValue * numbers")
    with sandbox.terminal("alice", ["tokenctl", "set-pin"]) as terminal, nothing_sent(token):
        terminal.expect("PIN: 1 try left: the next wrong PIN locks it")
        terminal.expect("type the token's label.*: $")
        terminal.type_line("")
        assert terminal.finish() == REFUSED
    assert "not known" not in terminal.text


@pytest.mark.parametrize("prompts", [["PUK: "], ["PUK: ", "New PIN .*: "], ["PUK: ", "New PIN .*: ", "once more: "]])
def test_ctrl_c(sandbox, prompts):
    """Wherever it is pressed: the terminal shows again what is typed, and nothing was sent, which is said."""
    token = sandbox.token("etoken")
    codes = [sandbox.puk, NEW_PIN]
    with nothing_sent(token), sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        for prompt, code in zip(prompts[:-1], codes):
            answer(terminal, prompt, code)
        terminal.expect(prompts[-1] + "$")
        wait_until(lambda: not terminal.is_echoing(), what="the end of echoing")
        terminal.type("\x03")
        terminal.expect("\nCancelled. Nothing was sent to the token.\n")
        assert terminal.finish() != DONE
        assert terminal.is_echoing()
        assert sent(token) == []


def test_ctrl_c_at_the_password(sandbox):
    """It is asked for before the codes are, and nobody has typed one."""
    token = sandbox.token("etoken")
    with nothing_sent(token), sandbox.terminal("carol", ["tokenctl", "unlock"]) as terminal:
        terminal.expect("Password: ")
        wait_until(lambda: not terminal.is_echoing(), what="the end of echoing")
        terminal.type("\x03")
        terminal.expect("\nCancelled. Nothing was sent to the token.\n")
        assert terminal.finish() == CTRL_C
        assert terminal.is_echoing()
        assert "PUK: \n" not in terminal.text


def test_ctrl_c_where_the_tests_ignore_it(sandbox):
    """As they do that a shell runs in the background: the program heeds it, and its end is told as it was."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        terminal = sandbox.terminal("alice", ["tokenctl", "unlock"])
    finally:
        signal.signal(signal.SIGINT, before)
    with terminal:
        terminal.expect("PUK: $")
        terminal.type("\x03")
        assert terminal.finish() == CTRL_C


def test_ctrl_c_before_the_try_is_recorded(sandbox):
    """The service gives it up: nothing was sent, which is said."""
    token = sandbox.token("etoken")
    token.fault("pause C_OpenSession operate")
    with nothing_sent(token), sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        answer_unlock(terminal, sandbox)
        token.wait_paused()
        terminal.type("\x03")
        terminal.expect("\nCancelled. Nothing was sent to the token.\n")
        assert terminal.finish() == CTRL_C
        assert terminal.is_echoing()
        token.clear_faults()
        wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operating host")
    assert token.login(sandbox.pin)


def test_ctrl_c_once_the_try_is_recorded(sandbox):
    """It is too late: the operation completes, and what came of it is told."""
    token = sandbox.token("etoken")
    token.fault("pause C_Login")
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        answer_unlock(terminal, sandbox)
        token.wait_paused()
        terminal.type("\x03")
        terminal.expect(r"\^C")
        token.clear_faults()
        terminal.expect("The new PIN is set.")
        assert terminal.finish() == DONE
    assert token.login(NEW_PIN)


def test_a_token_that_leaves_while_a_person_types(sandbox):
    """Nothing was sent, and that is said, not that the outcome is not known."""
    token = sandbox.token("etoken")
    with Client(sandbox) as watcher, sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        watcher.subscribe()
        terminal.expect("PUK: $")
        token.fault("vanish")
        watcher.wait_signal("InterfacesRemoved")
        wait_until(lambda: not terminal.is_echoing(), what="the end of echoing")
        terminal.type_line(sandbox.puk)
        answer(terminal, "New PIN .*: ", NEW_PIN)
        answer(terminal, "once more: ", NEW_PIN)
        said = "unplugged or could not be watched, if only for a moment, before the codes were sent."
        terminal.expect(said)
        assert terminal.finish() == NO_SUCH_TOKEN
        assert terminal.text.lower().count("no try was spent") == 1
    token.clear_faults()
    assert sent(token) == [] and token.login(sandbox.pin)


@pytest.mark.without_sanitizer
def test_a_person_who_takes_too_long(sandbox, clock):
    """After ten minutes it has to be begun anew; nothing was sent."""
    token = sandbox.token("etoken")
    with nothing_sent(token), sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        terminal.expect("PUK: $")
        wait_until(lambda: not terminal.is_echoing(), what="the end of echoing")
        clock(10 * 60 + 5)
        terminal.type_line(sandbox.puk)
        answer(terminal, "New PIN .*: ", NEW_PIN)
        answer(terminal, "once more: ", NEW_PIN)
        terminal.expect("not given within ten minutes")
        assert terminal.finish() == BUSY


def has_taken_interrupt(process):
    """Whether no SIGINT waits for this process, given by its number outside, and no thread is in its handler, where the deadly
    signals are all that is blocked."""
    interrupt = 1 << (signal.SIGINT - 1)
    deadly = sum(1 << (number - 1) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT))
    for task in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{task}/status", encoding="ascii") as file:
            masks = {name: int(mask, 16) for name, mask in re.findall(r"^(S\w\wPnd|SigBlk):\t(\w+)$", file.read(), re.M)}
        if (masks["SigPnd"] | masks["ShdPnd"]) & interrupt or masks["SigBlk"] == deadly:
            return False
    return True


def test_ctrl_c_twice(sandbox):
    """Ends it whatever the service is at: what became of the code is not known to tokenctl then; the status tells."""
    token = sandbox.token("etoken")
    token.fault("pause C_Login")
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        answer_unlock(terminal, sandbox)
        token.wait_paused()
        terminal.type("\x03")
        terminal.expect(r"\^C")
        # Of two that come at a time the kernel makes one.
        (process,) = (n for n, _, argv in sandbox.processes().values() if argv[:2] == ["tokenctl", "unlock"])
        wait_until(lambda: has_taken_interrupt(process), what="the first one")
        terminal.type("\x03")
        terminal.expect("\nInterrupted. If the code was sent already.*“tokenctl status”")
        assert terminal.finish() == CTRL_C
        assert terminal.is_echoing()
    token.clear_faults()
    wait_until(lambda: not sandbox.hosts("operate"), what="the operation's end")
    assert token.login(NEW_PIN)


def test_ctrl_c_while_the_status_is_read_after_it(sandbox):
    """A wrong code was sent, and cost a try: that nothing was sent is not said any more."""
    token = sandbox.token("etoken")
    token.fault("pause C_Login")
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        answer(terminal, "PUK: ", "87654321")
        answer(terminal, "New PIN .*: ", NEW_PIN)
        answer(terminal, "once more: ", NEW_PIN)
        token.wait_paused()
        token.fault("pause C_GetTokenInfo watch")
        token.wait_paused("C_GetTokenInfo")
        (process,) = (n for n, _, argv in sandbox.processes().values() if argv[:2] == ["tokenctl", "unlock"])
        wait_until_asleep([process], seconds=0.5)
        terminal.type("\x03")
        terminal.expect("\nInterrupted. If the code was sent already.*“tokenctl status”")
        assert terminal.finish() == CTRL_C
        assert "Nothing was sent" not in terminal.text
    token.clear_faults()
    assert token.counters() == {"pin": 3, "puk": 2}


def test_last_try_needs_the_label(sandbox):
    """Anything but the label ends it before a code is asked for; with the label it goes."""
    token = sandbox.token("etoken")
    token.wrong_puk(2)
    for word in ("", "etoken", "yes", token.serial):
        with nothing_sent(token), sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
            terminal.expect("1 try left")
            terminal.expect(r"type the token's label \(ETOKEN\).*: $")
            terminal.type_line(word)
            assert terminal.finish() == REFUSED
            assert "No" in terminal.text and "no try was spent" in terminal.text
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        terminal.expect(r"type the token's label \(ETOKEN\).*: $")
        terminal.type_line("ETOKEN")
        answer_unlock(terminal, sandbox)
        assert terminal.finish() == DONE
    assert token.counters() == {"pin": 3, "puk": 3}
    assert token.sign(NEW_PIN)


def test_ctrl_d_at_the_last_try(sandbox):
    """As at each prompt, what is said then begins a line."""
    token = sandbox.token("etoken")
    token.wrong_puk(2)
    with nothing_sent(token), sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        terminal.expect(r"type the token's label \(ETOKEN\).*: $")
        terminal.type("\x04")
        terminal.expect("\ntokenctl: Cancelled. Nothing was sent to the token.\n")
        assert terminal.finish() == REFUSED


def test_a_label_as_a_keyboard_makes_it(make_sandbox):
    """ë is one character there, and two on the token."""
    sandbox = make_sandbox(["etoken:label=e\\314\\210"])
    token = sandbox.token("etoken")
    token.wrong_puk(2)
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        terminal.expect("type the token's label.*: $")
        terminal.type_line("\u00eb")
        answer_unlock(terminal, sandbox)
        assert terminal.finish() == DONE


@pytest.mark.parametrize("language", ["en", "tr"])
def test_the_table_has_room_on_a_terminal(sandbox, language):
    """Also of a token on its last tries: 80 columns are enough, and the last try is not said to be one of many."""
    token = sandbox.token("etoken")
    token.wrong_pin(2)
    token.wrong_puk(2)
    shown = sandbox.tokenctl("alice", "status", env={"LANGUAGE": language}).stdout
    table = shown.split("\n\n")[0].splitlines()
    assert len(table) == 2 and max(map(len, table)) <= 80, shown
    assert re.findall(r"\b1 of 3 tries left|: 1 / 3", table[1]) == ["1 of 3 tries left" if language == "en" else ": 1 / 3"] * 2
    assert {"en": "if it is wrong, the PIN is locked", "tr": "o da hatalı olursa PIN kodu kilitlenir"}[language] in shown


def test_verbose_status(sandbox):
    """Which profiles were taken and why, by whose file; and that there is none."""
    issuer = "CN=Simulated signer,O=Simulated issuer,C=TR"
    restart_with_profile(sandbox, "e-guven", "[Match]\nIssuers=*Simulated issuer*\n")
    plain = sandbox.tokenctl("alice", "status").stdout
    lines = sandbox.tokenctl("alice", "status", "--verbose").stdout.removeprefix(plain).splitlines()
    assert lines[:3] == [
        "",
        "ETOKEN:",
        "  Profile: etoken (file “libeToken.so”, manufacturer “SafeNet, Inc.”, model “eToken”)",
    ]
    assert lines[3:] == [
        f"  Provider: e-guven (certificate issuer “{issuer}”)",
        f"  By the administrator's file: {ADMIN_PROFILES}/e-guven.conf",
    ]
    (status,) = sandbox.status()
    assert status["module-profile-match"]["file"] == "libeToken.so"
    assert status["provider-match"] == {"issuer": issuer}
    assert status["provider-override"] == f"{ADMIN_PROFILES}/e-guven.conf"
    assert "module-profile-override" not in status

    restart_with_profile(sandbox, "etoken", "[Match]\nModels=another\n")
    shown = sandbox.tokenctl("alice", "status", "--verbose").stdout
    assert "Profile: none: nothing is known of tokens of this kind" in shown and "unlocking is not offered" in shown


def test_colours(sandbox):
    """A locked PIN stands out on a terminal, but not with NO_COLOR, and never in a pipe."""
    sandbox.token("etoken").wrong_pin(3)
    shown = {}
    environments = {"plain": {}, "no": {"NO_COLOR": "1"}, "empty": {"NO_COLOR": ""}, "dumb": {"TERM": "dumb"}}
    for name, environment in environments.items():
        with sandbox.terminal("alice", ["tokenctl", "status"], env=environment) as terminal:
            assert terminal.finish() == DONE
        assert "locked" in terminal.text
        shown[name] = "\x1b[" in terminal.text
    assert shown == {"plain": True, "no": False, "empty": True, "dumb": False}
    assert "\x1b" not in sandbox.tokenctl("alice", "status").stdout


def test_the_service_restarts_while_the_codes_are_typed(sandbox):
    """Codes go to the process that told of the token, or nowhere."""
    token = sandbox.token("etoken")
    with nothing_sent(token), sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        terminal.expect("PUK: $")
        sandbox.stop_tokend()
        sandbox.start_tokend()
        answer(terminal, "", sandbox.puk)
        answer(terminal, "New PIN .*: ", NEW_PIN)
        answer(terminal, "New PIN once more: ", NEW_PIN)
        assert terminal.finish() == REFUSED
    assert "restarted" in terminal.text and terminal.text.lower().count("no try was spent") == 1
    assert unlock(sandbox).returncode == DONE


# For scripts


def test_codes_by_descriptor(sandbox):
    """One trailing newline is taken off, and nothing else; whatever cannot be a code costs no try."""
    token = sandbox.token("etoken")
    for puk, new in ((sandbox.puk, "4321"), (sandbox.puk + "\n", "4322"), (sandbox.puk, "4323\n")):
        finished = unlock(sandbox, puk=puk, new=new)
        assert finished.returncode == DONE, finished.stderr
        assert token.login(new.strip())
    assert set_pin(sandbox, pin="4323\n", new="8765\n").returncode == DONE
    assert token.login("8765")

    with nothing_sent(token):
        for puk in ("", "\n", sandbox.puk + "\n\n", sandbox.puk + "\r\n", "\x1b" + sandbox.puk, "1" * 256):
            assert unlock(sandbox, puk=puk).returncode == USAGE, repr(puk)
        assert unlock(sandbox, new="").returncode == USAGE
        for puk in (" " + sandbox.puk, sandbox.puk + " \n"):
            assert unlock(sandbox, puk=puk).returncode == REFUSED, repr(puk)


def test_usage(sandbox):
    """Wrong usage is 2, says what is wrong, and reaches no token."""
    token = sandbox.token("etoken")
    wrong = [
        [],
        ["unlcok"],
        ["--pin"],
        ["unlock"],
        ["set-pin"],
        ["unlock", "--puk-fd", "0"],
        ["unlock", "--puk-fd", "77", "--new-pin-fd", "78"],
        ["unlock", "--puk-fd", "x"],
        ["unlock", "--puk", "12345678"],
        ["unlock", "--pin-fd", "0"],
        ["unlock", "ETOKEN", "ETOKEN"],
        ["set-pin", "--puk-fd", "0"],
        ["status", "ETOKEN", "02a0b1c1", "more"],
        ["status", "--yes"],
        ["modules", "more"],
        ["monitor", "more"],
    ]
    with nothing_sent(token):
        for words in wrong:
            finished = without_terminal(sandbox, *words)
            assert finished.returncode == USAGE, words
            assert finished.stdout == "", words
            assert finished.stderr.startswith("tokenctl: "), words
    assert "terminal" in without_terminal(sandbox, "unlock").stderr


def test_help_and_version(sandbox):
    """Each command explains itself; no option anywhere takes a code."""
    with open(f"{SOURCE}/meson.build", encoding="utf-8") as file:
        version = re.search(r"version: '([^']*)'", file.read())[1]
    assert sandbox.tokenctl("bob", "--version").stdout == f"tokenctl {version}\n"
    overview = sandbox.tokenctl("bob", "--help")
    assert overview.returncode == DONE
    for command in COMMANDS:
        assert f"  {command}" in overview.stdout
        for option in ("--help", "-h"):
            shown = sandbox.tokenctl("bob", command, option)
            assert (shown.returncode, shown.stderr) == (DONE, "")
            assert shown.stdout.startswith(f"Usage:\n  tokenctl {command}")
        options = re.findall(r"--[a-z-]+(?:=\S+)?", shown.stdout)
        assert {option for option in options if "=" in option} <= {"--puk-fd=N", "--pin-fd=N", "--new-pin-fd=N"}
        for status in ("not authorized", "no such token", "wrong code", "locked", "safety", "busy", "not known"):
            assert status in shown.stdout


def test_every_option_is_documented_and_completed(sandbox):
    """The manual's synopsis and both shells offer what --help does, and nothing else."""
    with open(f"{SOURCE}/client/tokenctl.1", encoding="utf-8") as file:
        synopsis = file.read().replace("\\-", "-").split(".SH DESCRIPTION")[0]
    with open(f"{SOURCE}/client/completions/_tokenctl", encoding="utf-8") as file:
        zsh = file.read().split("case $words[1] in")[1]
    script = f"source {SOURCE}/client/completions/tokenctl.bash; COMP_WORDS=(tokenctl $0 --) COMP_CWORD=2; _tokenctl"
    for command in COMMANDS:
        offered = set(re.findall(r"--[a-z-]+", sandbox.tokenctl("bob", command, "--help").stdout))
        documented = re.search(rf"^\.SY tokenctl\n\.B {command}\n((?:\.OP .*\n)*)", synopsis, re.MULTILINE)[1]
        assert set(re.findall(r"--[a-z-]+", documented)) | {"--help"} == offered
        zsh_case = re.search(rf"^  (?:\w+ \| )?{command}(?: \| \w+)?\)\n(.*?);;", zsh, re.MULTILINE | re.DOTALL)[1]
        assert set(re.findall(r"'(--[a-z-]+)", zsh_case)) == offered
        shown = ["bash", "-c", script + '; printf "%s\\n" "${COMPREPLY[@]}"', command]
        completed = subprocess.run(shown, stdout=subprocess.PIPE, text=True, check=True).stdout
        assert set(completed.split()) == offered


def test_exit_codes_of_wrong_codes(sandbox):
    """5 wrong code, 7 refused for safety, 6 locked, and what is left is said each time; --final-attempt."""
    token = sandbox.token("etoken")
    finished = unlock(sandbox, puk=WRONG_PUKS[0])
    assert finished.returncode == WRONG_CODE
    assert "2 of 3 tries left" in finished.stderr
    with nothing_sent(token):
        finished = unlock(sandbox, puk=WRONG_PUKS[0])
        assert finished.returncode == REFUSED
        assert "before" in finished.stderr and "No try was spent" in finished.stderr
    assert unlock(sandbox, puk=WRONG_PUKS[1]).returncode == WRONG_CODE
    with nothing_sent(token):
        finished = unlock(sandbox, puk=WRONG_PUKS[2])
        assert finished.returncode == REFUSED
        assert "--final-attempt" in finished.stderr
    assert unlock(sandbox, "--final-attempt", puk=WRONG_PUKS[2]).returncode == WRONG_CODE
    with nothing_sent(token):
        assert unlock(sandbox, "--final-attempt").returncode == LOCKED

    for pin, options in zip(WRONG_PINS, ([], [], ["--final-attempt"])):
        assert set_pin(sandbox, *options, pin=pin).returncode == WRONG_CODE
    with nothing_sent(token):
        finished = set_pin(sandbox)
    assert finished.returncode == LOCKED
    assert finished.stdout == ""
    assert token.counters() == {"pin": 0, "puk": 0}


def test_other_exit_codes(make_sandbox):
    """3 not authorized, 4 no such token, 7 a new PIN that breaks the rules, 8 busy, 9 outcome unknown, 1 the rest."""
    sandbox = make_sandbox(["etoken:refused-new-pins=0123"])
    token = sandbox.token("etoken")
    with nothing_sent(token):
        for command in ("status", "modules", "monitor"):
            refused = sandbox.tokenctl("bob", command, env={"LANGUAGE": "tr"})
            assert refused.returncode == NOT_AUTHORIZED
            assert "polkit, org.tokend.read-status için izin vermiyor" in refused.stderr
        assert unlock(sandbox, user="bob").returncode == NOT_AUTHORIZED
        assert unlock(sandbox, "NOBODY").returncode == NO_SUCH_TOKEN
        assert sandbox.tokenctl("alice", "status", "NOBODY").returncode == NO_SUCH_TOKEN
        assert unlock(sandbox, new="123").returncode == REFUSED
        assert set_pin(sandbox, new="1" * 17).returncode == REFUSED
        with Client(sandbox) as client:
            client.subscribe()
            (path,) = client.tokens()
            token.fault("pause C_OpenSession operate")
            client.begin_operation("Unlock", path, sandbox.puk, NEW_PIN)
            token.wait_paused()
            assert unlock(sandbox).returncode == BUSY
            client.close()
        # The bus has told tokend of that before it hands on this call.
        assert sandbox.tokenctl("alice", "modules").returncode == DONE
        token.clear_faults()
    wait_until(lambda: not sandbox.hosts("operate"), what="the end of the operation whose caller left")
    assert unlock(sandbox, new="0123").returncode == REFUSED
    assert token.counters() == {"pin": 3, "puk": 3}

    token.fault("crash C_Login 1 after")
    finished = unlock(sandbox, puk=WRONG_PUKS[0])
    token.clear_faults()
    assert finished.returncode == UNKNOWN
    assert token.counters() == {"pin": 3, "puk": 2}

    token.fault("error C_Login * CKR_DEVICE_ERROR")
    finished = unlock(sandbox)
    assert finished.returncode == FAILED
    assert "CKR_DEVICE_ERROR" in finished.stderr
    token.clear_faults()
    sandbox.stop_tokend()
    assert sandbox.tokenctl("alice", "status").returncode == FAILED
    sandbox.start_tokend()
    assert unlock(sandbox).returncode == DONE


def test_a_token_without_a_puk(make_sandbox):
    """That is why it is not unlocked; its module's other tokens are."""
    sandbox = make_sandbox(["etoken:no-puk=true"])
    with nothing_sent(sandbox.token("etoken")):
        finished = unlock(sandbox)
    assert finished.returncode == FAILED
    assert "has no PUK" in finished.stderr and "no try was spent" in finished.stderr


def test_turkish(make_sandbox):
    """Also what the service has to say of it."""
    sandbox = make_sandbox(["etoken:refused-new-pins=0123"])
    token = sandbox.token("etoken")
    token.wrong_puk()
    finished = unlock(sandbox, new="0123", env={"LANGUAGE": "tr"})
    assert finished.returncode == REFUSED
    assert finished.stderr == (
        "tokenctl: Yeni PIN kodu kabul edilmedi. (PUK kodu doğru, ama cihaz yeni PIN kodunu reddetti; deneme hakkı "
        "harcanmadı)\n"
        "Deneme hakkı harcanmadı. PUK kodu: kalan deneme hakkı: 3 / 3.\n"
        "Başka bir yeni PIN kodu seçin.\n"
    )
    overview = sandbox.tokenctl("alice", "--help", env={"LANGUAGE": "tr"}).stdout
    assert "\n  unlock   [CİHAZ…]  PUK koduyla" in overview and "\n  modules            Cihazların" in overview
    assert "[CİHAZ…]\n" in sandbox.tokenctl("alice", "unlock", "--help", env={"LANGUAGE": "tr"}).stdout


def test_the_service_ends_while_a_password_is_asked_for(sandbox):
    """Nothing was sent, and that is said; not that the outcome is not known."""
    token = sandbox.token("etoken")
    with nothing_sent(token), sandbox.terminal("carol", ["tokenctl", "unlock"]) as terminal:
        terminal.expect("Password: ")
        sandbox.stop_tokend()
        terminal.expect("The service was ending, so nothing was sent.")
        terminal.expect("Run the command again.")
        assert terminal.finish() == BUSY
        assert terminal.is_echoing()
    assert token.login(sandbox.pin)


def test_which_token_is_meant(make_sandbox):
    """Label, serial or a unique prefix; an exact one goes before a prefix; several are listed."""
    sandbox = make_sandbox(["etoken:label=AB,serial=0001", "etoken:label=ABC,serial=0002", "softhsm"])

    def meant(*words):
        finished = sandbox.tokenctl("alice", "status", "--json", *words)
        if finished.returncode == DONE:
            return [status["label"] for status in json.loads(finished.stdout)]
        assert finished.stdout == ""
        return finished.returncode

    assert meant() == ["AB", "ABC", "SOFTHSM"]
    assert meant("AB") == ["AB"]
    assert meant("ABC") == ["ABC"]
    assert meant("S") == ["SOFTHSM"]
    assert meant("0002") == ["ABC"]
    assert meant("A") == USAGE
    assert meant("000") == USAGE
    assert meant("X") == NO_SUCH_TOKEN
    assert meant("") == NO_SUCH_TOKEN
    assert meant("--", "AB") == ["AB"]
    ambiguous = unlock(sandbox)
    assert ambiguous.returncode == USAGE
    assert all(word in ambiguous.stderr for word in ("“AB”", "“ABC”", "“0001”", "“0002”", "“SOFTHSM”"))
    finished = unlock(sandbox, "ABC")
    assert finished.returncode == DONE, finished.stderr
    assert sandbox.token("etoken2").login(NEW_PIN)
    assert sandbox.token("etoken").login(sandbox.pin)


def type_pins(terminal, pin):
    answer(terminal, "Present PIN: ", pin)
    answer(terminal, "New PIN .*: ", NEW_PIN)
    answer(terminal, "New PIN once more: ", NEW_PIN)


@pytest.mark.parametrize("language", ["en", "tr"])
def test_a_code_that_was_refused_before(sandbox, language):
    """A person is told when, and that it costs a try if it is wrong; anything but yes sends nothing. A script has an option."""
    token = sandbox.token("etoken")
    wrong = WRONG_PINS[0]
    env = {"LANGUAGE": language}
    asked = {"en": "costs a try.*yes.*: $", "tr": "deneme hakkı gider.*evet.*: $"}[language]
    yes = {"en": "Yes", "tr": "evet"}[language]
    assert set_pin(sandbox, pin=wrong).returncode == WRONG_CODE
    for word in ("", "y", "no"):
        with nothing_sent(token), sandbox.terminal("alice", ["tokenctl", "set-pin"], env=env) as terminal:
            if language == "tr":
                for prompt, code in (("Şimdiki PIN kodu: ", wrong), ("Yeni PIN kodu .*: ", NEW_PIN), ("bir kez daha: ", NEW_PIN)):
                    answer(terminal, prompt, code)
            else:
                type_pins(terminal, wrong)
            terminal.expect(asked)
            assert re.search(r"\d+ \w+ \d{4}, \d\d[:.]\d\d", terminal.text)
            terminal.type_line(word)
            assert terminal.finish() == REFUSED
            assert terminal.is_echoing()
    with nothing_sent(token):
        finished = set_pin(sandbox, pin=wrong)
        assert (finished.returncode, "--send-refused-code" in finished.stderr) == (REFUSED, True), finished
    if language == "en":
        with sandbox.terminal("alice", ["tokenctl", "set-pin"]) as terminal:
            type_pins(terminal, wrong)
            terminal.expect(asked)
            terminal.type_line(yes)
            terminal.expect("The PIN is not right")
            assert terminal.finish() == WRONG_CODE
    else:
        assert set_pin(sandbox, "--send-refused-code", pin=wrong).returncode == WRONG_CODE
    assert token.counters() == {"pin": 1, "puk": 3}


@pytest.mark.parametrize("start", ["ETOKEN", "ETO", "02a0b1"])
def test_the_start_of_a_name_is_for_a_person(make_sandbox, start):
    """A script's code does not go to a token that only begins like the one that is meant; a person is asked."""
    sandbox = make_sandbox(["etoken:label=ETOKEN2"])
    token = sandbox.token("etoken")
    with nothing_sent(token):
        for finished in (unlock(sandbox, start), set_pin(sandbox, start)):
            assert finished.returncode == NO_SUCH_TOKEN, finished
            assert "“ETOKEN2”" in finished.stderr and "Did you mean ETOKEN2?" in finished.stderr
        for answer_to_it in ("", "y", "ETOKEN2"):
            with sandbox.terminal("alice", ["tokenctl", "unlock", start]) as terminal:
                terminal.expect(f"Token: ETOKEN2, serial {token.serial}\n")
                terminal.expect(rf"“{start}” is only the start .* If so, type yes.*: $")
                terminal.type_line(answer_to_it)
                terminal.expect("Not confirmed. Nothing was sent")
                assert terminal.finish() == REFUSED
            assert not re.search("^PUK: ?$", terminal.text, re.MULTILINE)
        # One code at hand, and a person for the other: nobody is asked which token is meant.
        script = f"tokenctl unlock {start} --puk-fd 3 3< <(printf 1)"
        with sandbox.terminal("alice", ["bash", "-c", script]) as terminal:
            assert terminal.finish() == NO_SUCH_TOKEN
    for language, yes in (("en", "yes"), ("tr", "Evet")):
        with sandbox.terminal("alice", ["tokenctl", "unlock", start], env={"LANGUAGE": language}) as terminal:
            terminal.expect("Enter.*: $")
            terminal.type_line(yes)
            if language == "en":
                answer_unlock(terminal, sandbox)
                assert terminal.finish() == DONE
            else:
                terminal.expect("PUK kodu: $")
    assert token.login(NEW_PIN)


def test_a_name_that_is_not_quite_right(make_sandbox):
    """Is not taken, be it for a letter's case alone, or for quotes that the shell has eaten; it is suggested, quoted."""
    sandbox = make_sandbox(["etoken:label=My card", "softhsm"])
    with nothing_sent(sandbox.token("etoken")):
        for words in (["my card"], ["My", "card"], ["My Card"]):
            finished = unlock(sandbox, *words)
            assert finished.returncode == NO_SUCH_TOKEN, finished
            assert "Did you mean 'My card'?" in finished.stderr
        finished = unlock(sandbox, "SOMETHING")
        assert finished.returncode == NO_SUCH_TOKEN and "Did you mean" not in finished.stderr
        assert "“My card”" in finished.stderr and "“SOFTHSM”" in finished.stderr
    assert unlock(sandbox, "My card", sandbox.token("etoken").serial).returncode == DONE


def advised(sandbox, serial):
    """The words of the command by which status says that the locked token with this serial number can be unlocked."""
    shown = sandbox.tokenctl("alice", "status").stdout
    lines = [line for line in shown.splitlines() if "tokenctl unlock " in line and serial in line]
    return {tuple(shlex.split(line.partition("tokenctl unlock ")[2])) for line in lines}


def test_two_cards_with_the_same_labels(make_sandbox):
    """Status advises the serial number, which names the card whose PIN is one; and what is advised is taken."""
    sandbox = make_sandbox(["openpgp-card", "openpgp-card"])
    locked, other = sandbox.token("openpgp-card"), sandbox.token("openpgp-card2")
    wait_until(lambda: len(sandbox.status()) == 4, what="both cards")
    locked.wrong_pin(3)
    label = locked.label
    with nothing_sent(locked), nothing_sent(other):
        assert unlock(sandbox, "--final-attempt", label, new="654321").returncode == USAGE
    ((words),) = advised(sandbox, locked.serial)
    assert len(words) == 1 and words[0].endswith(locked.serial)
    with nothing_sent(locked), nothing_sent(other):
        assert unlock(sandbox, "--final-attempt", words[0][:-1], new="654321").returncode == NO_SUCH_TOKEN
    with nothing_sent(other):
        finished = unlock(sandbox, "--final-attempt", *words, new="654321")
        assert finished.returncode == DONE, finished.stderr
    assert locked.login("654321")
    with nothing_sent(locked):
        finished = unlock(sandbox, "--final-attempt", label, words[0].replace(locked.serial, other.serial), new="765432")
        assert finished.returncode == DONE, finished.stderr
    assert sent(other), "the codes that it was given"


def test_two_cards_of_two_pins(make_sandbox):
    """Then it takes the label and the serial number to name one, which is what status advises."""
    sandbox = make_sandbox(["pkcs15-card:pins=2", "pkcs15-card:pins=2"])
    locked, other = sandbox.token("pkcs15-card"), sandbox.token("pkcs15-card2")
    wait_until(lambda: len(sandbox.status()) == 4, what="both cards")
    for _ in range(3):
        set_pin(sandbox, "--final-attempt", "--send-refused-code", locked.label, locked.serial, pin="111111", new="654321")
    ((words),) = advised(sandbox, locked.serial)
    assert words == (locked.label, locked.serial)
    with nothing_sent(locked), nothing_sent(other):
        for too_few in words:
            assert unlock(sandbox, "--final-attempt", too_few, new="654321").returncode == USAGE
        assert unlock(sandbox, "--final-attempt", *reversed(words), new="654321").returncode == NO_SUCH_TOKEN
    with nothing_sent(other):
        finished = unlock(sandbox, "--final-attempt", *words, new="654321")
        assert finished.returncode == DONE, finished.stderr
    assert locked.login("654321")


@pytest.mark.parametrize("since", ["it is known", "the service starts"])
@pytest.mark.parametrize("how", ["exclusive", "shared"])
def test_a_card_that_another_program_uses_may_be_meant(make_sandbox, how, since):
    """It is busy, and not gone; and no code goes to the only other token instead."""
    sandbox = make_sandbox(["piv-card", "etoken:serial=0001"])
    card, token = sandbox.token("piv-card"), sandbox.token("etoken")
    wait_until(lambda: len(sandbox.status()) == 2, what="the card")
    serial = sandbox.status(token=card.label)["serial"]
    with CardUser(sandbox) as user:
        if since == "the service starts":
            sandbox.stop_tokend()
        wait_until(lambda: user.ask("connect", 0, how) == "done", what="the card to be free")
        if how == "shared":
            user.do("begin")
        if since == "the service starts":
            sandbox.start_tokend()
        with nothing_sent(token):
            finished = set_pin(sandbox)
            assert finished.returncode == REFUSED, finished
            for name in (serial, card.label):
                finished = set_pin(sandbox, name, new="654321")
                assert finished.returncode == BUSY, finished
                assert "program is using" in finished.stderr and name in finished.stderr
                assert sandbox.tokenctl("alice", "status", name).returncode == BUSY
            # The card may have that label as well.
            assert set_pin(sandbox, "ETOKEN", pin="1234", new="654321").returncode == REFUSED
        assert set_pin(sandbox, "0001", pin="1234", new="654321").returncode == DONE
    # Who asks before the read is over that has waited for the other program is told that it is busy still.
    wait_until(lambda: sandbox.tokenctl("alice", "status", serial).returncode == DONE, what="the card again")
    assert set_pin(sandbox, "--final-attempt", serial, new="654321").returncode == DONE
    assert card.login("654321")


def test_a_token_that_is_not_there_yet_may_be_meant(make_sandbox):
    """While a module loads, or once it has failed, only a serial says to a script which token is meant; a person is asked,
    unless it is a whole label."""
    sandbox = make_sandbox(["etoken", "softhsm"])
    (serial,) = [status["serial"] for status in sandbox.status() if status["label"] == "SOFTHSM"]
    sandbox.token("etoken").fault("hang-on-load")
    sandbox.stop_tokend()
    sandbox.start_tokend()

    def state():
        modules = json.loads(sandbox.tokenctl("alice", "modules", "--json").stdout)
        return next(module["state"] for module in modules if module["name"] == "etoken")

    assert set_pin(sandbox, serial).returncode == DONE
    assert state() == "loading"
    for wanted in ("loading", "failed"):
        wait_until(lambda wanted=wanted: state() == wanted, 40, "the failure")
        for words in ([], ["SOFTHSM"]):
            finished = set_pin(sandbox, *words, pin=NEW_PIN, new="8765")
            assert (finished.returncode, "no try was spent" in finished.stderr) == (REFUSED, True), finished
        # A module that is loading is waited for: it fails, or is loading still.
        with sandbox.terminal("alice", ["tokenctl", "set-pin", "SOFT"]) as terminal:
            terminal.expect("“etoken” has failed.*Is this the token that you mean?|Not every token could be read")
        assert not re.search("^PIN: ?$", terminal.text, re.MULTILINE)
        with sandbox.terminal("alice", ["tokenctl", "set-pin", "SOFTHSM"]) as terminal:
            terminal.expect("Token: SOFTHSM")
    assert set_pin(sandbox, "SOFTHSM", serial, pin=NEW_PIN, new="2468").returncode == DONE
    assert sandbox.token("softhsm").login("2468")


def expect_doubt(sandbox, *arguments):
    """By the start of a name, on a terminal: it is refused before anything is asked, since another may be meant."""
    with sandbox.terminal("alice", ["tokenctl", *arguments]) as terminal:
        terminal.expect("by its serial, or by its whole label if no code comes from a descriptor. Nothing was sent; no try was spent")
        assert terminal.finish() == REFUSED
    assert "Token: " not in terminal.text


def test_a_token_of_a_module_that_has_failed_may_be_meant(make_sandbox):
    """What is wrong is said; a code is taken only for a token that is named, and asked for only once it was said that it is
    the one. Status shows that one, and says that there may be others."""
    sandbox = make_sandbox(["etoken"], modules={"gone": "/nonexistent/libgone.so"})
    token = sandbox.token("etoken")
    with nothing_sent(token):
        for finished in (unlock(sandbox), set_pin(sandbox)):
            assert finished.returncode == REFUSED, finished
            assert "“gone” has failed" in finished.stderr
            assert "by its serial. Nothing was sent; no try was spent" in finished.stderr
        for words in ([], ["ETO"]):
            with sandbox.terminal("alice", ["tokenctl", "unlock", *words]) as terminal:
                terminal.expect("Token: ETOKEN")
                terminal.expect("“gone” has failed, and .* is not seen. .*Is this the token that you mean?.*: $")
                terminal.type_line("no")
                assert terminal.finish() == REFUSED
            assert not re.search("^PUK: ?$", terminal.text, re.MULTILINE)
            assert ("only the start" in terminal.text) == bool(words)
    with sandbox.terminal("alice", ["tokenctl", "set-pin"]) as terminal:
        terminal.expect("“gone” has failed.*: $")
        terminal.type_line("yes")
        terminal.expect("PIN: $")
    finished = unlock(sandbox, "ANOTHER")
    assert finished.returncode == NO_SUCH_TOKEN and "tokenctl modules" in finished.stderr
    finished = sandbox.tokenctl("alice", "status")
    assert (finished.returncode, len(finished.stderr.splitlines())) == (DONE, 1)
    assert "“gone” could not be read" in finished.stderr and "ETOKEN" in finished.stdout
    for arguments in (["ETOKEN"], ["--json"]):
        assert sandbox.tokenctl("alice", "status", *arguments).stderr == ""
    assert unlock(sandbox, "ETOKEN").returncode == REFUSED
    assert unlock(sandbox, sandbox.status()[0]["serial"]).returncode == DONE
    assert token.login(NEW_PIN)


def test_a_token_that_cannot_be_read_may_be_meant(make_sandbox):
    """Then too, a script says by a serial alone which token is meant, and a person is asked."""
    sandbox = make_sandbox(["etoken", "softhsm"])
    token = sandbox.token("softhsm")
    (serial,) = [status["serial"] for status in sandbox.status() if status["label"] == "SOFTHSM"]
    monitor = sandbox.popen("alice", ["tokenctl", "monitor"], stdout=subprocess.PIPE, text=True)
    assert {monitor.stdout.readline().split()[2] for _ in range(2)} == {"ETOKEN:", "SOFTHSM:"}
    sandbox.token("etoken").fault("error C_GetSlotList * CKR_DEVICE_ERROR")
    finished = set_pin(sandbox)
    assert finished.returncode == REFUSED, finished
    assert "by its serial. Nothing was sent" in finished.stderr
    with sandbox.terminal("alice", ["tokenctl", "set-pin", "SOFT"]) as terminal:
        # The module is tried again: it may not be known yet that it fails again.
        terminal.expect("“etoken” has failed.*Is this the token that you mean?|Not every token could be read")
    assert set_pin(sandbox, "SOFTHSM").returncode == REFUSED
    assert token.login(sandbox.pin)
    assert set_pin(sandbox, serial).returncode == DONE
    assert token.login(NEW_PIN)
    monitor.terminate()
    assert monitor.wait(10) == DONE
    monitor.stdout.close()


@pytest.mark.parametrize("meant, other", [("piv-card", "pkcs15-card"), ("pkcs15-card", "piv-card")])
def test_a_card_that_cannot_be_read_may_be_meant(make_sandbox, meant, other):
    """However often one call has it read: its code does not go to the only other card."""
    sandbox = make_sandbox([meant, other])
    wait_until(lambda: len(sandbox.status()) == 2, what="both cards")
    sandbox.token(meant).fault("error * * 6F00")
    with nothing_sent(sandbox.token(other)):
        finished = set_pin(sandbox, "--final-attempt", new="654321")
        assert finished.returncode == REFUSED, finished
    assert "by its serial, or by its whole label if no code" in finished.stderr
    sandbox.token(meant).clear_faults()
    wait_until(lambda: len(sandbox.status()) == 2, what="both cards again")
    assert set_pin(sandbox, "--final-attempt", sandbox.token(meant).label, new="654321").returncode == DONE
    assert sandbox.token(meant).login("654321")


@pytest.mark.parametrize("fds", [("5", "3"), ("3", "5")])
def test_a_descriptor_that_is_closed(sandbox, fds):
    """Its number must not become that of a descriptor of tokenctl's own."""
    token = sandbox.token("etoken")
    script = f"tokenctl unlock --puk-fd {fds[0]} --new-pin-fd {fds[1]} 5<&{{code}} 3<&-"
    with nothing_sent(token):
        finished = sandbox.run_with_codes("alice", ["bash", "-c", script], {"code": sandbox.puk})
        assert (finished.returncode, finished.stderr.count("not open")) == (USAGE, 1), finished


def test_standard_descriptors_that_are_closed(sandbox):
    """Nothing of tokenctl's own takes their place; what cannot be told is a failure."""
    script = "tokenctl status --json 0<&- 2>&-"
    finished = sandbox.run("alice", ["bash", "-c", script])
    assert finished.returncode == DONE
    assert json.loads(finished.stdout)[0]["label"] == "ETOKEN"
    assert sandbox.run("alice", ["bash", "-c", "tokenctl status >&-"]).returncode == FAILED
    script = "tokenctl unlock --puk-fd 0 --new-pin-fd 1 0<&- 1>&-"
    with nothing_sent(sandbox.token("etoken")):
        assert sandbox.run("alice", ["bash", "-c", script]).returncode == USAGE


def test_the_reason_of_a_module_in_turkish(sandbox):
    """Why it failed is for whoever asks for the modules to read, and not for the journal alone."""

    def is_told():
        for host in sandbox.hosts("watch"):
            sandbox.kill(host)
        return "Modülü çalıştıran süreç sona erdi" in sandbox.tokenctl("alice", "modules", env={"LANGUAGE": "tr"}).stdout

    wait_until(is_told, what="the reason")


def test_no_token(make_sandbox):
    """Nothing is plugged in: an empty list for a script, words for a person."""
    sandbox = make_sandbox([])
    shown = sandbox.tokenctl("alice", "status")
    assert (shown.returncode, shown.stdout) == (DONE, "")
    assert "No token" in shown.stderr
    assert json.loads(sandbox.tokenctl("alice", "status", "--json").stdout) == []
    assert json.loads(sandbox.tokenctl("alice", "modules", "--json").stdout) == []
    assert unlock(sandbox).returncode == NO_SUCH_TOKEN


def test_modules(make_sandbox):
    """The table and the JSON say what GetModules does."""
    sandbox = make_sandbox(["softhsm"], modules={"broken": "/nonexistent.so"})
    with Client(sandbox) as client:
        listed = client.modules()
    assert json.loads(sandbox.tokenctl("alice", "modules", "--json").stdout) == listed
    table = sandbox.tokenctl("alice", "modules").stdout.splitlines()
    assert [line.split()[:2] for line in table] == [["NAME", "STATE"], ["broken", "failed"], ["softhsm", "ready"]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_monitor(sandbox, number):
    """A line a change, and a JSON object a line; it ends well when it is told to."""
    token = sandbox.token("etoken")
    monitors = [
        sandbox.popen("alice", ["tokenctl", "monitor", *options], stdout=subprocess.PIPE, text=True)
        for options in ([], ["--json"])
    ]

    def next_event(what, words):
        line, event = monitors[0].stdout.readline(), json.loads(monitors[1].stdout.readline())
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d  ETOKEN: " + words + "\n", line), line
        assert (event["event"], event["label"]) == (what, "ETOKEN")
        assert event["path"].startswith("/org/tokend/Tokend1/tokens/")
        return event

    full = "3 of 3 tries left"
    next_event("added", f"here; PIN: {full}; PUK: {full}")
    token.wrong_pin()
    assert next_event("changed", f"PIN: {full} → 2 of 3 tries left")["pin-retries-remaining"] == 2
    token.wrong_puk()
    assert next_event("changed", f"PUK: {full} → 2 of 3 tries left")["puk-retries-remaining"] == 2
    token.fault("vanish")
    next_event("removed", "unplugged")
    token.clear_faults()
    next_event("added", "here; .*")
    for monitor in monitors:
        monitor.send_signal(number)
        assert monitor.wait(10) == DONE
        monitor.stdout.close()


def test_monitor_of_a_service_that_is_being_reinstalled(sandbox):
    """The bus does not tell when it can start it again: the monitor tries, and says once that it waits."""
    monitor = sandbox.popen("alice", ["tokenctl", "monitor"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert "ETOKEN: here" in monitor.stdout.readline()
    sandbox.stop_tokend()
    assert "Waiting for it to come back" in monitor.stderr.readline()
    command = ["dbus-monitor", "--system", "member=Subscribe"]
    listener = sandbox.popen("root", command, stdout=subprocess.PIPE, text=True)
    calls = (line for line in listener.stdout if "member=Subscribe" in line)
    assert "destination=org.tokend.Tokend1" in next(calls) and next(calls)
    sandbox.start_tokend()
    sandbox.token("etoken").wrong_pin()
    assert any("2 of 3 tries left" in line for line in monitor.stdout)
    for process in listener, monitor:
        process.terminate()
        process.wait(10)
        process.stdout.close()
    assert monitor.stderr.read() == ""
    monitor.stderr.close()
