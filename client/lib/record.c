/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "record.h"

#include <glib/gi18n.h>

#include "validity.h"

/* The tries of most tokens, where the number is not known. */
#define USUAL_MAXIMUM 3

/* What the service's record says of the codes that it has sent. */
typedef struct {
  guint wrong;
  guint maybe_lost;
  gboolean is_lost;
  gboolean is_elsewhere;  /* it includes codes that were sent to what may be the same */
  gboolean was_locked;    /* as the last code showed it */
  gboolean was_final_try; /* as the last code showed it */
  char *sent_at;          /* or NULL: not known */
} Record;

/* Returns: (transfer full) (nullable): when the last code was sent, in words. */
static char *
words_for_time (GVariant *status, const char *key)
{
  guint64 microseconds;
  g_autoptr (GDateTime) moment = NULL;

  if (!g_variant_lookup (status, key, "t", &microseconds))
    return NULL;
  moment = g_date_time_new_from_unix_local ((gint64) (microseconds / G_USEC_PER_SEC));
  return moment != NULL ? tokenctl_words_for_moment (moment) : NULL;
}

static Record
get_record (GVariant *status, TokendRole role)
{
  const TokendStatusKeys *keys = &tokend_status_keys[role];
  const char *seen = tokenctl_status_string (status, keys->last_seen);
  Record record = { .was_locked = g_str_equal (seen, "locked"),
                    .was_final_try = g_str_equal (seen, "final-try") };

  tokenctl_status_uint (status, keys->wrong_sent, &record.wrong);
  tokenctl_status_uint (status, keys->maybe_lost, &record.maybe_lost);
  record.is_lost = tokenctl_status_is (status, keys->record_lost, TRUE);
  record.is_elsewhere = tokenctl_status_is (status, keys->sent_elsewhere, TRUE);
  record.sent_at = words_for_time (status, keys->sent_at);
  return record;
}

/* Tells whether the date is that of the last wrong code, and has no other sentence. */
static gboolean
is_date_of_wrong (const Record *record)
{
  return record->sent_at != NULL && record->wrong > 0 && record->maybe_lost == 0
         && !record->was_locked;
}

static char *
words_for_wrong (const Record *record, TokendRole role)
{
  const guint n = record->wrong;

  if (is_date_of_wrong (record))
    return g_strdup_printf (
        role == TOKEND_ROLE_PIN
            ? ngettext ("tokend has sent %u wrong PIN since the last right one, on %s.",
                        "tokend has sent %u wrong PINs since the last right one, the last on %s.",
                        n)
            : ngettext ("tokend has sent %u wrong PUK since the last right one, on %s.",
                        "tokend has sent %u wrong PUKs since the last right one, the last on %s.",
                        n),
        n, record->sent_at);
  return g_strdup_printf (
      role == TOKEND_ROLE_PIN
          ? ngettext ("tokend has sent %u wrong PIN since the last right one.",
                      "tokend has sent %u wrong PINs since the last right one.", n)
          : ngettext ("tokend has sent %u wrong PUK since the last right one.",
                      "tokend has sent %u wrong PUKs since the last right one.", n),
      n);
}

static char *
words_for_maybe_lost (const Record *record, TokendRole role)
{
  if (role == TOKEND_ROLE_PIN)
    return g_strdup_printf (
        ngettext ("%u PIN try may have been lost: what became of it is not known.",
                  "%u PIN tries may have been lost: what became of them is not known.",
                  record->maybe_lost),
        record->maybe_lost);
  return g_strdup_printf (
      ngettext ("%u PUK try may have been lost: what became of it is not known.",
                "%u PUK tries may have been lost: what became of them is not known.",
                record->maybe_lost),
      record->maybe_lost);
}

/* Tells what only the process that sends a code is shown. */
static const char *
words_for_seen (const Record *record, TokendRole role)
{
  if (role == TOKEND_ROLE_PIN)
    return record->was_locked
               ? _ ("The token said that the PIN is locked; another program may have unlocked "
                    "it since.")
               : _ ("The token said that one PIN try is left; another program may have sent a "
                    "right PIN since.");
  return record->was_locked ? _ ("The token said that the PUK is locked.")
                            : _ ("The token said that one PUK try is left.");
}

static char *
words_for_date (const Record *record, TokendRole role)
{
  if (role == TOKEND_ROLE_PIN)
    return g_strdup_printf (_ ("The last PIN was sent on %s."), record->sent_at);
  return g_strdup_printf (_ ("The last PUK was sent on %s."), record->sent_at);
}

static const char *
words_for_elsewhere (TokendRole role)
{
  return role == TOKEND_ROLE_PIN
             ? _ ("What tokend has sent to a token that may be this one counts here too, so any "
                  "PIN try may be the last, until a right one is sent.")
             : _ ("What tokend has sent to a PUK that may be this one counts here too, so any "
                  "PUK try may be the last, until a right one is sent.");
}

static const char *
words_for_loss_of_record (TokendRole role)
{
  return role == TOKEND_ROLE_PIN
             ? _ ("tokend's record of tries could not be read (journalctl -u tokend says more), so "
                  "any PIN try may be the last, until a right one is sent.")
             : _ ("tokend's record of tries could not be read (journalctl -u tokend says more), so "
                  "any PUK try may be the last, until a right one is sent.");
}

static void
append_sentence (GString *text, const char *sentence)
{
  if (text->len > 0)
    g_string_append_c (text, ' ');
  g_string_append (text, sentence);
}

static char *
words_for_record (GVariant *status, TokendRole role)
{
  Record record = get_record (status, role);
  g_autofree char *sent_at = record.sent_at;
  GString *text = g_string_new (NULL);

  if (tokenctl_status_tries (status, role).remaining_known)
    return g_string_free (text, TRUE);
  if (record.is_lost)
    append_sentence (text, words_for_loss_of_record (role));
  if (record.wrong > 0) {
    g_autofree char *words = words_for_wrong (&record, role);

    append_sentence (text, words);
  }
  if (record.maybe_lost > 0) {
    g_autofree char *words = words_for_maybe_lost (&record, role);

    append_sentence (text, words);
  }
  if (record.sent_at != NULL && !is_date_of_wrong (&record)) {
    g_autofree char *words = words_for_date (&record, role);

    append_sentence (text, words);
  }
  if (record.was_locked || record.was_final_try) {
    if (record.wrong + record.maybe_lost == 0 && record.sent_at == NULL)
      append_sentence (text, role == TOKEND_ROLE_PIN ? _ ("tokend has sent a PIN.")
                                                     : _ ("tokend has sent a PUK."));
    append_sentence (text, words_for_seen (&record, role));
  }
  if (record.is_elsewhere)
    append_sentence (text, words_for_elsewhere (role));
  return g_string_free (text, text->len == 0);
}

/**
 * tokenctl_words_for_record:
 * @role: whose codes
 *
 * Tells what the service has sent. It lacks what another program has sent since, so it gives no
 * number of tries that are left. A number that the token itself shows needs no record.
 *
 * Returns: (transfer full) (nullable): the words; %NULL if there is nothing to say
 */
char *
tokenctl_words_for_record (GVariant *status, TokendRole role)
{
  g_autofree char *words = words_for_record (status, role);

  return words != NULL ? tokenctl_name_puk (tokenctl_status_puk_words (status), words) : NULL;
}

/**
 * tokenctl_may_be_locked:
 * @role: whose codes
 *
 * Returns: whether so many wrong codes were sent, or may have been, that another one cannot be
 *   advised, though the token does not show a lock
 */
gboolean
tokenctl_may_be_locked (GVariant *status, TokendRole role)
{
  const TokenctlTries tries = tokenctl_status_tries (status, role);
  Record record = get_record (status, role);
  const guint maximum = tries.maximum > 0 ? tries.maximum : USUAL_MAXIMUM;

  g_free (record.sent_at);
  return tries.state == TOKEND_STATE_UNKNOWN
         && (record.was_locked || record.wrong + record.maybe_lost >= maximum);
}
