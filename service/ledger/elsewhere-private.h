/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "target.h"

G_BEGIN_DECLS

/**
 * TokendElsewhere:
 *
 * Where the record of one role at one target counts besides that target; zero at first.
 *
 * Which tokens are one is known only while both are shown. The record still counts at both targets
 * when one of them is gone, or the service was started again.
 */
typedef struct {
  GStrv also_at; /* ids of targets that were the same token, or may have been; or NULL */
  /* Ids of targets where the code was right since, so that the record does not count there; or
   * NULL. */
  GStrv right_at;
} TokendElsewhere;

gboolean tokend_elsewhere_counts_at (const TokendElsewhere *self, const char *id,
                                     const TokendTarget *target, TokendRole role);
void tokend_elsewhere_begin (TokendElsewhere *self, const TokendTarget *target);
gboolean tokend_elsewhere_spread (TokendElsewhere *self, const char *id, const TokendTarget *target,
                                  TokendRole role);
void tokend_elsewhere_note_right (TokendElsewhere *self, const char *id, const TokendTarget *target,
                                  TokendRole role);
void tokend_elsewhere_take (TokendElsewhere *self, const TokendElsewhere *other);
void tokend_elsewhere_end_stays (TokendElsewhere *self);
void tokend_elsewhere_clear (TokendElsewhere *self);

G_END_DECLS
