/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/*
 * What the service writes to the journal, all of it: structured logging, never a code, never a
 * serial. A token is named by its physical id (a hash) in TOKEND_TOKEN.
 */
#define TOKEND_LOG_DOMAIN "tokend"

#define tokend_log(level, ...) g_log_structured (TOKEND_LOG_DOMAIN, (level), "MESSAGE", __VA_ARGS__)
#define tokend_debug(...) tokend_log (G_LOG_LEVEL_DEBUG, __VA_ARGS__)
#define tokend_notice(...) tokend_log (G_LOG_LEVEL_MESSAGE, __VA_ARGS__)
#define tokend_warning(...) tokend_log (G_LOG_LEVEL_WARNING, __VA_ARGS__)

#define tokend_log_token(level, physical_id, ...)                                                  \
  g_log_structured (TOKEND_LOG_DOMAIN, (level), "TOKEND_TOKEN", (physical_id), "MESSAGE",          \
                    __VA_ARGS__)

G_END_DECLS
