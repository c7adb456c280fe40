/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reading.h"

G_BEGIN_DECLS

/**
 * TokendPlace:
 *
 * Where a code is sent: to a card, by one of the labels that it is shown with. What is recorded of
 * a code is recorded of its place, which is the same by whichever module and slot it is reached;
 * which places a role's tries are shared by is judged anew each time, since that is a profile's
 * word.
 */
typedef struct {
  char *card; /* see tokend_reading_physical_id() */
  char *name; /* "CARD/LABEL", the label hashed too */
  /* The same; of a card without a serial number "CARD/LABEL/STAY", see tokend_place_set_stay() */
  char *id;
  /* The card's labels have one PIN, and one PUK for it; see tokend-profiles(5) */
  gboolean shared_by_slots;
  gboolean is_known_card; /* else it may be several: it has no serial number */
  GPtrArray *related; /* of TokendPlace: under other names it is the same token now, or may be */
  guint n_one; /* so many of these, the first, are the same token: they are shown in its reader */
  guint first_doubtful; /* from this one on */
  guint n_doubtful;     /* so many of these may have left the reader before this one came */
} TokendPlace;

TokendPlace *tokend_place_new (const TokendReading *reading, gboolean shared_by_slots);
void tokend_place_set_stay (TokendPlace *place, guint32 stay);
void tokend_place_free (TokendPlace *place);
void tokend_place_relate (TokendPlace *place, GPtrArray *others, guint first_doubtful,
                          guint n_doubtful, guint n_one);

gboolean tokend_place_is_doubtful (const TokendPlace *place, guint i);
gboolean tokend_place_shares_codes (const TokendPlace *place);
const char *tokend_place_get_holder (const TokendPlace *place);
gboolean tokend_place_is_same (const TokendPlace *place, const char *id);
gboolean tokend_place_may_be_same (const TokendPlace *place, TokendRole role, const char *id);
gboolean tokend_place_may_be_same_later (const TokendPlace *place, TokendRole role, const char *id);
gboolean tokend_place_may_have_been (const TokendPlace *place, TokendRole role, const char *id,
                                     gboolean is_for_later);
GStrv tokend_place_list_cards (const TokendPlace *place);
gboolean tokend_place_is_shown_as (const TokendPlace *place, const char *id);
char *tokend_place_id_get_card (const char *id);
gboolean tokend_place_id_has_stay (const char *id);
char *tokend_place_id_get_name (const char *id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendPlace, tokend_place_free)

G_END_DECLS
