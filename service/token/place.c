/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "place.h"

#include <string.h>

#define SEPARATOR "/"

/**
 * tokend_place_new:
 * @reading: of the token.
 * @shared_by_slots: whether its module's profile says that all labels of the card have one PIN.
 *
 * Returns: (transfer full): the token's place.
 */
TokendPlace *
tokend_place_new (const TokendReading *reading, gboolean shared_by_slots)
{
  TokendPlace *place = g_new0 (TokendPlace, 1);
  g_autofree char *label = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, reading->label);

  place->card = tokend_reading_physical_id (reading);
  place->name = g_strconcat (place->card, SEPARATOR, label, NULL);
  place->id = g_strdup (place->name);
  place->shared_by_slots = shared_by_slots;
  place->is_known_card = tokend_reading_has_serial (reading);
  return place;
}

/**
 * tokend_place_set_stay:
 * @stay: another one each time that the card may have been taken out, or that a service has
 *   started.
 *
 * Nothing tells one card without a serial number from another one. What is known of such a card is
 * known of its stay.
 */
void
tokend_place_set_stay (TokendPlace *place, guint32 stay)
{
  if (place->is_known_card)
    return;
  g_free (place->id);
  place->id = g_strdup_printf ("%s" SEPARATOR "%08x", place->name, stay);
}

/**
 * tokend_place_free:
 *
 * Frees @place.
 */
void
tokend_place_free (TokendPlace *place)
{
  g_clear_pointer (&place->related, g_ptr_array_unref);
  g_free (place->card);
  g_free (place->name);
  g_free (place->id);
  g_free (place);
}

static TokendPlace *
copy_alone (const TokendPlace *place)
{
  TokendPlace *copy = g_memdup2 (place, sizeof *place);

  copy->card = g_strdup (place->card);
  copy->name = g_strdup (place->name);
  copy->id = g_strdup (place->id);
  copy->related = NULL;
  return copy;
}

/**
 * tokend_place_relate:
 * @place: a place.
 * @others: (element-type TokendPlace): those that are the same token under another name now, and
 *   then those that may be; what they are related to themselves does not matter.
 * @first_doubtful: from this one on,
 * @n_doubtful: so many of them may have left the reader before @place came.
 * @n_one: how many of them, the first, are the same.
 *
 * From now on what is recorded of @others counts at @place too; of the doubtful ones, until they
 * are related anew. It is never settled by what happens at @place.
 */
void
tokend_place_relate (TokendPlace *place, GPtrArray *others, guint first_doubtful, guint n_doubtful,
                     guint n_one)
{
  g_clear_pointer (&place->related, g_ptr_array_unref);
  place->related = g_ptr_array_new_with_free_func ((GDestroyNotify) tokend_place_free);
  for (guint i = 0; i < others->len; i++)
    g_ptr_array_add (place->related, copy_alone (others->pdata[i]));
  place->first_doubtful = first_doubtful;
  place->n_doubtful = n_doubtful;
  place->n_one = n_one;
}

/**
 * tokend_place_is_doubtful:
 *
 * Whether what is recorded of the related place @i does not count at @place for ever.
 */
gboolean
tokend_place_is_doubtful (const TokendPlace *place, guint i)
{
  return i >= place->first_doubtful && i < place->first_doubtful + place->n_doubtful;
}

/**
 * tokend_place_shares_codes:
 *
 * Whether all labels of the card are certain to have one PIN and one PUK.
 */
gboolean
tokend_place_shares_codes (const TokendPlace *place)
{
  return place->shared_by_slots && place->is_known_card;
}

/**
 * tokend_place_get_holder:
 *
 * Returns: (transfer none): what is certain to have one PIN and one PUK: the card, or the place.
 */
const char *
tokend_place_get_holder (const TokendPlace *place)
{
  return tokend_place_shares_codes (place) ? place->card : place->id;
}

/* Whether the place @id is @holder, or one of the card that @holder is. */
static gboolean
is_within (const char *id, const char *holder)
{
  gsize length = strlen (holder);

  return strncmp (id, holder, length) == 0 && (id[length] == '\0' || id[length] == *SEPARATOR);
}

/**
 * tokend_place_is_same:
 * @place: a place.
 * @id: another one's id, or its own.
 *
 * Returns: whether both are certain to have the same PIN and PUK: only then what succeeds or is
 *   seen at one settles what is recorded of the other.
 */
gboolean
tokend_place_is_same (const TokendPlace *place, const char *id)
{
  return is_within (id, tokend_place_get_holder (place));
}

/* Whatever @place is related to. */
static gboolean
may_be_same_alone (const TokendPlace *place, TokendRole role, const char *id)
{
  if (role == TOKEND_ROLE_PUK || place->shared_by_slots)
    return is_within (id, place->card);
  return place->is_known_card ? tokend_place_is_same (place, id) : is_within (id, place->name);
}

typedef gboolean IsSame (const TokendPlace *place, TokendRole role, const char *id);

static gboolean
is_related (const TokendPlace *place, TokendRole role, const char *id, gboolean is_for_later,
            IsSame *is_same)
{
  for (guint i = 0; place->related != NULL && i < place->related->len; i++)
    if (!(is_for_later && tokend_place_is_doubtful (place, i))
        && is_same (place->related->pdata[i], role, id))
      return TRUE;
  return FALSE;
}

/**
 * tokend_place_may_be_same:
 * @place: a place.
 * @role: whose code.
 * @id: another one's id, or its own.
 *
 * Cards have one PUK for all their PINs, or one for each, and do not tell which: a mistake costs a
 * certificate. Likewise nothing tells one card without a serial number from several, nor for
 * certain whether a token is the one that another module shows by another name: the tries of other
 * stays, and of other names, count, and are never settled by this one.
 *
 * Returns: whether tries at @id are to count as tries at @place.
 */
gboolean
tokend_place_may_be_same (const TokendPlace *place, TokendRole role, const char *id)
{
  return may_be_same_alone (place, role, id)
         || is_related (place, role, id, FALSE, may_be_same_alone);
}

/**
 * tokend_place_may_be_same_later:
 * @place: a place.
 * @role: whose code.
 * @id: another one's id, or its own.
 *
 * Returns: whether that tries at @id count as tries at @place is to be recorded: it is certain that
 *   what is related to @place was where @place was.
 */
gboolean
tokend_place_may_be_same_later (const TokendPlace *place, TokendRole role, const char *id)
{
  return may_be_same_alone (place, role, id)
         || is_related (place, role, id, TRUE, may_be_same_alone);
}

/* The name of a card without a serial number is that of others, which were in the reader with other
 * cards. */
static gboolean
is_in_same_stay (const TokendPlace *place, TokendRole role, const char *id)
{
  return place->is_known_card ? may_be_same_alone (place, role, id) : g_str_equal (id, place->id);
}

/**
 * tokend_place_may_have_been:
 * @place: a place.
 * @role: whose code.
 * @id: of what a third place was related to.
 * @is_for_later: whether it is to be recorded, see tokend_place_may_be_same_later().
 *
 * Returns: whether tries at that third place are to count at @place by that. What has no serial
 *   number makes one of two that have one only in its stay; nor is it recorded of another stay.
 */
gboolean
tokend_place_may_have_been (const TokendPlace *place, TokendRole role, const char *id,
                            gboolean is_for_later)
{
  IsSame *is_same = place->is_known_card || is_for_later ? is_in_same_stay : may_be_same_alone;

  return is_same (place, role, id) || is_related (place, role, id, is_for_later, is_same);
}

/**
 * tokend_place_is_shown_as:
 * @place: a place.
 * @id: another one's id, or its own.
 *
 * Returns: whether tries at @id are to be told of @place, and not only to bar: it is the same PIN
 *   and PUK, by whichever name.
 */
gboolean
tokend_place_is_shown_as (const TokendPlace *place, const char *id)
{
  if (tokend_place_is_same (place, id))
    return TRUE;
  for (guint i = 0; place->related != NULL && i < place->n_one; i++)
    if (tokend_place_is_same (place->related->pdata[i], id))
      return TRUE;
  return FALSE;
}

/**
 * tokend_place_list_cards:
 *
 * Returns: (transfer full): the card, and then those that it may be under other names; each once.
 */
GStrv
tokend_place_list_cards (const TokendPlace *place)
{
  g_autoptr (GPtrArray) cards = g_ptr_array_new ();

  g_ptr_array_add (cards, place->card);
  for (guint i = 0; place->related != NULL && i < place->related->len; i++) {
    const TokendPlace *other = place->related->pdata[i];

    if (!g_ptr_array_find_with_equal_func (cards, other->card, g_str_equal, NULL))
      g_ptr_array_add (cards, other->card);
  }
  g_ptr_array_add (cards, NULL);
  return g_strdupv ((char **) cards->pdata);
}

/**
 * tokend_place_id_get_card:
 *
 * Returns: (transfer full): the card of the place @id, see tokend_reading_physical_id().
 */
char *
tokend_place_id_get_card (const char *id)
{
  return g_strndup (id, strcspn (id, SEPARATOR));
}

/* Returns: (nullable): where the stay begins, with the separator before it. */
static const char *
find_stay (const char *id)
{
  const char *label = strchr (id, *SEPARATOR);

  return label != NULL ? strchr (label + 1, *SEPARATOR) : NULL;
}

/**
 * tokend_place_id_has_stay:
 *
 * Returns: whether @id ends with the service, see tokend_place_set_stay().
 */
gboolean
tokend_place_id_has_stay (const char *id)
{
  return find_stay (id) != NULL;
}

/**
 * tokend_place_id_get_name:
 *
 * Returns: (transfer full): the place @id without the stay.
 */
char *
tokend_place_id_get_name (const char *id)
{
  const char *stay = find_stay (id);

  return stay != NULL ? g_strndup (id, (gsize) (stay - id)) : g_strdup (id);
}
