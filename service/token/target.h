/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reading.h"

G_BEGIN_DECLS

/**
 * TokendTarget:
 *
 * Where a code is sent: to a card, by one of its labels. Tries and refused codes are recorded of a
 * target, which is the same by whichever module and slot it is reached. Which targets share tries
 * is evaluated each time, since a profile decides it.
 */
typedef struct {
  char *card; /* see tokend_reading_physical_id() */
  char *name; /* "CARD/LABEL", the label hashed too */
  /* The same; of a card without a serial number "CARD/LABEL/STAY", see tokend_target_set_stay(). */
  char *id;
  /* The card's labels have one PIN, and one PUK for it; see tokend-profiles(5). */
  gboolean shared_by_slots;
  gboolean is_known_card; /* it has a serial number; else it may be several */
  GPtrArray *related;     /* of TokendTarget: what is the same token under other names, or may be */
  guint n_one; /* how many of these, the first, are the same token: they are in its reader */
  guint first_doubtful; /* the first of the doubtful ones */
  guint n_doubtful;     /* how many of these may have left the reader before this one came */
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
