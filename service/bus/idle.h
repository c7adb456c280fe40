/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "service.h"

G_BEGIN_DECLS

/**
 * TokendIdle:
 *
 * Notices that nobody has needed the service for a while.
 *
 * Signal `idle`: for 30 seconds there was no subscriber, no open operation, no call, and no refused
 *   code that the service must stay for, see tokend_refused_get_needed_until().
 */
#define TOKEND_TYPE_IDLE (tokend_idle_get_type ())
G_DECLARE_FINAL_TYPE (TokendIdle, tokend_idle, TOKEND, IDLE, GObject)

TokendIdle *tokend_idle_new (TokendService *service);

G_END_DECLS
