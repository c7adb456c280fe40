/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "refused-message.h"

#include <string.h>

/* What comes before the time in the message of AlreadyRefused. */
#define BEFORE_TIME " before, on "
#define TIME_FORMAT "%Y-%m-%dT%H:%M:%SZ"
#define TIME_LENGTH (sizeof "2026-01-01T00:00:00Z" - 1)

/**
 * tokend_refused_message_new:
 * @code: "PIN" or "PUK".
 * @refused_at: when the token last refused it, in microseconds since the epoch.
 *
 * Puts the time, which the caller needs to ask a person, into the message by ISO 8601: an error of
 * D-Bus has a name and a message alone.
 *
 * Returns: (transfer full): the message of AlreadyRefused.
 */
char *
tokend_refused_message_new (const char *code, gint64 refused_at)
{
  g_autoptr (GDateTime) moment = g_date_time_new_from_unix_utc (refused_at / G_USEC_PER_SEC);
  g_autofree char *time = moment != NULL ? g_date_time_format (moment, TIME_FORMAT) : NULL;

  return g_strdup_printf ("This token has refused this very %s%s%s; nothing was sent", code,
                          BEFORE_TIME, time != NULL ? time : "a day that is not known");
}

/**
 * tokend_refused_message_get_time:
 * @message: of AlreadyRefused, maybe after the name of the error.
 *
 * Returns: (transfer full) (nullable): when the token refused the code, UTC; %NULL: not told.
 */
GDateTime *
tokend_refused_message_get_time (const char *message)
{
  const char *before = strstr (message, BEFORE_TIME);
  g_autofree char *time = NULL;

  if (before == NULL)
    return NULL;
  time = g_strndup (before + strlen (BEFORE_TIME), TIME_LENGTH);
  return g_date_time_new_from_iso8601 (time, NULL);
}
