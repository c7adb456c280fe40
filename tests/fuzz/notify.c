/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "message.h"

#include "expiry.h"
#include "status-input.h"

#include <string.h>

#define SERIAL_SHOWN 4

static gboolean
has_label_with (GPtrArray *tokens, const char *text)
{
  for (guint i = 0; i < tokens->len; i++) {
    const TokenctlToken *token = tokens->pdata[i];

    if (strstr (tokenctl_status_string (token->status, TOKEND_STATUS_LABEL), text) != NULL)
      return TRUE;
  }
  return strstr ("a token without a label", text) != NULL;
}

/* On a locked screen no more than the last characters of a serial are shown. */
static void
check_name (const TokendNotifySituation *situation, GPtrArray *tokens, const char *serial)
{
  fuzz_assert_printable (situation->name);
  if (strlen (serial) > SERIAL_SHOWN && g_str_is_ascii (serial) && !has_label_with (tokens, serial))
    g_assert_null (strstr (situation->name, serial));
}

static void
check_message (const TokendNotifySituation *situation, gboolean actions)
{
  g_autoptr (TokendNotifyMessage) message = tokend_notify_message_new (situation, NULL, actions);
  g_autoptr (TokendNotifyMessage) help = tokend_notify_message_new_help (situation, NULL, actions);
  const TokenctlTries *puk = &situation->tries.of[TOKEND_ROLE_PUK];

  fuzz_assert_printable (message->title);
  fuzz_assert_printable_lines (message->body);
  fuzz_assert_printable_lines (help->body);
  /* Not where it would be the last try, or one that cannot help. */
  if (message->offer_unlock)
    g_assert_true (situation->can_unlock && puk->state != TOKEND_STATE_FINAL_TRY
                   && puk->state != TOKEND_STATE_LOCKED);
}

/* Whenever the end is: the alarm is for later, and for a later stage. */
static void
check_expiry (const TokendNotifySituation *situation)
{
  g_autoptr (GDateTime) now = g_date_time_new_from_unix_local (1900000000);
  g_autoptr (TokendNotifyMessage) message = NULL;
  g_autoptr (GDateTime) next = NULL;

  if (situation->not_after == NULL)
    return;
  message = tokend_notify_message_new_expiry (situation, NULL, now);
  fuzz_assert_printable (message->title);
  fuzz_assert_printable_lines (message->body);
  next = tokend_notify_next_stage (situation->not_after, now);
  if (next == NULL) {
    g_assert_cmpint (tokend_notify_stage (situation->not_after, now), ==,
                     TOKEND_NOTIFY_STAGE_ENDED);
    return;
  }
  g_assert_cmpint (g_date_time_compare (next, now), >, 0);
  g_assert_cmpint (tokend_notify_stage (situation->not_after, next), >,
                   tokend_notify_stage (situation->not_after, now));
}

/* What the person was told, and what is now: said once, taken back only when all is well. */
static void
check_decision (const TokendNotifyTries *told, const TokendNotifyTries *now)
{
  TokendNotifyDecision decision = tokend_notify_decide (told, now);
  TokendNotifyDecision again = tokend_notify_decide (&decision.told, now);
  gboolean concern = FALSE;

  for (guint role = 0; role < G_N_ELEMENTS (now->of); role++)
    concern = concern || tokend_notify_is_concern (&decision.told.of[role]);
  if (decision.act == TOKEND_NOTIFY_SHOW)
    g_assert_true (concern);
  if (decision.act == TOKEND_NOTIFY_CLOSE)
    g_assert_false (concern);
  g_assert_cmpint (again.act, ==, TOKEND_NOTIFY_KEEP);
}

/* Two tokens' statuses. */
int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  TokendNotifyTries told = { 0 };
  g_autoptr (GPtrArray) tokens =
      g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

  for (guint i = 0; i < 2; i++) {
    g_autoptr (GVariant) status = fuzz_take_dictionary (&input, status_keys);

    g_ptr_array_add (tokens, tokenctl_token_new ("/", status));
  }
  for (guint i = 0; i < tokens->len; i++) {
    GVariant *status = ((TokenctlToken *) tokens->pdata[i])->status;
    g_autofree char *identity = tokend_notify_identity (status);
    g_autoptr (TokendNotifySituation) situation =
        tokend_notify_situation_new (tokens, identity, NULL);

    g_assert_nonnull (situation);
    check_name (situation, tokens, tokenctl_status_string (status, TOKEND_STATUS_SERIAL));
    check_message (situation, i == 0);
    check_expiry (situation);
    check_decision (&told, &situation->tries);
    told = situation->tries;
  }
  return 0;
}
