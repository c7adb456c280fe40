/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "targets.h"

#include <string.h>

static TokendTarget *
target_alone (const char *name)
{
  TokendTarget *target = g_new0 (TokendTarget, 1);
  gsize length = strcspn (name, "/=~?");

  target->card = g_strndup (name, length);
  target->name = g_strdup_printf ("%s/%s", target->card,
                                  name[length] != '\0' && name[length] != '?' ? name + length + 1
                                                                              : "its only label");
  target->id = g_strdup (target->name);
  target->shared_by_slots = name[length] == '=' || name[length] == '~';
  target->is_known_card = name[length] != '~' && name[length] != '?';
  if (name[length] == '?')
    tokend_target_set_stay (target, (guint32) (name[length + 1] - '0'));
  return target;
}

/**
 * target_of:
 * @name: "CARD", "CARD/LABEL", or "CARD=LABEL" if the profile says that the card's slots share
 *   their PIN, and "CARD~LABEL" if the card has no serial number as well; "CARD?N", if it has none,
 *   and a label of its own in its stay N; "PLACE&PLACE": the first, related to the second;
 *   "PLACE!PLACE": the same, and it is doubtful that they were in the reader together.
 *
 * Returns: (transfer full): the target, with these for hashes.
 */
TokendTarget *
target_of (const char *name)
{
  const gboolean is_doubtful = strchr (name, '!') != NULL;
  g_auto (GStrv) names = g_strsplit_set (name, "&!", 2);
  TokendTarget *target = target_alone (names[0]);

  if (names[1] != NULL) {
    g_autoptr (TokendTarget) other = target_alone (names[1]);
    g_autoptr (GPtrArray) others = g_ptr_array_new ();

    g_ptr_array_add (others, other);
    tokend_target_relate (target, others, 0, is_doubtful ? 1 : 0, others->len);
  }
  return target;
}
