# SPDX-License-Identifier: LGPL-2.1-or-later
"""tokend-notify: what a person sees, on a real screen, by a real notification server, in both languages.

Each case leaves a picture in the build folder's screenshots/.
"""

import datetime
import os
import re
import time

import pytest
from certificate import make_certificate
from desktop import Desktop
from sandbox import FOLDER, wait_until, wait_until_asleep
from support import Client, logind, restart_with_profile

NEW_PIN = "4321"
HOUR, DAY = 3600, 86400
# As E-Güven's own profile has it.
E_GUVEN = "Elektronik Bilgi Guvenligi A.S."
# The simulated eToken's certificate is then one of E-Güven's.
PROVIDER = "[Match]\nIssuers=*Simulated issuer*\n"
PAGE = "https://www.e-guven.com/destek-masasi/pin-sorgulama/"
SUPPORT = "E-Güven", "0 850 470 05 37"

WORDS = {
    "en": {
        "low": "ETOKEN: a PIN try was lost",
        "2 left": "PIN: 2 of 3 tries left.",
        "final": "ETOKEN: one PIN try is left",
        "next locks": "The next wrong PIN locks the token.",
        "locked": "ETOKEN: the PIN is locked",
        "with the PUK": "Unlock it with the PUK",
        "unlock": "Unlock…",
        "help": "How do I get the PUK?",
        "how": "ETOKEN: how to get the PUK",
        "what one needs": "last two digits of the mobile number",
        "puk low": "ETOKEN: a PUK try was lost",
        "puk 2 left": "PUK: 2 of 3 tries left.",
        "puk final": "ETOKEN: one PUK try is left",
        "no further": "Make no further try.",
        "loss": "With the third wrong PUK your e-signature certificate is deleted",
        "puk locked": "ETOKEN: the PUK is locked",
        "both locked": "ETOKEN: the PIN and the PUK are locked",
        "token": "Token: ETOKEN",
        "press": "Press Enter to close this window.",
        "ends in": "ETOKEN: the certificate ends in {} days",
        "ends today": "ETOKEN: the certificate ends today",
        "ends tomorrow": "ETOKEN: the certificate ends tomorrow",
        "has ended": "ETOKEN: the certificate has ended",
        "renew": "Renew it with E-Güven before then",
        "new one": "A new one is needed.",
    },
    "tr": {
        "low": "ETOKEN: PIN kodunun bir deneme hakkı gitti",
        "2 left": "PIN kodu: kalan deneme hakkı: 2 / 3.",
        "final": "ETOKEN: PIN kodunun bir deneme hakkı kaldı",
        "next locks": "Sıradaki hatalı PIN kodu cihazı kilitler.",
        "locked": "ETOKEN: PIN kodu kilitli",
        "with the PUK": "Kilidi PUK koduyla açıp",
        "unlock": "Kilidi aç…",
        "help": "PUK kodunu nasıl alırım?",
        "how": "ETOKEN: PUK kodu nasıl alınır",
        "what one needs": "cep numaranızın son 2 hanesini",
        "puk low": "ETOKEN: PUK kodunun bir deneme hakkı gitti",
        "puk 2 left": "PUK kodu: kalan deneme hakkı: 2 / 3.",
        "puk final": "ETOKEN: PUK kodunun bir deneme hakkı kaldı",
        "no further": "Daha fazla deneme yapmayın.",
        "loss": "PUK kodunuzu 3 kez hatalı girmeniz durumunda e-İmza sertifikanız silinir",
        "puk locked": "ETOKEN: PUK kodu kilitli",
        "both locked": "ETOKEN: PIN kodu da PUK kodu da kilitli",
        "token": "Cihaz: ETOKEN",
        "press": "Bu pencereyi kapatmak için Enter'a basın.",
        "ends in": "ETOKEN: sertifikanın süresi {} gün sonra doluyor",
        "ends today": "ETOKEN: sertifikanın süresi bugün doluyor",
        "ends tomorrow": "ETOKEN: sertifikanın süresi yarın doluyor",
        "has ended": "ETOKEN: sertifikanın süresi doldu",
        "renew": "Süresi dolmadan E-Güven üzerinden yenileyin",
        "new one": "Yeni bir sertifika gerekli.",
    },
}


def check(note, title, *parts, urgency="critical", actions=()):
    """What the server got: title and body, urgency, the actions' labels; what is critical stays."""
    assert note.title == title
    for part in parts:
        assert part in note.body
    assert note.urgency == urgency
    assert list(note.actions.values()) == list(actions)
    if urgency == "critical":
        assert note.timeout == 0


def unlock(sandbox):
    codes = {"puk": sandbox.puk, "new": NEW_PIN}
    done = sandbox.tokenctl("alice", "unlock", "--puk-fd", "{puk}", "--new-pin-fd", "{new}", codes=codes)
    assert done.returncode == 0, done.stderr


def sees(sandbox, **wanted):
    """Waits until tokend says this of its only token: what tokend-notify is told, it has been told before."""
    wanted = {key.replace("_", "-"): value for key, value in wanted.items()}

    def is_said():
        statuses = sandbox.status()
        return len(statuses) == 1 and all(statuses[0].get(key) == value for key, value in wanted.items())

    wait_until(is_said, what=f"{wanted}")


def in_terminal(desktop, command):
    """The command in a terminal that has nothing of tokend-notify's but the session."""
    return desktop.sandbox.terminal(desktop.user, command, env=desktop.session_environment)


@pytest.mark.parametrize("language", ["en", "tr"])
def test_pin(sandbox, language):
    """2 left, 1 left, well again, none left between two reads, help, unlock: one notification, changed in place."""
    words = WORDS[language]
    both = [words["unlock"], words["help"]]
    token = sandbox.token("etoken")
    restart_with_profile(sandbox, "e-guven", PROVIDER)
    with Desktop(sandbox, language) as desktop:
        desktop.start_notify()
        token.wrong_pin()
        note = desktop.wait_note(1)  # and none before: it says nothing about what is fine
        check(note, words["low"], words["2 left"], urgency="normal")
        number = note.id
        desktop.screenshot("pin-low")

        token.wrong_pin()
        note = desktop.wait_note(2)
        check(note, words["final"], words["next locks"])
        assert (note.replaces, note.id) == (number, number)
        desktop.screenshot("pin-final")

        assert token.login("1234")
        desktop.wait_closed(number)

        # Nobody reads while there is no service. It was restarted, and there is one thing to tell.
        sandbox.stop_tokend()
        token.wrong_pin(3)
        sandbox.start_tokend()
        note = desktop.wait_note(3)
        check(note, words["locked"], words["with the PUK"], actions=both)
        desktop.screenshot("pin-locked")

        # There is nothing here that opens pages: the text has the address.
        desktop.choose(words["help"])
        note = desktop.wait_note(4)
        check(note, words["how"], words["what one needs"], PAGE, actions=[words["unlock"]])
        desktop.screenshot("puk-help")

        desktop.choose(words["unlock"])
        option, *command = desktop.opened("terminal")
        assert option == "-e"
        with in_terminal(desktop, command) as terminal:
            terminal.expect(words["token"])
            terminal.expect(": $")
            terminal.type("\x03")
            terminal.expect(re.escape(words["press"]))
            terminal.type_line("")
            assert terminal.finish() == 0

        # Not told again when it comes back, nor when the service does.
        token.fault("vanish")
        wait_until(lambda: sandbox.status() == [], what="the removal")
        token.clear_faults()
        sees(sandbox, pin_state="locked")
        sandbox.stop_tokend()
        sandbox.start_tokend()
        sees(sandbox, pin_state="locked", provider="e-guven")

        unlock(sandbox)
        sees(sandbox, pin_state="ok")
        token.wrong_pin()
        check(desktop.wait_note(5), words["low"], urgency="normal")
        assert token.login(NEW_PIN)
        desktop.wait_closed(desktop.notes[-1].id)
        assert desktop.displayed() == 0


@pytest.mark.parametrize("language", ["en", "tr"])
def test_puk(sandbox, language):
    """A PUK try is lost, one is left, none: the support line, and what the last one costs. Then the PIN locks too."""
    words = WORDS[language]
    token = sandbox.token("etoken")
    restart_with_profile(sandbox, "e-guven", PROVIDER)
    with Desktop(sandbox, language) as desktop:
        desktop.install_browser()
        desktop.start_notify()
        token.wrong_puk()
        note = desktop.wait_note(1)
        check(note, words["puk low"], words["puk 2 left"], words["loss"], *SUPPORT, actions=[words["help"]])
        desktop.screenshot("puk-low")

        desktop.choose(words["help"])
        assert desktop.opened("browser") == [PAGE]
        note = desktop.wait_note(2)
        check(note, words["how"], words["what one needs"])
        assert PAGE not in note.body

        token.wrong_puk()
        note = desktop.wait_note(3)
        check(note, words["puk final"], words["no further"], words["loss"], *SUPPORT, actions=[words["help"]])
        desktop.screenshot("puk-final")

        token.wrong_puk()
        check(desktop.wait_note(4), words["puk locked"], *SUPPORT)
        desktop.screenshot("puk-locked")

        # No tries of the PIN are left either. On the way there it is told of each that is lost.
        sandbox.stop_tokend()
        token.wrong_pin(3)
        sandbox.start_tokend()
        check(desktop.wait_note(5), words["both locked"], *SUPPORT)
        desktop.screenshot("both-locked")


@pytest.mark.parametrize("language", ["en", "tr"])
def test_buttons(sandbox, language):
    """Another server, which shows the actions as buttons."""
    words = WORDS[language]
    sandbox.token("etoken").wrong_pin(3)
    with Desktop(sandbox, language, server="xfce4-notifyd") as desktop:
        desktop.start_notify()
        check(desktop.wait_note(1), words["locked"], actions=[words["unlock"], words["help"]])
        desktop.screenshot("buttons")


def test_unlock_closes_it(sandbox):
    """A wrong PUK on the way shows in the same notification; the unlock closes it, and is seen within 3 seconds."""
    words = WORDS["en"]
    token = sandbox.token("etoken")
    token.wrong_pin(3)
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        first = desktop.wait_note(1)  # at log-in
        check(first, words["locked"], actions=[words["unlock"], words["help"]])

        token.wrong_puk()
        note = desktop.wait_note(2)
        check(note, words["puk low"], "PIN: locked.", actions=[words["unlock"], words["help"]])
        assert note.id == first.id
        desktop.screenshot("locked-and-puk-low")

        unlock(sandbox)
        desktop.wait_closed(first.id)
        assert desktop.displayed() == 0
        assert len(desktop.notes) == 2


@pytest.mark.parametrize("kind, down", [("etoken:vendor-objects=false", [1, 1]), ("openpgp-card", [2])])
def test_flag_that_is_gone_closes_it(make_sandbox, kind, down):
    """Where no flag proves nothing, one that went when another program used the token is well all the same."""
    sandbox = make_sandbox([kind])
    for profile in ("etoken", "opensc-openpgp"):
        restart_with_profile(sandbox, profile, "[PIN]\nFlags=none\n")
    token = next(iter(sandbox.tokens.values()))
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        for count, wrong in enumerate(down, 1):
            token.wrong_pin(wrong)
            note = desktop.wait_note(count)
        assert "one PIN try is left" in note.title
        assert token.login(sandbox.pin)
        desktop.wait_closed(note.id)
        assert desktop.displayed() == 0


def test_two_tokens(make_sandbox):
    """Two with one label: a notification each, told apart by the serials' ends; each ends with its own token."""
    sandbox = make_sandbox(["etoken:label=WORK", "etoken:label=WORK"])
    first, second = sandbox.token("etoken"), sandbox.token("etoken2")
    first.fault("vanish")
    first_end, second_end = (f"(…{token.serial[-4:]})" for token in (first, second))
    second.wrong_pin(2)
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        note = desktop.wait_note(1)  # at log-in
        check(note, "WORK: one PIN try is left")

        # Another one is plugged in. Only now the first one's name is not enough.
        first.clear_faults()
        note = desktop.wait_note(2)
        check(note, f"WORK {second_end}: one PIN try is left")
        assert note.id == desktop.notes[0].id
        first.wrong_pin()
        note = desktop.wait_note(3)
        check(note, f"WORK {first_end}: a PIN try was lost", urgency="normal")
        assert note.id != desktop.notes[0].id
        wait_until(lambda: desktop.displayed() == 2, what="two notifications")
        desktop.screenshot("two-tokens")

        second.fault("vanish")
        desktop.wait_closed(desktop.notes[0].id)
        check(desktop.wait_note(4), "WORK: a PIN try was lost", urgency="normal")
        first.fault("vanish")
        desktop.wait_closed(desktop.notes[2].id)
        assert desktop.displayed() == 0
        for note in desktop.notes:
            assert first.serial not in note.text and second.serial not in note.text


def test_inserted_locked_token_with_a_hostile_label(make_sandbox):
    """Said once, however often it is plugged in; nothing in its label is markup, an option, or a shell's word."""
    label = "<b>&amp;$(id)"
    sandbox = make_sandbox([f"etoken:label={label}"])
    token = sandbox.token("etoken")
    token.wrong_pin(3)
    token.fault("vanish")
    wait_until(lambda: sandbox.status() == [], what="the removal")
    with Desktop(sandbox) as desktop, Client(sandbox) as client:
        desktop.remove_terminal()
        desktop.start_notify()
        client.subscribe()
        token.clear_faults()
        note = desktop.wait_note(1)
        check(note, f"{label}: the PIN is locked", actions=[WORDS["en"]["unlock"], WORDS["en"]["help"]])
        desktop.screenshot("hostile-label")

        # There is no terminal either.
        desktop.choose(WORDS["en"]["unlock"])
        note = desktop.wait_note(2)
        check(note, f"{label}: no terminal could be opened", "tokenctl unlock", actions=[WORDS["en"]["help"]])
        assert "&lt;b&gt;&amp;amp;$(id)" in note.body
        desktop.screenshot("no-terminal")

        token.fault("vanish")
        desktop.wait_closed(note.id)
        for _ in range(2):
            token.clear_faults()
            client.wait_signal("InterfacesAdded")
            token.fault("vanish")
            client.wait_signal("InterfacesRemoved")
        assert len(desktop.notes) == 2
        assert desktop.displayed() == 0


# What becomes of the words that a terminal is to run
TERMINALS = {
    "runs them": lambda words: words,
    "gives them to a shell": lambda words: ["sh", "-c", " ".join(words)],  # Terminology
    "drops all but the first": lambda words: words[:1],  # Sakura
}


@pytest.mark.parametrize("kind", TERMINALS)
def test_every_terminal_unlocks_the_token_that_was_chosen(make_sandbox, kind):
    """Though its label is a shell's program, and another token is there. Nothing is left of the window."""
    label = "$(touch label)"
    sandbox = make_sandbox(["etoken", f"etoken:label={label}"])
    sandbox.token("etoken2").wrong_pin(3)
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        desktop.wait_note(1)
        desktop.choose(WORDS["en"]["unlock"])
        option, *command = desktop.opened("terminal")
        assert option == "-e" and "touch" not in " ".join(command)
        with in_terminal(desktop, TERMINALS[kind](command)) as terminal:
            terminal.expect(f"Token: {re.escape(label)}")
            terminal.expect("PUK: $")
            terminal.type("\x03")
            terminal.expect("Press Enter")
            terminal.type_line("")
            terminal.finish()
        assert not os.listdir(sandbox.path(f"{desktop.home}/run"))
        assert not [folder for folder in ("/", desktop.home) if "label" in os.listdir(sandbox.path(folder))]


def test_notification_server_comes_and_goes(sandbox):
    """A restarted server is not told again; what was lost while there was none is told when there is one."""
    token = sandbox.token("etoken")
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        token.wrong_pin()
        desktop.wait_note(1)
        desktop.stop_server()
        desktop.start_server()
        token.wrong_pin()
        note = desktop.wait_note(2)
        check(note, WORDS["en"]["final"], WORDS["en"]["next locks"])
        assert note.replaces == 0  # that number may be another program's by now

        # One that the person puts away stays away.
        desktop.dismiss()
        desktop.wait_closed(note.id)
        desktop.stop_server()
        token.wrong_pin()
        sees(sandbox, pin_state="locked")
        wait_until(lambda: "Cannot show" in sandbox.read_file(f"{FOLDER}/log/notify.log"), what="the failure")
        desktop.start_server()
        check(desktop.wait_note(3), WORDS["en"]["locked"], actions=[WORDS["en"]["unlock"], WORDS["en"]["help"]])


def subscriptions(record):
    """How many calls of Subscribe a record of the bus has."""
    return record.count(b"\x09\x00\x00\x00Subscribe\x00")


def test_inactive_session_asks_for_nothing(sandbox):
    """It catches up when it becomes active, telling what is new and closing what is well again."""
    token = sandbox.token("etoken")
    with logind(sandbox) as login, Desktop(sandbox) as desktop, sandbox.recorded_bus() as record:
        desktop.start_notify()
        wait_until(lambda: b"GetSession\x00" in record(), what="the question to logind")
        token.wrong_pin(2)
        sees(sandbox, pin_state="final-try")
        asked = subscriptions(record())  # tokenctl's
        assert desktop.notes == []

        login.set_active(True)
        check(desktop.wait_note(1), WORDS["en"]["final"])
        assert subscriptions(record()) == asked + 1

        login.set_active(False)
        assert token.login("1234")
        sees(sandbox, pin_state="ok")
        assert desktop.displayed() == 1  # it is as it was: nobody asked
        login.set_active(True)
        desktop.wait_closed(desktop.notes[0].id)
        assert len(desktop.notes) == 1


def test_one_instance_a_session(sandbox):
    """A second one ends at once and says nothing."""
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        second = desktop.run([f"{FOLDER}/build/client/notify/tokend-notify"])
        assert (second.returncode, second.stdout, second.stderr) == (0, "", "")
        assert desktop.notify.poll() is None


def test_it_sleeps(sandbox):
    """While nothing happens it is not woken up: it has nothing to look after by itself."""
    token = sandbox.token("etoken")
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        token.wrong_pin(3)
        wait_until(lambda: desktop.notes and desktop.notes[-1].title == WORDS["en"]["locked"], what="the warning")
        wait_until_asleep([desktop.notify.number()])


def test_service_that_is_not_there_yet(sandbox):
    """It waits for the service, and sees the token then."""
    token = sandbox.token("etoken")
    token.wrong_pin()
    sandbox.stop_tokend()
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        wait_until(lambda: "Cannot follow" in sandbox.read_file(f"{FOLDER}/log/notify.log"), what="the failure")
        sandbox.start_tokend()
        check(desktop.wait_note(1), WORDS["en"]["low"], urgency="normal")


def test_who_may_not_read_is_left_alone(sandbox):
    """bob may not read the status: nothing is shown, and it does not ask again until the session becomes active."""
    token = sandbox.token("etoken")
    token.wrong_pin(3)
    with logind(sandbox) as login, Desktop(sandbox, user="bob") as desktop, sandbox.recorded_bus() as record:
        login.set_active(True)
        before = subscriptions(record())
        desktop.start_notify()
        wait_until(lambda: "Cannot follow" in sandbox.read_file(f"{FOLDER}/log/notify.log"), what="the refusal")
        sandbox.stop_tokend()
        sandbox.start_tokend()
        assert subscriptions(record()) == before + 1
        # Twice as long as it waits after any other failure.
        time.sleep(20)
        assert subscriptions(record()) == before + 1
        assert sandbox.read_file(f"{FOLDER}/log/notify.log").count("Cannot follow") == 1

        login.set_active(False)
        login.set_active(True)
        wait_until(lambda: subscriptions(record()) == before + 2, what="the second question")
        assert desktop.notes == []


def test_tokenctl_names_the_provider(sandbox):
    """Its page before the PUK is asked for, its support line after a wrong one, in the person's language."""
    token = sandbox.token("etoken")
    token.wrong_pin(3)
    restart_with_profile(sandbox, "e-guven", PROVIDER)
    shown = sandbox.tokenctl("alice", "status")
    assert PAGE in shown.stdout and "last two digits" in shown.stdout
    with sandbox.terminal("alice", ["tokenctl", "unlock"]) as terminal:
        terminal.expect("third wrong PUK")
        terminal.expect(PAGE)
        terminal.expect("PUK: $")
    token_codes = {"puk": "11111111", "new": NEW_PIN}
    arguments = ["unlock", "--puk-fd", "{puk}", "--new-pin-fd", "{new}"]
    wrong = sandbox.tokenctl("alice", *arguments, codes=token_codes)
    assert wrong.returncode == 5
    assert "Support line of E-Güven: 0 850 470 05 37\nWith the third wrong PUK" in wrong.stderr


def put_certificate(sandbox, token, seconds):
    """The token is put in with one more certificate of E-Güven's, which ends in so many seconds; returns the end."""
    end = int(time.time()) + seconds
    token.put_certificate(make_certificate(end, E_GUVEN))
    sees(sandbox, certificate_not_after=end * 1000000, provider="e-guven")
    return end


def title_of_end(words, end):
    """As a person counts the days until then."""
    days = (datetime.date.fromtimestamp(end) - datetime.date.today()).days
    return {0: words["ends today"], 1: words["ends tomorrow"]}.get(days, words["ends in"].format(days))


@pytest.mark.parametrize("language", ["en", "tr"])
def test_certificate(sandbox, language):
    """12 hours, 6 days, 29 days and 23 hours before its end: said once each, also to the sessions after this one."""
    words = WORDS[language]
    token = sandbox.token("etoken")
    shown = 0
    with Desktop(sandbox, language) as desktop:
        for seconds, urgency in ((12 * HOUR, "critical"), (6 * DAY, "normal"), (29 * DAY + 23 * HOUR, "normal")):
            end = put_certificate(sandbox, token, seconds)
            desktop.start_notify()
            note = desktop.wait_note(shown + 1)
            check(note, title_of_end(words, end), words["renew"], SUPPORT[1], urgency=urgency)
            assert token.serial not in note.text
            desktop.screenshot(f"certificate-{seconds // HOUR}")
            desktop.dismiss()

            # What comes next is of something else, not the same again.
            for _ in range(2):
                desktop.stop_notify()
                desktop.start_notify()
            token.wrong_pin()
            low = desktop.wait_note(shown + 2)
            check(low, words["low"], urgency="normal")
            assert token.login("1234")
            desktop.wait_closed(low.id)
            desktop.stop_notify()
            shown += 2

        state = sandbox.path(f"{desktop.home}/.local/state/tokend-notify/certificates")
        assert os.stat(state).st_mode & 0o777 == 0o600
        with open(state, encoding="utf-8") as file:
            text = file.read()
        assert token.serial not in text and token.label not in text


def test_certificate_of_each_label(make_sandbox):
    """A card shows two tokens: that the certificate of one is good for years says nothing of the other's."""
    sandbox = make_sandbox(["etoken:label=SIGN,serial=0077", "etoken:label=LOGIN,serial=0077"])
    ends = {}
    for token, seconds in zip(sandbox.tokens.values(), (6 * DAY, 29 * DAY), strict=True):
        ends[token.label] = int(time.time()) + seconds
        token.put_certificate(make_certificate(ends[token.label], E_GUVEN))
    sees_ends = {label: end * 1000000 for label, end in ends.items()}
    wait_until(
        lambda: {status["label"]: status.get("certificate-not-after") for status in sandbox.status()} == sees_ends,
        what="both certificates",
    )
    with Desktop(sandbox) as desktop:
        desktop.start_notify()
        desktop.wait_note(2)
        titles = {title_of_end(WORDS["en"], end).replace("ETOKEN", label) for label, end in ends.items()}
        assert {note.text.splitlines()[0] for note in desktop.notes} == titles


def test_certificate_ends_while_the_session_lasts(sandbox):
    """Nobody does a thing: it is said when the time has come. A renewed one takes it off the screen."""
    words = WORDS["en"]
    token = sandbox.token("etoken")
    with Desktop(sandbox) as desktop:
        end = put_certificate(sandbox, token, 30)
        desktop.start_notify()
        note = desktop.wait_note(1)
        check(note, title_of_end(words, end), words["renew"])
        wait_until_asleep([desktop.notify.number()])
        ended = desktop.wait_note(2)
        assert time.time() >= end
        check(ended, words["has ended"], words["new one"], SUPPORT[1])
        assert ended.id == note.id
        desktop.screenshot("certificate-ended")

        put_certificate(sandbox, token, 90 * DAY)
        desktop.wait_closed(ended.id)
        assert len(desktop.notes) == 2


def test_certificate_is_not_told_to_nobody(sandbox):
    """A stage that comes while another session is in front is told when this one is again."""
    words = WORDS["en"]
    token = sandbox.token("etoken")
    with logind(sandbox) as login, Desktop(sandbox) as desktop:
        login.set_active(True)
        end = put_certificate(sandbox, token, 30)
        desktop.start_notify()
        check(desktop.wait_note(1), title_of_end(words, end))
        login.set_active(False)
        time.sleep(max(0, end + 3 - time.time()))
        assert len(desktop.notes) == 1
        login.set_active(True)
        check(desktop.wait_note(2), words["has ended"])


def test_certificate_waits_for_a_server(sandbox):
    """What could not be shown was not told, and comes when there is a notification server."""
    words = WORDS["en"]
    token = sandbox.token("etoken")
    with Desktop(sandbox) as desktop:
        end = put_certificate(sandbox, token, 6 * DAY)
        desktop.stop_server()
        desktop.start_notify()
        wait_until(lambda: "Cannot show" in sandbox.read_file(f"{FOLDER}/log/notify.log"), what="the failure")
        desktop.start_server()
        check(desktop.wait_note(1), title_of_end(words, end), urgency="normal")
