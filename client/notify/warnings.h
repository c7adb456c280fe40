/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "expiry.h"

G_BEGIN_DECLS

/**
 * TokendNotifyWarnings:
 *
 * The stages at which the person was warned of each certificate, in this session and in others.
 */
typedef struct _TokendNotifyWarnings TokendNotifyWarnings;

TokendNotifyWarnings *tokend_notify_warnings_new (const char *path);
void tokend_notify_warnings_free (TokendNotifyWarnings *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (TokendNotifyWarnings, tokend_notify_warnings_free)

guint tokend_notify_warnings_get (TokendNotifyWarnings *self, const char *certificate);
void tokend_notify_warnings_add (TokendNotifyWarnings *self, const char *certificate,
                                 TokendNotifyStage stage);

G_END_DECLS
