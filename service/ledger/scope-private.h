/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "target.h"

G_BEGIN_DECLS

/**
 * TokendScope:
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
} TokendScope;

gboolean tokend_scope_counts_at (const TokendScope *self, const char *id,
                                 const TokendTarget *target, TokendRole role);
void tokend_scope_begin (TokendScope *self, const TokendTarget *target);
gboolean tokend_scope_spread (TokendScope *self, const char *id, const TokendTarget *target,
                              TokendRole role);
void tokend_scope_note_right (TokendScope *self, const char *id, const TokendTarget *target,
                              TokendRole role);
void tokend_scope_take (TokendScope *self, const TokendScope *other);
void tokend_scope_end_stays (TokendScope *self);
void tokend_scope_clear (TokendScope *self);

G_END_DECLS
