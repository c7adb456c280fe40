/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inconsistency.h"

#include "journal.h"
#include "tokend-enums.h"

static gboolean
is_same (const TokendCounterReading *a, const TokendCounterReading *b)
{
  return a->count_low == b->count_low && a->final_try == b->final_try && a->locked == b->locked
         && a->remaining == b->remaining && a->maximum == b->maximum;
}

/**
 * tokend_inconsistency_observe:
 * @self: what was seen before.
 * @reading: what the token shows now.
 * @rules: what the profile says that this is worth.
 *
 * Counts an inconsistency only if two readings in a row show it. Flags and number are read one
 * after the other, and a code of another program in between makes them differ.
 *
 * Returns: whether there is an inconsistency to tell; who tells it sets @self->is_told.
 */
gboolean
tokend_inconsistency_observe (TokendInconsistency *self, const TokendCounterReading *reading,
                              const TokendCounterRules *rules)
{
  if (!tokend_counter_is_inconsistent (reading, rules)) {
    *self = (TokendInconsistency){ 0 };
    return FALSE;
  }
  if (!self->is_seen || !is_same (&self->reading, reading)) {
    *self = (TokendInconsistency){ .reading = *reading, .is_seen = TRUE };
    return FALSE;
  }
  return !self->is_told;
}

static char *
list_flags (const TokendCounterReading *reading)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;

  if (reading->count_low)
    g_strv_builder_add (names, "COUNT_LOW");
  if (reading->final_try)
    g_strv_builder_add (names, "FINAL_TRY");
  if (reading->locked)
    g_strv_builder_add (names, "LOCKED");
  list = g_strv_builder_end (names);
  return g_strjoinv (" ", list);
}

/**
 * tokend_inconsistency_compose:
 * @role: whose counter.
 * @believed: the state that the service gives.
 * @physical_id: see tokend_reading_physical_id().
 * @label: made printable.
 * @module: the name of the module that shows it.
 *
 * Returns: (transfer floating): an a{sv} with the fields of tokend(8), all of them text, and a
 *   message for people.
 */
GVariant *
tokend_inconsistency_compose (const TokendInconsistency *self, TokendRole role,
                              TokendState believed, const char *physical_id, const char *label,
                              const char *module)
{
  g_auto (GVariantDict) fields = G_VARIANT_DICT_INIT (NULL);
  const char *code = role == TOKEND_ROLE_PUK ? "PUK" : "PIN";
  g_autofree char *flags = list_flags (&self->reading);
  g_autofree char *message = g_strdup_printf (
      "“%s” contradicts itself about its %s: its number says %d left, its flags %s; "
      "the worse is believed",
      label, code, self->reading.remaining, flags);

  tokend_journal_put_text (&fields, "MESSAGE", message);
  tokend_journal_put_text (&fields, "MESSAGE_ID", TOKEND_MESSAGE_INCONSISTENT);
  tokend_journal_put_text (&fields, "TOKEND_ROLE", code);
  tokend_journal_put_nick (&fields, "TOKEND_STATE", TOKEND_TYPE_STATE, (int) believed);
  tokend_journal_put_number (&fields, "TOKEND_NUMBER", self->reading.remaining);
  tokend_journal_put_text (&fields, "TOKEND_FLAGS", flags);
  tokend_journal_put_text (&fields, "TOKEND_TOKEN", physical_id);
  tokend_journal_put_text (&fields, "TOKEND_LABEL", label);
  tokend_journal_put_text (&fields, "TOKEND_MODULE", module);
  return g_variant_dict_end (&fields);
}
