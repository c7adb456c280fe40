/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "words.h"

#include <glib/gi18n.h>

#include "record.h"

static char *
words_for_minimum (const TokenctlTries *tries)
{
  return g_strdup_printf (
      ngettext ("at least %u try left", "at least %u tries left", tries->minimum), tries->minimum);
}

/* Returns: (transfer full): what is left where there is no number. */
static char *
words_without_number (const TokenctlTries *tries)
{
  g_autofree char *minimum = tries->minimum > 0 ? words_for_minimum (tries) : NULL;

  if (tries->state == TOKEND_STATE_LOW)
    return minimum != NULL ? g_strdup_printf (_ ("low: %s"), minimum)
                           : g_strdup (_ ("low: at least one try was lost"));
  return minimum != NULL ? g_steal_pointer (&minimum) : g_strdup (_ ("ok"));
}

static char *
words_for_number (const TokenctlTries *tries)
{
  guint n = tries->remaining;

  if (tries->maximum == 0)
    return g_strdup_printf (ngettext ("%u try left", "%u tries left", n), n);
  return g_strdup_printf (ngettext ("%u of %u try left", "%u of %u tries left", tries->maximum), n,
                          tries->maximum);
}

/**
 * tokenctl_words_for_tries:
 * @role: whose tries these are
 *
 * Returns: (transfer full): what is left, in the person's language
 */
char *
tokenctl_words_for_tries (const TokenctlTries *tries, TokendRole role)
{
  switch (tries->state) {
  case TOKEND_STATE_LOCKED:
    return g_strdup (_ ("locked"));
  case TOKEND_STATE_FINAL_TRY:
    return role == TOKEND_ROLE_PIN
               ? g_strdup (_ ("1 try left: the next wrong PIN locks it"))
               : tokenctl_name_puk (tries->puk_words,
                                    _ ("1 try left: the next wrong PUK locks it"));
  case TOKEND_STATE_LOW:
  case TOKEND_STATE_OK:
    return tries->remaining_known ? words_for_number (tries) : words_without_number (tries);
  case TOKEND_STATE_UNINITIALIZED:
    return g_strdup (_ ("not set yet"));
  case TOKEND_STATE_UNKNOWN:
  default:
    return g_strdup (_ ("not known"));
  }
}

/**
 * tokenctl_words_for_cell:
 * @role: whose tries these are
 *
 * Gives the number alone for the last try: with its meaning, which is said below, a line would have
 * more than 80 columns.
 *
 * Returns: (transfer full): the cell of the status table, in the person's language
 */
char *
tokenctl_words_for_cell (const TokenctlTries *tries, TokendRole role)
{
  if (tries->state == TOKEND_STATE_FINAL_TRY && tries->remaining_known)
    return words_for_number (tries);
  return tokenctl_words_for_tries (tries, role);
}

TokenctlEmphasis
tokenctl_emphasis_of (const TokenctlTries *tries)
{
  switch (tries->state) {
  case TOKEND_STATE_LOCKED:
    return TOKENCTL_EMPHASIS_LOCKED;
  case TOKEND_STATE_FINAL_TRY:
    return TOKENCTL_EMPHASIS_FINAL;
  case TOKEND_STATE_LOW:
    return TOKENCTL_EMPHASIS_LOW;
  case TOKEND_STATE_OK:
  case TOKEND_STATE_UNINITIALIZED:
  case TOKEND_STATE_UNKNOWN:
  default:
    return TOKENCTL_EMPHASIS_NONE;
  }
}

/**
 * tokenctl_words_for_code:
 * @tries: of the code
 * @role: whose code
 *
 * Returns: (transfer full): what it is called
 */
char *
tokenctl_words_for_code (const TokenctlTries *tries, TokendRole role)
{
  return role == TOKEND_ROLE_PIN ? g_strdup (_ ("PIN"))
                                 : tokenctl_name_puk (tries->puk_words, _ ("PUK"));
}

/**
 * tokenctl_puk_can_help:
 *
 * Returns: whether the PUK opens a PIN that is locked or forgotten, as far as is known
 */
gboolean
tokenctl_puk_can_help (GVariant *status)
{
  TokenctlTries puk = tokenctl_status_tries (status, TOKEND_ROLE_PUK);

  return puk.state != TOKEND_STATE_LOCKED && puk.state != TOKEND_STATE_UNINITIALIZED
         && !tokenctl_may_be_locked (status, TOKEND_ROLE_PUK)
         && tokenctl_status_is (status, TOKEND_STATUS_CAN_UNLOCK, TRUE);
}

/* Tells whether what the last PUK try may destroy is not there. */
static gboolean
is_certificate_gone (GVariant *status)
{
  return tokenctl_status_tries (status, TOKEND_ROLE_PUK).state == TOKEND_STATE_LOCKED
         && tokenctl_status_is (status, TOKEND_STATUS_NO_CERTIFICATE, TRUE);
}

/**
 * tokenctl_words_for_gone_certificate:
 *
 * Returns: that there is no certificate on a token whose PUK is locked, one sentence
 */
const char *
tokenctl_words_for_gone_certificate (void)
{
  return _ (
      "There is no certificate on the token: if there was one, it is gone, and a new one must "
      "be bought.");
}

static char *
words_for_both_locked (GVariant *status, const TokenctlPukWords *words)
{
  if (words != NULL)
    return g_strdup (_ ("The PIN and the PUK are both locked: tokend cannot unlock this token."));
  if (is_certificate_gone (status))
    return g_strdup_printf (
        _ ("The PIN and the PUK are both locked. %s Call the support line of whoever "
           "issued your certificate."),
        tokenctl_words_for_gone_certificate ());
  return g_strdup (
      _ ("The PIN and the PUK are both locked. Call the support line of whoever issued "
         "your certificate."));
}

static char *
next_step_when_locked (GVariant *status, const char *token)
{
  TokenctlTries puk = tokenctl_status_tries (status, TOKEND_ROLE_PUK);

  if (puk.state == TOKEND_STATE_LOCKED)
    return words_for_both_locked (status, puk.puk_words);
  if (puk.state == TOKEND_STATE_UNINITIALIZED)
    return g_strdup (_ ("The PIN is locked, and the token has no PUK. Call the support line of "
                        "whoever issued your certificate."));
  if (tokenctl_may_be_locked (status, TOKEND_ROLE_PUK))
    return g_strdup (
        puk.puk_words != NULL
            ? _ ("The PIN is locked, and the PUK may be.")
            : _ ("The PIN is locked, and the PUK may be. Call the support line of whoever "
                 "issued your certificate."));
  if (tokenctl_puk_can_help (status))
    return g_strdup_printf (_ ("The PIN is locked. Unlock it with the PUK: tokenctl unlock %s"),
                            token);
  return g_strdup (_ ("The PIN is locked, and tokend cannot unlock this token. "
                      "Call the support line of whoever issued your certificate."));
}

/* Returns: (transfer full) (nullable): what the service has sent and what to do then, where the
 *   token shows no number. */
static char *
next_step_by_record_of_pin (GVariant *status, const char *token)
{
  g_autofree char *record = tokenctl_words_for_record (status, TOKEND_ROLE_PIN);
  const gboolean may_be_locked = tokenctl_may_be_locked (status, TOKEND_ROLE_PIN);

  if (record == NULL)
    return NULL;
  if (!tokenctl_puk_can_help (status))
    return may_be_locked
               ? g_strdup_printf (_ ("%s If it is still locked, call the support line of whoever "
                                     "issued your certificate."),
                                  record)
               : g_strdup_printf (_ ("%s The right PIN brings the tries back."), record);
  return g_strdup_printf (
      may_be_locked
          ? _ ("%s If it is still locked, unlock it with the PUK: tokenctl unlock %s")
          : _ ("%s The right PIN brings the tries back; forgotten it? Set a new one with the "
               "PUK: tokenctl unlock %s"),
      record, token);
}

/* Returns: (transfer full) (nullable): the same, of the PUK. */
static char *
next_step_by_record_of_puk (GVariant *status)
{
  g_autofree char *record = tokenctl_words_for_record (status, TOKEND_ROLE_PUK);
  const gboolean may_be_locked = tokenctl_may_be_locked (status, TOKEND_ROLE_PUK);

  if (record == NULL)
    return NULL;
  if (tokenctl_status_puk_words (status) != NULL)
    return g_strdup_printf (may_be_locked
                                ? _ ("%s The PUK may be locked: make no further try.")
                                : _ ("%s Unless you are sure of the PUK, make no further try."),
                            record);
  if (may_be_locked)
    return g_strdup_printf (_ ("%s The PUK may be locked: make no further try. Call the support "
                               "line of whoever issued your certificate."),
                            record);
  return g_strdup_printf (
      _ ("%s If the PUK was changed earlier, the changed one counts. Unless you "
         "are sure of it, make no further try; call the support line of "
         "whoever issued your certificate."),
      record);
}

static char *
next_step_at_final_pin_try (GVariant *status, const char *token)
{
  if (tokenctl_puk_can_help (status))
    return g_strdup_printf (_ ("One PIN try is left; if it is wrong, the PIN is locked. Not sure "
                               "of the PIN? Set a new one with "
                               "the PUK: tokenctl unlock %s"),
                            token);
  return g_strdup (_ ("One PIN try is left; if it is wrong, the PIN is locked. Not sure of the "
                      "PIN? Then do not try it."));
}

static char *
next_step_after_wrong_pin (GVariant *status, const char *token)
{
  if (tokenctl_puk_can_help (status))
    return g_strdup_printf (_ ("A wrong PIN was typed. The right PIN brings the tries back; "
                               "forgotten it? Set a new one with the PUK: tokenctl unlock %s"),
                            token);
  return g_strdup (_ ("A wrong PIN was typed. The right PIN brings the tries back."));
}

/* Returns: (transfer full) (nullable): the step for a PIN with which the token shows nothing wrong.
 */
static char *
next_step_for_quiet_pin (GVariant *status, const char *token)
{
  g_autofree char *by_record = next_step_by_record_of_pin (status, token);

  if (by_record != NULL)
    return g_steal_pointer (&by_record);
  if (tokenctl_status_is (status, TOKEND_STATUS_PIN_MUST_CHANGE, TRUE)
      && !tokenctl_status_is (status, TOKEND_STATUS_CAN_SET_PIN, FALSE))
    return g_strdup_printf (_ ("The token wants a new PIN first: tokenctl set-pin %s"), token);
  return NULL;
}

static char *
next_step_for_pin (GVariant *status, const char *token)
{
  switch (tokenctl_status_tries (status, TOKEND_ROLE_PIN).state) {
  case TOKEND_STATE_LOCKED:
    return next_step_when_locked (status, token);
  case TOKEND_STATE_FINAL_TRY:
    return next_step_at_final_pin_try (status, token);
  case TOKEND_STATE_LOW:
    return next_step_after_wrong_pin (status, token);
  case TOKEND_STATE_UNINITIALIZED:
    if (tokenctl_puk_can_help (status))
      return g_strdup_printf (_ ("No PIN is set yet. Set one with the PUK: tokenctl unlock %s"),
                              token);
    return g_strdup (
        _ ("No PIN is set yet, and tokend cannot set the first one on this token. Set it "
           "with the program that the token came with."));
  case TOKEND_STATE_OK:
  case TOKEND_STATE_UNKNOWN:
  default:
    return next_step_for_quiet_pin (status, token);
  }
}

/* Returns: (nullable): the step for a PUK with a name of its own, by its state. */
static const char *
next_step_for_named_puk (const TokenctlTries *puk)
{
  switch (puk->state) {
  case TOKEND_STATE_LOCKED:
    return _ ("The PUK is locked: if the PIN gets locked too, tokend cannot unlock it.");
  case TOKEND_STATE_FINAL_TRY:
    return _ ("One PUK try is left. Unless you are sure of the PUK, make no further try.");
  case TOKEND_STATE_LOW:
    return puk->never_locks
               ? _ ("A wrong PUK was typed. However many are typed, nothing is locked.")
               : _ ("A wrong PUK was typed. Unless you are sure of the PUK, make no further try.");
  case TOKEND_STATE_OK:
  case TOKEND_STATE_UNKNOWN:
  case TOKEND_STATE_UNINITIALIZED:
  default:
    return NULL;
  }
}

static char *
next_step_for_puk (GVariant *status)
{
  TokenctlTries puk = tokenctl_status_tries (status, TOKEND_ROLE_PUK);
  const char *named =
      puk.puk_words != NULL || puk.never_locks ? next_step_for_named_puk (&puk) : NULL;

  if (puk.state == TOKEND_STATE_LOCKED
      && tokenctl_status_tries (status, TOKEND_ROLE_PIN).state == TOKEND_STATE_LOCKED)
    return words_for_both_locked (status, puk.puk_words);
  if (named != NULL)
    return g_strdup (named);
  switch (puk.state) {
  case TOKEND_STATE_LOCKED:
    if (is_certificate_gone (status))
      return g_strdup_printf (
          _ ("The PUK is locked. %s Call the support line of whoever issued your "
             "certificate."),
          tokenctl_words_for_gone_certificate ());
    return g_strdup (_ ("The PUK is locked: if the PIN gets locked too, nothing can unlock it. "
                        "Call the support line of whoever issued your certificate."));
  case TOKEND_STATE_FINAL_TRY:
    return g_strdup (_ ("One PUK try is left. If it is wrong, the certificate may be destroyed and "
                        "a new one must be bought. Unless you are sure of the PUK, call the "
                        "support line of whoever issued your certificate first."));
  case TOKEND_STATE_LOW:
    return g_strdup (_ ("A wrong PUK was typed. If the PUK was changed earlier, the changed one "
                        "counts. Unless you are sure of it, make no further try; call the support "
                        "line of whoever issued your certificate."));
  case TOKEND_STATE_OK:
  case TOKEND_STATE_UNKNOWN:
    return next_step_by_record_of_puk (status);
  case TOKEND_STATE_UNINITIALIZED:
  default:
    return NULL;
  }
}

/* Tells whether next_step_for_pin() is to go on with the PUK. */
static gboolean
is_way_by_puk (GVariant *status)
{
  g_autofree char *record = tokenctl_words_for_record (status, TOKEND_ROLE_PIN);

  switch (tokenctl_status_tries (status, TOKEND_ROLE_PIN).state) {
  case TOKEND_STATE_LOCKED:
  case TOKEND_STATE_FINAL_TRY:
  case TOKEND_STATE_LOW:
  case TOKEND_STATE_UNINITIALIZED:
    return tokenctl_puk_can_help (status);
  case TOKEND_STATE_OK:
  case TOKEND_STATE_UNKNOWN:
  default:
    return record != NULL && tokenctl_puk_can_help (status);
  }
}

/* Returns: (nullable): what must be known before the PUK is tried. */
static const char *
caution_for_puk (GVariant *status)
{
  const TokenctlTries puk = tokenctl_status_tries (status, TOKEND_ROLE_PUK);

  switch (puk.state) {
  case TOKEND_STATE_FINAL_TRY:
    if (puk.puk_words != NULL)
      return _ ("The PUK is on its last try: unless you are sure of the PUK, do not try it.");
    return _ ("The PUK is on its last try: before you try it, call the support line of whoever "
              "issued your certificate.");
  case TOKEND_STATE_UNKNOWN:
    if (puk.puk_words != NULL)
      return _ ("How many PUK tries are left is not known: unless you are sure of the PUK, do not "
                "try it.");
    return _ ("How many PUK tries are left is not known: unless you are sure of the PUK, call the "
              "support line of whoever issued your certificate first.");
  case TOKEND_STATE_OK:
  case TOKEND_STATE_LOW:
  case TOKEND_STATE_LOCKED:
  case TOKEND_STATE_UNINITIALIZED:
  default:
    return NULL;
  }
}

/* Returns: (transfer full) (nullable): the step for the PIN, and what must be known before the PUK
 *   is tried. */
static char *
next_step_with_caution (GVariant *status, const char *token)
{
  g_autofree char *step = next_step_for_pin (status, token);
  const char *caution = caution_for_puk (status);

  if (step == NULL || caution == NULL || !is_way_by_puk (status))
    return g_steal_pointer (&step);
  return g_strdup_printf ("%s\n%s", step, caution);
}

/**
 * tokenctl_words_for_left_open:
 *
 * Returns: (nullable): that the card may be open, and what to do
 */
const char *
tokenctl_words_for_left_open (GVariant *status)
{
  if (!tokenctl_status_is (status, TOKEND_STATUS_LEFT_OPEN, TRUE))
    return NULL;
  return _ ("It is not certain that the card was closed: until you take it out, others may be able "
            "to use it without a code.");
}

/**
 * tokenctl_next_step:
 * @role: the code it is about
 * @token_argument: what to call the token on tokenctl's command line, quoted for the shell
 *
 * Returns: (transfer full) (nullable): what the person should do now, a line, or two if it is to go
 *   on with a PUK that needs care; %NULL if there is nothing to do
 */
char *
tokenctl_next_step (GVariant *status, TokendRole role, const char *token_argument)
{
  g_autofree char *step = role == TOKEND_ROLE_PUK ? next_step_for_puk (status)
                                                  : next_step_with_caution (status, TOKENCTL_VALUE);

  return step != NULL
             ? tokenctl_name_puk_beside (tokenctl_status_puk_words (status), step, token_argument)
             : NULL;
}

static char *
words_for_pin_loss (GVariant *status)
{
  if (tokenctl_status_tries (status, TOKEND_ROLE_PIN).never_locks)
    return g_strdup (_ ("However many wrong PINs are typed, nothing is locked."));
  switch (tokenctl_status_tries (status, TOKEND_ROLE_PUK).state) {
  case TOKEND_STATE_LOCKED:
    return next_step_for_puk (status);
  case TOKEND_STATE_UNINITIALIZED:
    return g_strdup (_ ("If the last PIN try is wrong, the PIN is locked, and the token has no PUK "
                        "to open it."));
  case TOKEND_STATE_OK:
  case TOKEND_STATE_LOW:
  case TOKEND_STATE_FINAL_TRY:
  case TOKEND_STATE_UNKNOWN:
  default:
    return g_strdup (_ ("If the last PIN try is wrong, the PIN is locked, and only the PUK opens "
                        "it."));
  }
}

char *
tokenctl_words_for_pin_loss (GVariant *status)
{
  g_autofree char *loss = words_for_pin_loss (status);

  return tokenctl_name_puk (tokenctl_status_puk_words (status), loss);
}

/**
 * tokenctl_words_for_unsupported:
 * @status: of a token to which no codes are sent
 *
 * Returns: why; a service before this version does not say it
 */
const char *
tokenctl_words_for_unsupported (GVariant *status)
{
  const char *reason = tokenctl_status_string (status, TOKEND_STATUS_UNSUPPORTED);

  return *reason != '\0' ? gettext (reason) : _ ("The service does not say why");
}

/**
 * tokenctl_words_for_loss:
 * @tries: what is known of the PUK's tries
 *
 * Returns: (transfer full): what is lost with the last PUK try
 */
char *
tokenctl_words_for_loss (const TokenctlTries *tries)
{
  guint maximum = tries->maximum;

  if (tries->never_locks)
    return tokenctl_name_puk (tries->puk_words,
                              _ ("However many wrong PUKs are typed, nothing is locked."));
  if (tries->puk_words != NULL)
    return tries->puk_words->loss != NULL
               ? g_strdup (tries->puk_words->loss)
               : tokenctl_name_puk (tries->puk_words,
                                    _ ("If the last PUK try is wrong, the PUK is locked."));
  if (maximum == 0)
    return g_strdup (_ ("If the last PUK try is wrong, the certificate on the token may be "
                        "destroyed, and a new one must be bought."));
  return g_strdup_printf (ngettext ("After %u wrong PUK the certificate on the token may be "
                                    "destroyed, and a new one must be bought.",
                                    "After %u wrong PUKs in all the certificate on the token may "
                                    "be destroyed, and a new one must be bought.",
                                    maximum),
                          maximum);
}
