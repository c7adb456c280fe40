/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "validity.h"

#include <glib/gi18n.h>

/* A day before the end of the year 9999, which is a date in any time zone. */
#define NOT_AFTER_MAX G_GUINT64_CONSTANT (253402214399)

/**
 * tokenctl_status_not_after:
 *
 * Returns: (transfer full) (nullable): when the certificate ends, in the person's time zone; %NULL
 *   if not known
 */
GDateTime *
tokenctl_status_not_after (GVariant *status)
{
  guint64 microseconds;

  if (!g_variant_lookup (status, TOKEND_STATUS_CERTIFICATE_NOT_AFTER, "t", &microseconds)
      || microseconds / G_USEC_PER_SEC > NOT_AFTER_MAX)
    return NULL;
  return g_date_time_new_from_unix_local ((gint64) (microseconds / G_USEC_PER_SEC));
}

static gint
day_of (GDateTime *moment)
{
  GDate date;
  gint year, month, day;

  g_date_time_get_ymd (moment, &year, &month, &day);
  g_date_clear (&date, 1);
  g_date_set_dmy (&date, (GDateDay) day, (GDateMonth) month, (GDateYear) year);
  return (gint) g_date_get_julian (&date);
}

/**
 * tokenctl_validity:
 * @not_after: the end of a certificate
 * @now: in the same time zone
 *
 * Returns: how far the end is
 */
TokenctlValidity
tokenctl_validity (GDateTime *not_after, GDateTime *now)
{
  return (TokenctlValidity){ .ended = g_date_time_compare (now, not_after) > 0,
                             .days = day_of (not_after) - day_of (now) };
}

/**
 * tokenctl_emphasis_of_validity:
 * @validity: of a certificate
 *
 * Returns: how much it must stand out
 */
TokenctlEmphasis
tokenctl_emphasis_of_validity (const TokenctlValidity *validity)
{
  if (validity->ended)
    return TOKENCTL_EMPHASIS_LOCKED;
  return validity->days <= TOKENCTL_RENEWAL_DAYS ? TOKENCTL_EMPHASIS_LOW : TOKENCTL_EMPHASIS_NONE;
}

/**
 * tokenctl_words_for_date:
 * @date: a day
 *
 * Returns: (transfer full): the day in the person's language
 */
char *
tokenctl_words_for_date (GDateTime *date)
{
  /* xgettext:no-c-format
   * Translators: a date, see date(1): 3 March 2027 */
  return g_date_time_format (date, _ ("%-d %B %Y"));
}

/**
 * tokenctl_words_for_moment:
 * @moment: a day and time
 *
 * Returns: (transfer full): the day and time, to the minute
 */
char *
tokenctl_words_for_moment (GDateTime *moment)
{
  /* xgettext:no-c-format
   * Translators: a date and time, see date(1): 3 March 2027, 14:05 */
  return g_date_time_format (moment, _ ("%-d %B %Y, %H:%M"));
}

/**
 * tokenctl_words_for_validity:
 * @not_after: the end of a certificate
 * @now: in the same time zone
 *
 * Returns: (transfer full): until when it is valid, to the minute if that matters, and what to do
 */
char *
tokenctl_words_for_validity (GDateTime *not_after, GDateTime *now)
{
  TokenctlValidity validity = tokenctl_validity (not_after, now);
  g_autofree char *date = tokenctl_words_for_date (not_after);
  g_autofree char *moment = tokenctl_words_for_moment (not_after);
  guint days = (guint) MAX (validity.days, 0);

  if (validity.ended)
    return g_strdup_printf (_ ("The certificate ended on %s. A new one is needed."), date);
  if (days == 0)
    return g_strdup_printf (_ ("The certificate ends today: %s. Renew it before then."), moment);
  if (days == 1)
    return g_strdup_printf (_ ("The certificate ends tomorrow: %s. Renew it before then."), moment);
  if (days <= TOKENCTL_RENEWAL_DAYS)
    return g_strdup_printf (
        ngettext ("The certificate is valid until %s (%u day). Renew it before then.",
                  "The certificate is valid until %s (%u days). Renew it before then.", days),
        moment, days);
  return g_strdup_printf (_ ("The certificate is valid until %s."), date);
}
