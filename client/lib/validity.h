/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "words.h"

G_BEGIN_DECLS

/* How many days before its end a certificate must be renewed. */
#define TOKENCTL_RENEWAL_DAYS 30

/**
 * TokenctlValidity:
 * @ended: whether a certificate has ended
 * @days: until its end, as a calendar counts them: 0 today, 1 tomorrow
 */
typedef struct {
  gboolean ended;
  gint days;
} TokenctlValidity;

GDateTime *tokenctl_status_not_after (GVariant *status);
TokenctlValidity tokenctl_validity (GDateTime *not_after, GDateTime *now);
TokenctlEmphasis tokenctl_emphasis_of_validity (const TokenctlValidity *validity);
char *tokenctl_words_for_date (GDateTime *date);
char *tokenctl_words_for_moment (GDateTime *moment);
char *tokenctl_words_for_validity (GDateTime *not_after, GDateTime *now);

G_END_DECLS
