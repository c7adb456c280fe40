/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reading.h"

G_BEGIN_DECLS

/**
 * TokendTarget:
 *
 * Where a code is sent: to a card, by one of the labels that it is shown with. What is recorded of
 * a code is recorded of its target, which is the same by whichever module and slot it is reached;
 * which targets a role's tries are shared by is judged anew each time, since that is a profile's
 * word.
 */
typedef struct {
  char *card; /* see tokend_reading_physical_id() */
  char *name; /* "CARD/LABEL", the label hashed too */
  /* The same; of a card without a serial number "CARD/LABEL/STAY", see tokend_target_set_stay() */
  char *id;
  /* The card's labels have one PIN, and one PUK for it; see tokend-profiles(5) */
  gboolean shared_by_slots;
  gboolean is_known_card; /* else it may be several: it has no serial number */
  GPtrArray *related; /* of TokendTarget: under other names it is the same token now, or may be */
  guint n_one; /* so many of these, the first, are the same token: they are shown in its reader */
  guint first_doubtful; /* from this one on */
  guint n_doubtful;     /* so many of these may have left the reader before this one came */
} TokendTarget;

TokendTarget *tokend_target_new (const TokendReading *reading, gboolean shared_by_slots);
void tokend_target_set_stay (TokendTarget *target, guint32 stay);
void tokend_target_free (TokendTarget *target);
void tokend_target_relate (TokendTarget *target, GPtrArray *others, guint first_doubtful,
                           guint n_doubtful, guint n_one);

gboolean tokend_target_is_doubtful (const TokendTarget *target, guint i);
gboolean tokend_target_shares_codes (const TokendTarget *target);
const char *tokend_target_get_holder (const TokendTarget *target);
gboolean tokend_target_is_same (const TokendTarget *target, const char *id);
gboolean tokend_target_may_be_same (const TokendTarget *target, TokendRole role, const char *id);
gboolean tokend_target_may_be_same_later (const TokendTarget *target, TokendRole role,
                                          const char *id);
gboolean tokend_target_may_have_been (const TokendTarget *target, TokendRole role, const char *id,
                                      gboolean is_for_later);
GStrv tokend_target_list_cards (const TokendTarget *target);
gboolean tokend_target_is_shown_as (const TokendTarget *target, const char *id);
char *tokend_target_id_get_card (const char *id);
gboolean tokend_target_id_has_stay (const char *id);
char *tokend_target_id_get_name (const char *id);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendTarget, tokend_target_free)

G_END_DECLS
