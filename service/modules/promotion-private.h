/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How long a module is polled before it is promoted once more, since it may show its token now
 * here, now there. In microseconds. */
#define TOKEND_PROMOTION_INTERVAL (10 * G_TIME_SPAN_SECOND)

/**
 * TokendPromotion:
 *
 * Whether pcscd's readers tell when a vendor's module is to be asked, which is polled else; zero at
 * first. Readers that a poll contradicts are not believed as long as there is a token: none must
 * stay unseen.
 */
typedef struct {
  gboolean is_promoted;
  gint64 begun_at;          /* the last time; monotonic, microseconds; 0: never */
  gboolean are_watchable;   /* the tokens, by the last poll */
  gboolean is_ended;        /* and not polled since */
  guint n_told;             /* how many tokens the readers told when it was ended */
  gboolean is_contradicted; /* the next poll showed more */
} TokendPromotion;

void tokend_promotion_begin (TokendPromotion *self, gint64 now);
void tokend_promotion_end (TokendPromotion *self, guint n_told);
void tokend_promotion_take_poll (TokendPromotion *self, guint n_tokens, gboolean are_watchable);
gboolean tokend_promotion_is_due (const TokendPromotion *self, gint64 now);

G_END_DECLS
