/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal.h"

#include "enum-nick.h"

/**
 * tokend_journal_put_text:
 *
 * Sets a field of a composed entry; leaves it out if @text is %NULL.
 */
void
tokend_journal_put_text (GVariantDict *fields, const char *field, const char *text)
{
  if (text != NULL)
    g_variant_dict_insert (fields, field, "s", text);
}

/**
 * tokend_journal_put_number:
 *
 * Sets a field of a composed entry to @number, as text.
 */
void
tokend_journal_put_number (GVariantDict *fields, const char *field, gint64 number)
{
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);

  tokend_journal_put_text (fields, field, text);
}

/**
 * tokend_journal_put_nick:
 *
 * Sets a field of a composed entry to the nick of @value in the enumeration @type.
 */
void
tokend_journal_put_nick (GVariantDict *fields, const char *field, GType type, int value)
{
  tokend_journal_put_text (fields, field, tokend_enum_get_nick (type, value));
}

/**
 * tokend_journal_variant:
 * @fields: (transfer floating): the entry, an a{sv} with MESSAGE_ID and MESSAGE.
 *
 * Writes a composed entry. Sinks @fields, since g_log_variant() would leak a floating reference.
 */
void
tokend_journal_variant (GLogLevelFlags level, GVariant *fields)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (fields);

  g_log_variant (TOKEND_LOG_DOMAIN, level, owned);
}
