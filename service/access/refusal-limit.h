/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* org.tokend.Tokend1.xml and tokend(8) state these. */
#define TOKEND_REFUSALS_MAX 5
#define TOKEND_REFUSALS_INTERVAL_US (60 * G_TIME_SPAN_MINUTE)

/**
 * TokendRefusalLimit:
 *
 * Limits how often a user is told that a token has refused a code before. The answer costs no try,
 * so without a limit a user could find out what others have typed.
 */
typedef struct _TokendRefusalLimit TokendRefusalLimit;

TokendRefusalLimit *tokend_refusal_limit_new (void);
void tokend_refusal_limit_free (TokendRefusalLimit *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendRefusalLimit, tokend_refusal_limit_free)

gboolean tokend_refusal_limit_is_reached (TokendRefusalLimit *self, guint32 uid,
                                          const char *const *names, gint64 now);
void tokend_refusal_limit_count (TokendRefusalLimit *self, guint32 uid, const char *const *names,
                                 gint64 now);

G_END_DECLS
