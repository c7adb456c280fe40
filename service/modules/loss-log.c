/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loss-log.h"

#include "loss-private.h"

/* A module may show any number of tokens, one after another. What is forgotten here may be told of
 * twice. */
#define TOLD_MAX 256

struct _TokendToldLosses {
  GHashTable *told; /* of "holder/role" → Told */
};

typedef struct {
  char *view; /* that showed it */
  TokendCounter shown;
} Told;

static void
told_free (gpointer data)
{
  Told *told = data;

  g_free (told->view);
  g_free (told);
}

/**
 * tokend_loss_log_new:
 *
 * Returns: (transfer full): nothing was told yet.
 */
TokendLossLog *
tokend_loss_log_new (void)
{
  TokendLossLog *self = g_new0 (TokendLossLog, 1);

  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, told_free);
  return self;
}

/**
 * tokend_loss_log_free:
 *
 * Frees @self.
 */
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

/* Not where this view has only not seen yet what another one told of. */
static gboolean
has_risen (const Told *told, const TokendCounter *before, const TokendCounter *now)
{
  return tokend_loss_is_seen (now, &told->shown) && !tokend_loss_is_seen (before, &told->shown);
}

/**
 * tokend_loss_log_observe:
 * @holder: what has these tries, by a name that all views of it share.
 * @role: whose tries.
 * @view: by which the token is seen now: the name of the module, and the label, since a module may
 *   show a token twice.
 * @before: what it showed before, without our record of it.
 * @now: what it shows now, likewise.
 *
 * To be called for every snapshot: a counter that has risen falls anew.
 *
 * Returns: whether a try was lost in between, for certain, and is to be told of: no other view has
 *   shown it already. If it is told, call tokend_loss_log_add().
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
 * What tokend_loss_log_observe() was just asked about is told.
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
