/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message.h"

#include <string.h>

static const TokendProvider provider = {
  .name = (char *) "Issuer",
  .puk_page = (char *) "https://issuer.example/puk",
  .puk_help = (char *) "Ask the page.",
  .support_line = (char *) "0 123",
  .loss = (char *) "All is lost.",
};

static TokendNotifySituation
situation_like (TokendState pin, TokendState puk, gboolean can_unlock)
{
  static char *names[] = { (char *) "my token", NULL };
  TokendNotifySituation situation = { .can_unlock = can_unlock,
                                      .name = (char *) "WORK",
                                      .names = names };

  situation.tries.of[TOKEND_ROLE_PIN] = (TokenctlTries){ pin, pin == TOKEND_STATE_LOW, 2, 3 };
  situation.tries.of[TOKEND_ROLE_PUK] = (TokenctlTries){ puk, puk == TOKEND_STATE_LOW, 2, 3 };
  return situation;
}

static void
test_messages (void)
{
  static const struct {
    TokendState pin;
    TokendState puk;
    gboolean can_unlock;
    gboolean critical;
    gboolean offer_unlock;
    gboolean offer_help;
    const char *title;
    const char *said[3];
  } rows[] = {
    { TOKEND_STATE_LOW,
      TOKEND_STATE_OK,
      TRUE,
      FALSE,
      FALSE,
      FALSE,
      "a PIN try was lost",
      { "2 of 3 tries left.", "right PIN", "can be set with the PUK" } },
    { TOKEND_STATE_LOW,
      TOKEND_STATE_OK,
      FALSE,
      FALSE,
      FALSE,
      FALSE,
      "a PIN try was lost",
      { "2 of 3 tries left." } },
    { TOKEND_STATE_FINAL_TRY,
      TOKEND_STATE_OK,
      TRUE,
      TRUE,
      FALSE,
      FALSE,
      "one PIN try is left",
      { "next wrong PIN locks the token", "do not try it" } },
    { TOKEND_STATE_LOCKED,
      TOKEND_STATE_OK,
      TRUE,
      TRUE,
      TRUE,
      TRUE,
      "the PIN is locked",
      { "Unlock it with the PUK" } },
    { TOKEND_STATE_LOCKED,
      TOKEND_STATE_UNKNOWN,
      TRUE,
      TRUE,
      TRUE,
      TRUE,
      "the PIN is locked",
      { "Unlock it with the PUK" } },
    { TOKEND_STATE_LOCKED,
      TOKEND_STATE_OK,
      FALSE,
      TRUE,
      FALSE,
      FALSE,
      "the PIN is locked",
      { "cannot unlock", "Issuer: 0 123" } },
    { TOKEND_STATE_LOCKED,
      TOKEND_STATE_UNINITIALIZED,
      FALSE,
      TRUE,
      FALSE,
      FALSE,
      "the PIN is locked",
      { "has no PUK", "Issuer: 0 123" } },
    { TOKEND_STATE_LOCKED,
      TOKEND_STATE_UNINITIALIZED,
      TRUE,
      TRUE,
      FALSE,
      FALSE,
      "the PIN is locked",
      { "has no PUK", "Issuer: 0 123" } },
    { TOKEND_STATE_OK,
      TOKEND_STATE_LOW,
      TRUE,
      TRUE,
      FALSE,
      TRUE,
      "a PUK try was lost",
      { "2 of 3 tries left.", "no further try", "Issuer: 0 123" } },
    { TOKEND_STATE_LOCKED,
      TOKEND_STATE_LOW,
      TRUE,
      TRUE,
      TRUE,
      TRUE,
      "a PUK try was lost",
      { "PUK: 2 of 3 tries left.", "All is lost.", "PIN: locked." } },
    { TOKEND_STATE_LOCKED,
      TOKEND_STATE_FINAL_TRY,
      TRUE,
      TRUE,
      FALSE,
      TRUE,
      "one PUK try is left",
      { "Make no further try.\nCall", "Issuer: 0 123", "All is lost." } },
    { TOKEND_STATE_OK,
      TOKEND_STATE_LOCKED,
      TRUE,
      TRUE,
      FALSE,
      FALSE,
      "the PUK is locked",
      { "nothing can unlock", "Issuer: 0 123" } },
    { TOKEND_STATE_LOCKED,
      TOKEND_STATE_LOCKED,
      TRUE,
      TRUE,
      FALSE,
      FALSE,
      "the PIN and the PUK are locked",
      { "Nothing on this computer", "Issuer: 0 123" } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendNotifySituation situation = situation_like (rows[i].pin, rows[i].puk, rows[i].can_unlock);
    g_autoptr (TokendNotifyMessage) message =
        tokend_notify_message_new (&situation, &provider, TRUE);
    g_autoptr (TokendNotifyMessage) unknown = tokend_notify_message_new (&situation, NULL, TRUE);
    g_autofree char *title = g_strdup_printf ("WORK: %s", rows[i].title);

    g_assert_cmpstr (message->title, ==, title);
    g_assert_cmpint (message->critical, ==, rows[i].critical);
    g_assert_cmpint (message->offer_unlock, ==, rows[i].offer_unlock);
    g_assert_cmpint (message->offer_help, ==, rows[i].offer_help);
    for (gsize j = 0; j < G_N_ELEMENTS (rows[i].said) && rows[i].said[j] != NULL; j++) {
      g_test_message ("“%s” in “%s”", rows[i].said[j], message->body);
      g_assert_nonnull (strstr (message->body, rows[i].said[j]));
    }
    g_assert_null (strstr (unknown->body, "Issuer"));
    if (strstr (message->body, "0 123") != NULL)
      g_assert_nonnull (strstr (unknown->body, "whoever issued your certificate"));
  }
}

static void
test_without_buttons (void)
{
  TokendNotifySituation situation = situation_like (TOKEND_STATE_LOCKED, TOKEND_STATE_OK, TRUE);
  g_autoptr (TokendNotifyMessage) message =
      tokend_notify_message_new (&situation, &provider, FALSE);

  g_assert_nonnull (strstr (message->body, "tokenctl unlock -- 'my token'"));
  g_assert_nonnull (strstr (message->body, "Ask the page.\nhttps://issuer.example/puk"));
}

/* A code with another name is called by it, and nobody is sent to whoever issued a certificate. */
static void
test_owners_words (void)
{
  static const TokenctlPukWords words = { (char *) "Admin PIN", (char *) "From you.",
                                          (char *) "Keys stay." };
  static const struct {
    TokendState pin, puk;
    const char *title, *said;
  } rows[] = {
    { TOKEND_STATE_LOCKED, TOKEND_STATE_OK, "WORK PUK: the PIN is locked",
      "Unlock it with the Admin PIN" },
    { TOKEND_STATE_LOW, TOKEND_STATE_OK, "WORK PUK: a PIN try was lost", "with the Admin PIN." },
    { TOKEND_STATE_OK, TOKEND_STATE_LOW, "WORK PUK: an Admin PIN try was lost",
      "Admin PIN: 2 of 3 tries left. Unless you are sure of the Admin PIN" },
    { TOKEND_STATE_OK, TOKEND_STATE_FINAL_TRY, "WORK PUK: one Admin PIN try is left",
      "Make no further try.\nKeys stay." },
    { TOKEND_STATE_OK, TOKEND_STATE_LOCKED, "WORK PUK: the Admin PIN is locked",
      "If the PIN gets locked too, tokend cannot unlock it." },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    TokendNotifySituation situation = situation_like (rows[i].pin, rows[i].puk, TRUE);
    g_autoptr (TokendNotifyMessage) message = NULL;

    situation.name = (char *) "WORK PUK";
    situation.tries.of[TOKEND_ROLE_PUK].puk_words = &words;
    message = tokend_notify_message_new (&situation, &provider, TRUE);
    g_test_message ("%s: %s", message->title, message->body);
    g_assert_cmpstr (message->title, ==, rows[i].title);
    g_assert_nonnull (strstr (message->body, rows[i].said));
    g_assert_null (strstr (message->body, "PUK"));
    g_assert_null (strstr (message->body, "support line"));
    g_assert_null (strstr (message->body, "All is lost."));
    g_assert_cmpstr (message->help, ==, "How do I get the Admin PIN?");
  }
}

/* Where no number of wrong codes locks, nobody is warned of the last one. */
static void
test_never_locks (void)
{
  TokendNotifySituation situation = situation_like (TOKEND_STATE_OK, TOKEND_STATE_LOW, TRUE);
  g_autoptr (TokendNotifyMessage) message = NULL;

  situation.tries.of[TOKEND_ROLE_PUK].never_locks = TRUE;
  message = tokend_notify_message_new (&situation, NULL, TRUE);
  g_assert_nonnull (strstr (message->body, "nothing is locked"));
  g_assert_null (strstr (message->body, "certificate on the token"));
  g_assert_null (strstr (message->body, "no further try"));
}

static void
test_help (void)
{
  TokendNotifySituation situation = situation_like (TOKEND_STATE_LOCKED, TOKEND_STATE_OK, TRUE);
  g_autoptr (TokendNotifyMessage) opened =
      tokend_notify_message_new_help (&situation, &provider, TRUE);
  g_autoptr (TokendNotifyMessage) text =
      tokend_notify_message_new_help (&situation, &provider, FALSE);
  g_autoptr (TokendNotifyMessage) unknown =
      tokend_notify_message_new_help (&situation, NULL, FALSE);
  /* Whose page was opened is not known any more: the token was read again meanwhile. */
  g_autoptr (TokendNotifyMessage) forgotten =
      tokend_notify_message_new_help (&situation, NULL, TRUE);
  g_autoptr (TokendNotifyMessage) terminal = tokend_notify_message_new_no_terminal (&situation);

  g_assert_cmpstr (opened->title, ==, "WORK: how to get the PUK");
  g_assert_cmpstr (opened->body, ==, "Ask the page.");
  g_assert_cmpstr (text->body, ==, "Ask the page.\nhttps://issuer.example/puk");
  g_assert_nonnull (strstr (unknown->body, "whoever issued your certificate"));
  g_assert_cmpstr (forgotten->body, ==, unknown->body);
  g_assert_true (opened->offer_unlock);
  g_assert_false (opened->offer_help);

  g_assert_nonnull (strstr (terminal->body, "tokenctl unlock -- 'my token'"));
  g_assert_false (terminal->offer_unlock);
}

static void
test_expiry (void)
{
  static const struct {
    const char *now;
    gboolean critical;
    const char *title;
    const char *said[2];
  } rows[] = {
    { "2027-02-01T15:00:00",
      FALSE,
      "WORK: the certificate ends in 30 days",
      { "valid until 3 March 2027, 14:05.", "Renew it with Issuer before then" } },
    { "2027-02-26T15:00:00", FALSE, "WORK: the certificate ends in 5 days", { "Issuer: 0 123." } },
    { "2027-03-02T23:00:00", TRUE, "WORK: the certificate ends tomorrow", { "14:05", "Renew it" } },
    { "2027-03-03T14:05:00", TRUE, "WORK: the certificate ends today", { "14:05", "Renew it" } },
    { "2027-03-03T14:05:01",
      TRUE,
      "WORK: the certificate has ended",
      { "It ended on 3 March 2027, 14:05.", "A new one is needed.\nCall" } },
  };
  g_autoptr (GTimeZone) zone = g_time_zone_new_utc ();
  TokendNotifySituation situation = situation_like (TOKEND_STATE_OK, TOKEND_STATE_OK, TRUE);
  g_autoptr (GDateTime) not_after = g_date_time_new_from_iso8601 ("2027-03-03T14:05:00", zone);

  situation.not_after = not_after;
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GDateTime) now = g_date_time_new_from_iso8601 (rows[i].now, zone);
    g_autoptr (TokendNotifyMessage) message =
        tokend_notify_message_new_expiry (&situation, &provider, now);
    g_autoptr (TokendNotifyMessage) unknown =
        tokend_notify_message_new_expiry (&situation, NULL, now);

    g_assert_cmpstr (message->title, ==, rows[i].title);
    g_assert_cmpint (message->critical, ==, rows[i].critical);
    g_assert_false (message->offer_unlock || message->offer_help);
    for (gsize j = 0; j < G_N_ELEMENTS (rows[i].said) && rows[i].said[j] != NULL; j++) {
      g_test_message ("“%s” in “%s”", rows[i].said[j], message->body);
      g_assert_nonnull (strstr (message->body, rows[i].said[j]));
    }
    g_assert_null (strstr (unknown->body, "Issuer"));
    g_assert_nonnull (strstr (unknown->body, "whoever issued your certificate"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/notify/message/states", test_messages);
  g_test_add_func ("/notify/message/owners-words", test_owners_words);
  g_test_add_func ("/notify/message/never-locks", test_never_locks);
  g_test_add_func ("/notify/message/without-buttons", test_without_buttons);
  g_test_add_func ("/notify/message/help", test_help);
  g_test_add_func ("/notify/message/expiry", test_expiry);
  return g_test_run ();
}
