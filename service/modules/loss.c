/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loss-private.h"

#include "journal.h"
#include "tokend-enums.h"

/* Orders the states from best to worst; -1: not known, not comparable. */
static int
get_rank (TokendState state)
{
  switch (state) {
  case TOKEND_STATE_OK:
    return 0;
  case TOKEND_STATE_LOW:
    return 1;
  case TOKEND_STATE_FINAL_TRY:
    return 2;
  case TOKEND_STATE_LOCKED:
    return 3;
  case TOKEND_STATE_UNKNOWN:
  case TOKEND_STATE_UNINITIALIZED:
    return -1;
  }
  g_return_val_if_reached (-1);
}

/**
 * tokend_loss_is_seen:
 * @before: what a token showed of one role, without our record.
 * @now: what it shows now, without our record.
 *
 * Returns: whether a try was certainly lost in between.
 */
gboolean
tokend_loss_is_seen (const TokendCounter *before, const TokendCounter *now)
{
  if (before->remaining != TOKEND_RETRIES_UNKNOWN && now->remaining != TOKEND_RETRIES_UNKNOWN)
    return now->remaining < before->remaining;
  return get_rank (before->state) >= 0 && get_rank (now->state) > get_rank (before->state);
}

/**
 * tokend_loss_get_level:
 *
 * Returns: notice; a warning where the next wrong code locks, or the last one has.
 */
GLogLevelFlags
tokend_loss_get_level (const TokendCounter *now)
{
  return get_rank (now->state) >= get_rank (TOKEND_STATE_FINAL_TRY) ? G_LOG_LEVEL_WARNING
                                                                    : G_LOG_LEVEL_MESSAGE;
}

static char *
describe (const TokendCounter *now)
{
  if (now->state == TOKEND_STATE_LOCKED)
    return g_strdup ("it is locked");
  if (now->remaining == TOKEND_RETRIES_UNKNOWN)
    return g_strdup ("how many are left is not known");
  return g_strdup_printf ("%d %s left", now->remaining, now->remaining == 1 ? "try" : "tries");
}

/**
 * tokend_loss_compose:
 * @role: whose try was lost.
 * @now: what the token shows.
 * @physical_id: see tokend_reading_physical_id().
 * @label: made printable.
 * @module: the name of the module that shows it.
 *
 * Returns: (transfer floating): an a{sv} with the fields of tokend(8), all of them text, and a
 *   message for people.
 */
GVariant *
tokend_loss_compose (TokendRole role, const TokendCounter *now, const char *physical_id,
                     const char *label, const char *module)
{
  g_auto (GVariantDict) fields = G_VARIANT_DICT_INIT (NULL);
  const char *code = role == TOKEND_ROLE_PUK ? "PUK" : "PIN";
  g_autofree char *left = describe (now);
  g_autofree char *message = NULL;

  message = g_strdup_printf ("Another program has lost a %s try of “%s”: %s", code, label, left);
  tokend_journal_put_text (&fields, "MESSAGE", message);
  tokend_journal_put_text (&fields, "MESSAGE_ID", TOKEND_MESSAGE_TRIES_LOST);
  tokend_journal_put_text (&fields, "TOKEND_ROLE", code);
  tokend_journal_put_nick (&fields, "TOKEND_STATE", TOKEND_TYPE_STATE, (int) now->state);
  tokend_journal_put_text (&fields, "TOKEND_TOKEN", physical_id);
  tokend_journal_put_text (&fields, "TOKEND_LABEL", label);
  tokend_journal_put_text (&fields, "TOKEND_MODULE", module);
  if (now->remaining != TOKEND_RETRIES_UNKNOWN)
    tokend_journal_put_number (&fields, "TOKEND_RETRIES", now->remaining);
  return g_variant_dict_end (&fields);
}
