/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scope-private.h"

#include "journal.h"

/* No token has so many names. Keeps a module from filling the ledger with made-up names. */
#define IDS_MAX 64

static gboolean
contains (GStrv ids, const char *id)
{
  return ids != NULL && g_strv_contains ((const char *const *) ids, id);
}

static gboolean
have_same_name (const char *a, const char *b)
{
  g_autofree char *a_name = tokend_target_id_get_name (a);
  g_autofree char *b_name = tokend_target_id_get_name (b);

  return g_str_equal (a_name, b_name);
}

/* Returns: the index of the first stay that another one of the same name follows; or the length. */
static guint
find_old_stay (GPtrArray *ids)
{
  for (guint i = 0; i < ids->len; i++)
    for (guint j = i + 1; j < ids->len; j++)
      if (have_same_name (ids->pdata[i], ids->pdata[j]))
        return i;
  return ids->len;
}

/* Drops an old stay where there are too many: as a rule it has ended when the next one of its name
 * begins. */
static void
add (GStrv *ids, const char *id)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);

  if (contains (*ids, id))
    return;
  for (guint i = 0; *ids != NULL && (*ids)[i] != NULL; i++)
    g_ptr_array_add (all, g_strdup ((*ids)[i]));
  g_ptr_array_add (all, g_strdup (id));
  if (all->len > IDS_MAX)
    g_ptr_array_remove_index (all, MIN (find_old_stay (all), all->len - 1));
  g_ptr_array_add (all, NULL);
  g_strfreev (*ids);
  *ids = (GStrv) g_ptr_array_free (g_steal_pointer (&all), FALSE);
}

/* Warns once where an id does not fit, since a module may make up names at each read. What does not
 * fit into @right_at only goes on barring. */
static void
add_also_at (TokendScope *self, const char *id)
{
  static gboolean is_told;

  add (&self->also_at, id);
  if (is_told || contains (self->also_at, id))
    return;
  is_told = TRUE;
  tokend_warning ("One token was shown under more than %d names: its tries count for any other one "
                  "only while both are shown. A module may make them up",
                  IDS_MAX);
}

static gboolean
was_at (const TokendScope *self, const TokendTarget *target, TokendRole role, gboolean is_for_later)
{
  for (guint i = 0; self->also_at != NULL && self->also_at[i] != NULL; i++)
    if (tokend_target_may_have_been (target, role, self->also_at[i], is_for_later))
      return TRUE;
  return FALSE;
}

static gboolean
counts_at (const TokendScope *self, const char *id, const TokendTarget *target, TokendRole role,
           gboolean is_for_later)
{
  const gboolean may_be_same = is_for_later ? tokend_target_may_be_same_later (target, role, id)
                                            : tokend_target_may_be_same (target, role, id);

  return (may_be_same || was_at (self, target, role, is_for_later))
         && !contains (self->right_at, target->id);
}

/**
 * tokend_scope_counts_at:
 * @id: the target of the record.
 * @target: where a code would be sent.
 * @role: whose code.
 *
 * Returns: whether the record counts at @target.
 */
gboolean
tokend_scope_counts_at (const TokendScope *self, const char *id, const TokendTarget *target,
                        TokendRole role)
{
  return counts_at (self, id, target, role, FALSE);
}

/**
 * tokend_scope_begin:
 *
 * Lets one more try of @target count wherever @target is shown now by another name, if both are
 * certainly in one place.
 */
void
tokend_scope_begin (TokendScope *self, const TokendTarget *target)
{
  g_clear_pointer (&self->right_at, g_strfreev);
  for (guint i = 0; target->related != NULL && i < target->related->len; i++)
    if (!tokend_target_is_doubtful (target, i))
      add_also_at (self, ((const TokendTarget *) target->related->pdata[i])->id);
}

/**
 * tokend_scope_spread:
 * @id: the target of the record.
 * @target: a target that may have been found to be the same token.
 * @role: whose code.
 *
 * Remembers that the record counts at @target, if it does so now by what @target is certainly
 * related to.
 *
 * Returns: whether that is new.
 */
gboolean
tokend_scope_spread (TokendScope *self, const char *id, const TokendTarget *target, TokendRole role)
{
  g_autofree char *card = tokend_target_id_get_card (id);

  if (g_str_equal (card, target->card) || contains (self->also_at, target->id)
      || !counts_at (self, id, target, role, TRUE))
    return FALSE;
  add_also_at (self, target->id);
  return contains (self->also_at, target->id);
}

/**
 * tokend_scope_note_right:
 * @id: the target of the record.
 * @target: where a code of @role was right.
 * @role: whose code.
 *
 * Lets the record of @id not count at @target any more. It stays for its own target, and for all
 * others. Several cards without a serial number have one name: none of them clears the record of
 * another.
 */
void
tokend_scope_note_right (TokendScope *self, const char *id, const TokendTarget *target,
                         TokendRole role)
{
  g_autofree char *card = tokend_target_id_get_card (id);
  g_autofree char *name = tokend_target_id_get_name (id);
  const gboolean is_own =
      role == TOKEND_ROLE_PUK ? g_str_equal (card, target->card) : g_str_equal (name, target->name);

  if (!target->is_known_card && !is_own)
    return;
  if (tokend_scope_counts_at (self, id, target, role))
    add (&self->right_at, target->id);
}

/**
 * tokend_scope_take:
 *
 * Takes over the record of another target, with its @other.
 */
void
tokend_scope_take (TokendScope *self, const TokendScope *other)
{
  for (guint i = 0; other->also_at != NULL && other->also_at[i] != NULL; i++)
    add_also_at (self, other->also_at[i]);
}

/**
 * tokend_scope_end_stays:
 *
 * Forgets what was right in a stay. The service has ended, and each stay with it.
 */
void
tokend_scope_end_stays (TokendScope *self)
{
  g_auto (GStrv) before = g_steal_pointer (&self->right_at);

  for (guint i = 0; before != NULL && before[i] != NULL; i++)
    if (!tokend_target_id_has_stay (before[i]))
      add (&self->right_at, before[i]);
}

void
tokend_scope_clear (TokendScope *self)
{
  g_clear_pointer (&self->also_at, g_strfreev);
  g_clear_pointer (&self->right_at, g_strfreev);
}
