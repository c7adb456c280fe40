/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "expiry.h"

G_BEGIN_DECLS

/**
 * TokendNotifyTold:
 *
 * The stages at which the person was warned of each certificate, in this session and in others.
 */
typedef struct _TokendNotifyTold TokendNotifyTold;

TokendNotifyTold *tokend_notify_told_new (const char *path);
void tokend_notify_told_free (TokendNotifyTold *told);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotifyTold, tokend_notify_told_free)

guint tokend_notify_told_get (TokendNotifyTold *told, const char *certificate);
void tokend_notify_told_add (TokendNotifyTold *told, const char *certificate,
                             TokendNotifyStage stage);

G_END_DECLS
