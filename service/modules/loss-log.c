/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loss-log.h"

#include "loss-private.h"

/* A module may show any number of tokens, one after another. A loss that is forgotten here may be
 * told twice. */
#define TOLD_MAX 256

struct _TokendToldLosses {
  GHashTable *told; /* of "holder/role" → Told */
};

typedef struct {
  char *view; /* the view that showed it */
  TokendCounter shown;
} Told;

static void
told_free (gpointer data)
{
  Told *told = data;

  g_free (told->view);
  g_free (told);
}

TokendLossLog *
tokend_loss_log_new (void)
{
  TokendLossLog *self = g_new0 (TokendLossLog, 1);

  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, told_free);
  return self;
}

void
tokend_loss_log_free (TokendLossLog *self)
{
  g_hash_table_unref (self->told);
  g_free (self);
}

static char *
make_key (const char *holder, TokendRole role)
{
  return g_strdup_printf ("%s/%d", holder, (int) role);
}

/* Tells whether the counter has risen. It has not if this view only catches up with another one. */
static gboolean
has_risen (const Told *told, const TokendCounter *before, const TokendCounter *now)
{
  return tokend_loss_is_seen (now, &told->shown) && !tokend_loss_is_seen (before, &told->shown);
}

/**
 * tokend_loss_log_observe:
 * @holder: what has these tries, by a name that all views of it share.
 * @role: whose tries.
 * @view: the name of the module and the label, since a module may show a token twice.
 * @before: what this view showed before, without our record.
 * @now: what it shows now, without our record.
 *
 * Must be called for every snapshot, to notice a counter that rises.
 *
 * Returns: whether a try was certainly lost in between, and no other view has shown it. Call
 *   tokend_loss_log_add() once it is told.
 */
gboolean
tokend_loss_log_observe (TokendLossLog *self, const char *holder, TokendRole role, const char *view,
                         const TokendCounter *before, const TokendCounter *now)
{
  g_autofree char *key = make_key (holder, role);
  const Told *told = g_hash_table_lookup (self->told, key);

  if (told != NULL && has_risen (told, before, now)) {
    g_hash_table_remove (self->told, key);
    told = NULL;
  }
  if (!tokend_loss_is_seen (before, now))
    return FALSE;
  return told == NULL || g_str_equal (told->view, view) || tokend_loss_is_seen (&told->shown, now);
}

/**
 * tokend_loss_log_add:
 *
 * Records that the loss is told of which tokend_loss_log_observe() was just asked.
 */
void
tokend_loss_log_add (TokendLossLog *self, const char *holder, TokendRole role, const char *view,
                     const TokendCounter *now)
{
  Told *told = g_new0 (Told, 1);

  if (g_hash_table_size (self->told) >= TOLD_MAX)
    g_hash_table_remove_all (self->told);
  told->view = g_strdup (view);
  told->shown = *now;
  g_hash_table_insert (self->told, make_key (holder, role), told);
}
