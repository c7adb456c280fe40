/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal.h"

#include "enum-nick.h"

/**
 * tokend_journal_put_text:
 *
 * Sets a field of an entry that is composed; %NULL: it has no such field.
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
 * Likewise; fields are text.
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
 * Likewise; @value of the enumeration @type by its nick.
 */
void
tokend_journal_put_nick (GVariantDict *fields, const char *field, GType type, int value)
{
  tokend_journal_put_text (fields, field, tokend_enum_get_nick (type, value));
}

/**
 * tokend_journal_variant:
 * @fields: (transfer floating): what was composed: a{sv}, MESSAGE_ID and MESSAGE in it.
 *
 * Writes an entry, as tokend_journal() does. g_log_variant() takes no floating reference: it would
 * be nobody's.
 */
void
tokend_journal_variant (GLogLevelFlags level, GVariant *fields)
{
  g_autoptr (GVariant) owned = g_variant_ref_sink (fields);

  g_log_variant (TOKEND_LOG_DOMAIN, level, owned);
}
