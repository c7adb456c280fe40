/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "places.h"

#include <string.h>

static TokendPlace *
place_alone (const char *name)
{
  TokendPlace *place = g_new0 (TokendPlace, 1);
  gsize length = strcspn (name, "/=~?");

  place->card = g_strndup (name, length);
  place->name = g_strdup_printf ("%s/%s", place->card,
                                 name[length] != '\0' && name[length] != '?' ? name + length + 1
                                                                             : "its only label");
  place->id = g_strdup (place->name);
  place->shared_by_slots = name[length] == '=' || name[length] == '~';
  place->is_known_card = name[length] != '~' && name[length] != '?';
  if (name[length] == '?')
    tokend_place_set_stay (place, (guint32) (name[length + 1] - '0'));
  return place;
}

/**
 * place_of:
 * @name: "CARD", "CARD/LABEL", or "CARD=LABEL" if the profile says that the card's slots share
 *   their PIN, and "CARD~LABEL" if the card has no serial number as well; "CARD?N", if it has none,
 *   and a label of its own in its stay N; "PLACE&PLACE": the first, related to the second;
 *   "PLACE!PLACE": the same, and it is doubtful that they were in the reader together.
 *
 * Returns: (transfer full): the place, with these for hashes.
 */
TokendPlace *
place_of (const char *name)
{
  const gboolean is_doubtful = strchr (name, '!') != NULL;
  g_auto (GStrv) names = g_strsplit_set (name, "&!", 2);
  TokendPlace *place = place_alone (names[0]);

  if (names[1] != NULL) {
    g_autoptr (TokendPlace) other = place_alone (names[1]);
    g_autoptr (GPtrArray) others = g_ptr_array_new ();

    g_ptr_array_add (others, other);
    tokend_place_relate (place, others, 0, is_doubtful ? 1 : 0, others->len);
  }
  return place;
}
