/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "target.h"

#include <string.h>

#define SEPARATOR "/"

/**
 * tokend_target_new:
 * @reading: of the token.
 * @shared_by_slots: whether the module's profile says that all labels of a card have one PIN.
 *
 * Returns: (transfer full): the token's target.
 */
TokendTarget *
tokend_target_new (const TokendReading *reading, gboolean shared_by_slots)
{
  TokendTarget *target = g_new0 (TokendTarget, 1);
  g_autofree char *label = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, reading->label);

  target->card = tokend_reading_physical_id (reading);
  target->name = g_strconcat (target->card, SEPARATOR, label, NULL);
  target->id = g_strdup (target->name);
  target->shared_by_slots = shared_by_slots;
  target->is_known_card = tokend_reading_has_serial (reading);
  return target;
}

/**
 * tokend_target_set_stay:
 * @stay: a number that is new each time that the card may have been taken out, or a service starts.
 *
 * Tells a card without a serial number from others of its make: what is known of it is known of its
 * stay alone.
 */
void
tokend_target_set_stay (TokendTarget *target, guint32 stay)
{
  if (target->is_known_card)
    return;
  g_free (target->id);
  target->id = g_strdup_printf ("%s" SEPARATOR "%08x", target->name, stay);
}

void
tokend_target_free (TokendTarget *target)
{
  g_clear_pointer (&target->related, g_ptr_array_unref);
  g_free (target->card);
  g_free (target->name);
  g_free (target->id);
  g_free (target);
}

static TokendTarget *
copy_alone (const TokendTarget *target)
{
  TokendTarget *copy = g_memdup2 (target, sizeof *target);

  copy->card = g_strdup (target->card);
  copy->name = g_strdup (target->name);
  copy->id = g_strdup (target->id);
  copy->related = NULL;
  return copy;
}

/**
 * tokend_target_relate:
 * @others: (element-type TokendTarget): the @n_one that are the same token under another name now,
 *   and then those that may be. What they are related to themselves does not matter.
 * @first_doubtful: the first of the doubtful ones.
 * @n_doubtful: how many may have left the reader before @target came.
 * @n_one: how many are the same.
 *
 * Lets what is recorded of @others count at @target too; of the doubtful ones, until they are
 * related anew. What happens at @target never clears it.
 */
void
tokend_target_relate (TokendTarget *target, GPtrArray *others, guint first_doubtful,
                      guint n_doubtful, guint n_one)
{
  g_clear_pointer (&target->related, g_ptr_array_unref);
  target->related = g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_target_free);
  for (guint i = 0; i < others->len; i++)
    g_ptr_array_add (target->related, copy_alone (others->pdata[i]));
  target->first_doubtful = first_doubtful;
  target->n_doubtful = n_doubtful;
  target->n_one = n_one;
}

/**
 * tokend_target_is_doubtful:
 *
 * Returns: whether what is recorded of the related target @i counts at @target only for now.
 */
gboolean
tokend_target_is_doubtful (const TokendTarget *target, guint i)
{
  return i >= target->first_doubtful && i < target->first_doubtful + target->n_doubtful;
}

/**
 * tokend_target_shares_codes:
 *
 * Returns: whether all labels of the card certainly have one PIN and one PUK.
 */
gboolean
tokend_target_shares_codes (const TokendTarget *target)
{
  return target->shared_by_slots && target->is_known_card;
}

/**
 * tokend_target_get_holder:
 *
 * Returns: (transfer none): what certainly has one PIN and one PUK: the card, or the target.
 */
const char *
tokend_target_get_holder (const TokendTarget *target)
{
  return tokend_target_shares_codes (target) ? target->card : target->id;
}

/* Tells whether the target @id is @holder, or one of the card @holder. */
static gboolean
is_within (const char *id, const char *holder)
{
  gsize length = strlen (holder);

  return strncmp (id, holder, length) == 0 && (id[length] == '\0' || id[length] == *SEPARATOR);
}

/**
 * tokend_target_is_same:
 * @id: a target's id.
 *
 * Returns: whether both certainly have the same PIN and PUK. Only then does a success at one clear
 *   what is recorded of the other.
 */
gboolean
tokend_target_is_same (const TokendTarget *target, const char *id)
{
  return is_within (id, tokend_target_get_holder (target));
}

/* Tells whether they may be the same without what @target is related to. */
static gboolean
may_be_same_alone (const TokendTarget *target, TokendRole role, const char *id)
{
  if (role == TOKEND_ROLE_PUK || target->shared_by_slots)
    return is_within (id, target->card);
  return target->is_known_card ? tokend_target_is_same (target, id) : is_within (id, target->name);
}

typedef gboolean IsSame (const TokendTarget *target, TokendRole role, const char *id);

static gboolean
is_related (const TokendTarget *target, TokendRole role, const char *id, gboolean is_for_later,
            IsSame *is_same)
{
  for (guint i = 0; target->related != NULL && i < target->related->len; i++)
    if (!(is_for_later && tokend_target_is_doubtful (target, i))
        && is_same (target->related->pdata[i], role, id))
      return TRUE;
  return FALSE;
}

/**
 * tokend_target_may_be_same:
 * @role: whose code.
 * @id: a target's id.
 *
 * Errs on the safe side, since a mistake costs a certificate. Cards have one PUK for all their
 * PINs, or one for each, and do not tell which. Nothing tells one card without a serial number from
 * several. Nothing proves that a token is the one that another module shows by another name. So the
 * tries of other stays and of other names count, and @target never clears them.
 *
 * Returns: whether tries at @id count as tries at @target.
 */
gboolean
tokend_target_may_be_same (const TokendTarget *target, TokendRole role, const char *id)
{
  return may_be_same_alone (target, role, id)
         || is_related (target, role, id, FALSE, may_be_same_alone);
}

/**
 * tokend_target_may_be_same_later:
 * @role: whose code.
 * @id: a target's id.
 *
 * Returns: whether the ledger records that tries at @id count at @target: what @target is related
 *   to was certainly where @target was.
 */
gboolean
tokend_target_may_be_same_later (const TokendTarget *target, TokendRole role, const char *id)
{
  return may_be_same_alone (target, role, id)
         || is_related (target, role, id, TRUE, may_be_same_alone);
}

/* Keeps to one stay: several cards without a serial number have one name. */
static gboolean
is_in_same_stay (const TokendTarget *target, TokendRole role, const char *id)
{
  return target->is_known_card ? may_be_same_alone (target, role, id)
                               : g_str_equal (id, target->id);
}

/**
 * tokend_target_may_have_been:
 * @role: whose code.
 * @id: what a third target was related to.
 * @is_for_later: whether this is for the ledger, see tokend_target_may_be_same_later().
 *
 * A card without a serial number relates two that have one only during its stay, and never for the
 * ledger of another stay.
 *
 * Returns: whether tries at the third target count at @target by that.
 */
gboolean
tokend_target_may_have_been (const TokendTarget *target, TokendRole role, const char *id,
                             gboolean is_for_later)
{
  IsSame *is_same = target->is_known_card || is_for_later ? is_in_same_stay : may_be_same_alone;

  return is_same (target, role, id) || is_related (target, role, id, is_for_later, is_same);
}

/**
 * tokend_target_is_shown_as:
 * @id: a target's id.
 *
 * Returns: whether @id is the same PIN and PUK by whichever name, so that its tries are also told.
 */
gboolean
tokend_target_is_shown_as (const TokendTarget *target, const char *id)
{
  if (tokend_target_is_same (target, id))
    return TRUE;
  for (guint i = 0; target->related != NULL && i < target->n_one; i++)
    if (tokend_target_is_same (target->related->pdata[i], id))
      return TRUE;
  return FALSE;
}

/**
 * tokend_target_list_cards:
 *
 * Returns: (transfer full): the card, and then those that it may be under other names; each once.
 */
GStrv
tokend_target_list_cards (const TokendTarget *target)
{
  g_autoptr (GPtrArray) cards = g_ptr_array_new ();

  g_ptr_array_add (cards, target->card);
  for (guint i = 0; target->related != NULL && i < target->related->len; i++) {
    const TokendTarget *other = target->related->pdata[i];

    if (!g_ptr_array_find_with_equal_func (cards, other->card, g_str_equal, NULL))
      g_ptr_array_add (cards, other->card);
  }
  g_ptr_array_add (cards, NULL);
  return g_strdupv ((char **) cards->pdata);
}

/**
 * tokend_target_id_get_card:
 *
 * Returns: (transfer full): the card of the target @id, see tokend_reading_physical_id().
 */
char *
tokend_target_id_get_card (const char *id)
{
  return g_strndup (id, strcspn (id, SEPARATOR));
}

/* Returns: (nullable): the stay, from the separator on. */
static const char *
find_stay (const char *id)
{
  const char *label = strchr (id, *SEPARATOR);

  return label != NULL ? strchr (label + 1, *SEPARATOR) : NULL;
}

/**
 * tokend_target_id_has_stay:
 *
 * Returns: whether @id is of one run of the service only, see tokend_target_set_stay().
 */
gboolean
tokend_target_id_has_stay (const char *id)
{
  return find_stay (id) != NULL;
}

/**
 * tokend_target_id_get_name:
 *
 * Returns: (transfer full): the target @id without the stay.
 */
char *
tokend_target_id_get_name (const char *id)
{
  const char *stay = find_stay (id);

  return stay != NULL ? g_strndup (id, (gsize) (stay - id)) : g_strdup (id);
}
