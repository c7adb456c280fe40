/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What an operating host does about cards that another program is in the way of: OpenSC would wait for each of them, whichever
 * is meant. */
#include "hidden-cards.h"

#include <glib/gi18n.h>

#include "opensc-readers.h"
#include "reader-reach.h"
#include "tokend-error.h"

#define REACH_TIMEOUT (2 * G_TIME_SPAN_SECOND)

static gboolean
is_any_taken (GHashTable *states)
{
  GHashTableIter iter;
  gpointer state;

  g_hash_table_iter_init (&iter, states);
  while (g_hash_table_iter_next (&iter, NULL, &state))
    if (((TokendReaderState *) state)->use == TOKEND_CARD_EXCLUSIVE)
      return TRUE;
  return FALSE;
}

/**
 * tokend_hidden_cards_leave_out:
 * @are_any: (out): whether there are cards that the module does not see
 * @error: Busy
 *
 * Where the module is OpenSC, and not initialised yet: cards that another program has a transaction with for 2 seconds are
 * left out; those that it has for itself, OpenSC leaves out.
 */
gboolean
tokend_hidden_cards_leave_out (gboolean *are_any, GError **error)
{
  TokendPcsc *pcsc;
  g_autoptr (GHashTable) states = NULL;
  g_autoptr (GHashTable) missed = NULL;

  *are_any = FALSE;
  if (tokend_opensc_readers_get_configuration () == NULL)
    return TRUE;
  pcsc = tokend_pcsc_new ();
  states = tokend_pcsc_list (pcsc);
  missed = tokend_reader_reach_try (tokend_reader_reach_new (), pcsc, &states, NULL, REACH_TIMEOUT);
  *are_any = g_hash_table_size (missed) > 0 || is_any_taken (states);
  return tokend_opensc_readers_leave_out (missed, error);
}

static void
set_busy (GError **error)
{
  g_set_error_literal (
      error, TOKEND_ERROR, TOKEND_ERROR_BUSY,
      N_ ("Another program is using a card that may be this token, and does not let go of it"));
}

/**
 * tokend_hidden_cards_check:
 * @identity: of the token that is meant
 * @error: Busy
 *
 * A code must go to the one card that is meant, and which one that is must be seen. A card that is hidden may have the same
 * name as another where the serial number, which tells them apart, is none. Two with the same serial number are told of by the
 * watching host, and not operated on.
 */
gboolean
tokend_hidden_cards_check (gboolean are_any, const TokendTokenIdentity *identity, GError **error)
{
  if (!are_any || tokend_token_field_tells_apart (&identity->serial))
    return TRUE;
  set_busy (error);
  return FALSE;
}

/** tokend_hidden_cards_explain: @error: why the token was not opened: one that is not found is one that is hidden. */
void
tokend_hidden_cards_explain (gboolean are_any, GError *error)
{
  g_autoptr (GError) busy = NULL;

  if (!are_any || !g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_NOT_FOUND))
    return;
  set_busy (&busy);
  g_free (error->message);
  error->code = busy->code;
  error->message = g_strdup (busy->message);
}
