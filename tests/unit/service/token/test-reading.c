/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "reading.h"

#include "tokend-error.h"
#include "tokend-module.h"

#include <string.h>

/* A reading, as a host sends it, with @changes laid over it. "KEY=": without it. */
static GVariant *
make_variant (const char *changes)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (GVariant) over = NULL;
  g_autoptr (GError) error = NULL;
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_dict_insert (
      &dict, "manufacturer", "@ay",
      g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, "SafeNet, Inc.", 13, TRUE, NULL, NULL));
  g_variant_dict_insert (
      &dict, "model", "@ay",
      g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, "eToken", 6, TRUE, NULL, NULL));
  g_variant_dict_insert (
      &dict, "serial", "@ay",
      g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, "02a1b2c3", 8, TRUE, NULL, NULL));
  g_variant_dict_insert (
      &dict, "label", "@ay",
      g_variant_new_from_data (G_VARIANT_TYPE_BYTESTRING, "ETOKEN", 6, TRUE, NULL, NULL));
  g_variant_dict_insert (&dict, "flags", "u", (guint32) TOKEND_TOKEN_PIN_INITIALIZED);

  over = g_variant_parse (G_VARIANT_TYPE_VARDICT, changes, NULL, NULL, &error);
  g_assert_no_error (error);
  g_variant_iter_init (&iter, over);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_UNIT))
      g_variant_dict_remove (&dict, key);
    else
      g_variant_dict_insert_value (&dict, key, value);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static TokendReading *
parse (const char *changes)
{
  g_autoptr (GVariant) variant = make_variant (changes);
  g_autoptr (GError) error = NULL;
  TokendReading *reading = tokend_reading_parse (variant, &error);

  g_assert_no_error (error);
  g_assert_nonnull (reading);
  return reading;
}

static void
assert_text (GBytes *bytes, const char *text)
{
  g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), text, strlen (text));
}

static void
test_plain (void)
{
  g_autoptr (TokendReading) reading = parse ("{}");

  assert_text (reading->manufacturer, "SafeNet, Inc.");
  assert_text (reading->model, "eToken");
  assert_text (reading->serial, "02a1b2c3");
  assert_text (reading->label, "ETOKEN");
  g_assert_cmpint (reading->pin_minimum_length, ==, -1);
  g_assert_cmpint (reading->pin_maximum_length, ==, -1);
  for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
    g_assert_cmpint (reading->counters[role].remaining, ==, -1);
    g_assert_cmpint (reading->counters[role].maximum, ==, -1);
  }
}

/* Only what is said to be unused is. */
static void
test_unused (void)
{
  g_autoptr (TokendReading) silent = parse ("{}");
  g_autoptr (TokendReading) used = parse ("{'used': <true>}");
  g_autoptr (TokendReading) unused = parse ("{'used': <false>}");
  g_autoptr (TokendReading) odd = parse ("{'used': <'no'>}");

  g_assert_true (unused->is_unused);
  g_assert_false (silent->is_unused || used->is_unused || odd->is_unused);
}

static void
test_no_certificate (void)
{
  g_autoptr (TokendReading) silent = parse ("{}");
  g_autoptr (TokendReading) none = parse ("{'no-certificate': <true>}");
  g_autoptr (TokendReading) odd = parse ("{'no-certificate': <uint32 1>}");

  g_assert_true (none->has_no_certificate);
  g_assert_false (silent->has_no_certificate || odd->has_no_certificate);
}

/* Each flag lights what it is for, and nothing else. */
static const struct {
  guint32 flags;
  const char *lit; /* count_low, final_try, locked, initialized of the PIN; of the PUK; others */
} flag_rows[] = {
  { 0, "...."
       "...i"
       "..." },
  { TOKEND_TOKEN_PIN_COUNT_LOW, "l..."
                                "...i"
                                "..." },
  { TOKEND_TOKEN_PIN_FINAL_TRY, ".f.."
                                "...i"
                                "..." },
  { TOKEND_TOKEN_PIN_LOCKED, "..x."
                             "...i"
                             "..." },
  { TOKEND_TOKEN_PIN_INITIALIZED, "...i"
                                  "...i"
                                  "..." },
  { TOKEND_TOKEN_PUK_COUNT_LOW, "...."
                                "l..i"
                                "..." },
  { TOKEND_TOKEN_PUK_FINAL_TRY, "...."
                                ".f.i"
                                "..." },
  { TOKEND_TOKEN_PUK_LOCKED, "...."
                             "..xi"
                             "..." },
  { TOKEND_TOKEN_PIN_MUST_CHANGE, "...."
                                  "...i"
                                  "m.." },
  { TOKEND_TOKEN_PIN_PAD, "...."
                          "...i"
                          ".p." },
  { TOKEND_TOKEN_NO_PUK, "...."
                         "...."
                         "..." },
  { TOKEND_TOKEN_PIN_COMPLEX, "...."
                              "...i"
                              "..c" },
  { 1u << 11, "...."
              "...i"
              "..." },
  { 1u << 31, "...."
              "...i"
              "..." },
  { G_MAXUINT32, "lfxi"
                 "lfx."
                 "mpc" },
};

static void
append_counter (GString *lit, const TokendCounterReading *counter)
{
  g_string_append_c (lit, counter->count_low ? 'l' : '.');
  g_string_append_c (lit, counter->final_try ? 'f' : '.');
  g_string_append_c (lit, counter->locked ? 'x' : '.');
  g_string_append_c (lit, counter->initialized ? 'i' : '.');
}

static void
test_flags (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (flag_rows); i++) {
    g_autofree char *changes = g_strdup_printf ("{'flags': <uint32 %u>}", flag_rows[i].flags);
    g_autoptr (TokendReading) reading = parse (changes);
    g_autoptr (GString) lit = g_string_new (NULL);

    append_counter (lit, &reading->counters[TOKEND_ROLE_PIN]);
    append_counter (lit, &reading->counters[TOKEND_ROLE_PUK]);
    g_string_append_c (lit, reading->pin_must_change ? 'm' : '.');
    g_string_append_c (lit, reading->pin_pad ? 'p' : '.');
    g_string_append_c (lit, reading->pin_complex ? 'c' : '.');
    g_assert_cmpstr (lit->str, ==, flag_rows[i].lit);
    g_assert_cmpint (reading->pin_tries_hidden, ==,
                     (flag_rows[i].flags & TOKEND_TOKEN_PIN_TRIES_HIDDEN) != 0);
    g_assert_cmpint (reading->codes_hashed, ==,
                     (flag_rows[i].flags & TOKEND_TOKEN_CODES_HASHED) != 0);
  }
}

static const struct {
  const char *remaining; /* as GVariant text; () for absent */
  const char *maximum;
  int result_remaining, result_maximum;
} counter_rows[] = {
  { "uint32 3", "uint32 3", 3, 3 },
  { "uint32 0", "uint32 3", 0, 3 },
  { "uint32 1", "uint32 3", 1, 3 },
  { "uint32 2", "()", 2, -1 },
  { "()", "uint32 5", -1, 5 },
  { "()", "()", -1, -1 },
  { "uint32 255", "uint32 255", 255, 255 },
  { "uint32 256", "uint32 3", -1, 3 },
  { "uint32 4294967295", "uint32 3", -1, 3 },
  { "uint32 2147483648", "()", -1, -1 },
  { "uint32 2", "uint32 256", 2, -1 },
  { "uint32 2", "uint32 4294967295", 2, -1 },
  { "uint32 4", "uint32 3", -1, -1 }, /* more than there can be */
  { "uint32 255", "uint32 1", -1, -1 },
  { "uint32 0", "uint32 0", -1, -1 }, /* no tries at all: the token has no such counter */
  { "uint32 3", "uint32 0", -1, -1 },
  { "()", "uint32 0", -1, -1 },
  { "3", "uint32 3", -1, 3 },
  { "-1", "uint32 3", -1, 3 },
  { "uint64 3", "uint32 3", -1, 3 },
  { "byte 0x03", "uint32 3", -1, 3 },
  { "'3'", "uint32 3", -1, 3 },
  { "true", "true", -1, -1 },
  { "<uint32 3>", "uint32 3", -1, 3 },
};

static void
test_counters (void)
{
  static const char *const names[TOKEND_N_ROLES] = { "pin", "puk" };

  for (gsize i = 0; i < G_N_ELEMENTS (counter_rows); i++)
    for (TokendRole role = 0; role < TOKEND_N_ROLES; role++) {
      g_autofree char *changes = g_strdup_printf (
          "{'%s-retries-remaining': <%s>, '%s-retries-maximum': <%s>}", names[role],
          counter_rows[i].remaining, names[role], counter_rows[i].maximum);
      g_autoptr (TokendReading) reading = parse (changes);
      const TokendCounterReading *other = &reading->counters[1 - role];

      g_test_message ("%s", changes);
      g_assert_cmpint (reading->counters[role].remaining, ==, counter_rows[i].result_remaining);
      g_assert_cmpint (reading->counters[role].maximum, ==, counter_rows[i].result_maximum);
      g_assert_cmpint (other->remaining, ==, -1);
      g_assert_cmpint (other->maximum, ==, -1);
    }
}

static void
test_lengths (void)
{
  g_autoptr (TokendReading) good =
      parse ("{'pin-minimum-length': <uint32 4>, 'pin-maximum-length': <uint32 16>,"
             " 'new-pin-minimum-length': <uint32 6>, 'new-pin-maximum-length': <uint32 8>}");
  g_autoptr (TokendReading) absurd =
      parse ("{'pin-minimum-length': <uint32 4294967295>, 'pin-maximum-length': <uint32 256>}");
  g_autoptr (TokendReading) wrong =
      parse ("{'pin-minimum-length': <'4'>, 'pin-maximum-length': <-1>}");

  g_assert_cmpint (good->pin_minimum_length, ==, 4);
  g_assert_cmpint (good->pin_maximum_length, ==, 16);
  g_assert_cmpint (good->new_pin_minimum_length, ==, 6);
  g_assert_cmpint (good->new_pin_maximum_length, ==, 8);
  g_assert_cmpint (absurd->new_pin_minimum_length, ==, -1);
  g_assert_cmpint (absurd->new_pin_maximum_length, ==, -1);
  g_assert_cmpint (absurd->pin_minimum_length, ==, -1);
  g_assert_cmpint (absurd->pin_maximum_length, ==, -1);
  g_assert_cmpint (wrong->pin_minimum_length, ==, -1);
  g_assert_cmpint (wrong->pin_maximum_length, ==, -1);
}

/* By which a host tells that a token was taken out meanwhile. */
static void
test_insertion (void)
{
  g_autoptr (TokendReading) reading =
      parse ("{'insertion': <uint64 4294967297>, 'slot-events': <uint32 3>}");
  g_autoptr (TokendReading) nothing = parse ("{}");
  g_autoptr (TokendReading) wrong = parse ("{'insertion': <uint32 7>, 'slot-events': <'3'>}");

  g_assert_cmpuint (reading->insertion, ==, 4294967297);
  g_assert_cmpuint (reading->slot_events, ==, 3);
  g_assert_cmpuint (nothing->insertion, ==, 0);
  g_assert_cmpuint (nothing->slot_events, ==, 0);
  g_assert_cmpuint (wrong->insertion, ==, 0);
  g_assert_cmpuint (wrong->slot_events, ==, 0);
}

static void
test_unread (void)
{
  g_autoptr (TokendReading) was_read = parse ("{}");
  g_autoptr (TokendReading) busy = parse ("{'unread': <'busy'>}");
  g_autoptr (TokendReading) failed = parse ("{'unread': <'C_GetTokenInfo:\\n CKR_DEVICE_ERROR'>}");
  g_autoptr (TokendReading) nonsense = parse ("{'unread': <uint32 1>}");
  g_autoptr (TokendReading) spared = parse ("{'spared': <true>}");
  g_autoptr (TokendReading) not_spared = parse ("{'spared': <uint32 1>}");
  g_autoptr (TokendReading) pending = parse ("{'spared': <true>, 'pending': <true>}");
  g_autoptr (TokendReading) copy = tokend_reading_copy (busy);

  g_assert_true (pending->is_pending);
  g_assert_false (spared->is_pending);
  g_assert_true (spared->is_spared);
  g_assert_null (spared->unread);
  g_assert_false (not_spared->is_spared);
  g_assert_false (was_read->is_spared);
  g_assert_null (was_read->unread);
  g_assert_false (was_read->is_busy);
  g_assert_true (busy->is_busy);
  g_assert_cmpstr (failed->unread, !=, NULL);
  g_assert_null (strchr (failed->unread, '\n'));
  g_assert_false (failed->is_busy);
  g_assert_null (nonsense->unread);
  g_assert_cmpstr (copy->unread, ==, "busy");
  g_assert_true (copy->is_busy);
}

/* When it was read; what cannot be a time is none. */
static void
test_begun_at (void)
{
  g_autoptr (TokendReading) untold = parse ("{}");
  g_autoptr (TokendReading) told = parse ("{'begun-at': <uint64 7>}");
  g_autoptr (TokendReading) last = parse ("{'begun-at': <uint64 9223372036854775807>}");
  g_autoptr (TokendReading) beyond = parse ("{'begun-at': <uint64 9223372036854775808>}");
  g_autoptr (TokendReading) nonsense = parse ("{'begun-at': <int64 -1>}");

  g_assert_cmpint (untold->begun_at, ==, 0);
  g_assert_cmpint (told->begun_at, ==, 7);
  g_assert_cmpint (last->begun_at, ==, G_MAXINT64);
  g_assert_cmpint (beyond->begun_at, ==, 0);
  g_assert_cmpint (nonsense->begun_at, ==, 0);
}

/* As long as a name can be that is worth the space. */
/* Of a reason, so many bytes are kept. */
static void
test_longest_unread (void)
{
  for (gsize length = 299; length <= 301; length++) {
    g_autofree char *reason = g_strnfill (length, 'x');
    g_autofree char *changes = g_strdup_printf ("{'unread': <'%s'>}", reason);
    g_autoptr (TokendReading) reading = parse (changes);

    g_assert_cmpuint (strlen (reading->unread), ==, MIN (length, 300));
  }
}

static void
test_issuer (void)
{
  g_autofree char *longest = g_strnfill (1023, 'x');
  g_autofree char *longest_changes = g_strdup_printf ("{'certificate-issuer': <'%s'>}", longest);
  g_autofree char *longer_changes = g_strdup_printf ("{'certificate-issuer': <'%sx'>}", longest);
  g_autoptr (TokendReading) none = parse ("{}");
  g_autoptr (TokendReading) wrong = parse ("{'certificate-issuer': <uint32 1>}");
  g_autoptr (TokendReading) at_the_limit = parse (longest_changes);
  g_autoptr (TokendReading) beyond = parse (longer_changes);
  g_autoptr (TokendReading) copy = tokend_reading_copy (at_the_limit);

  g_assert_null (none->issuer);
  g_assert_null (wrong->issuer);
  g_assert_null (beyond->issuer);
  g_assert_cmpstr (at_the_limit->issuer, ==, longest);
  g_assert_cmpstr (copy->issuer, ==, longest);
}

static char *
make_bytes (guint n_bytes)
{
  GString *text = g_string_new ("{'certificate-sha256': <@ay [");

  for (guint i = 0; i < n_bytes; i++)
    g_string_append_printf (text, "%s%u", i > 0 ? ", " : "", i);
  return g_string_free (g_string_append (text, "]>}"), FALSE);
}

static void
test_certificate_hash (void)
{
  g_autofree char *shorter_changes = make_bytes (31);
  g_autofree char *changes = make_bytes (32);
  g_autofree char *longer_changes = make_bytes (33);
  g_autoptr (TokendReading) none = parse ("{}");
  g_autoptr (TokendReading) wrong = parse ("{'certificate-sha256': <'00'>}");
  g_autoptr (TokendReading) shorter = parse (shorter_changes);
  g_autoptr (TokendReading) longer = parse (longer_changes);
  g_autoptr (TokendReading) told = parse (changes);
  g_autoptr (TokendReading) copy = tokend_reading_copy (told);

  g_assert_null (none->certificate);
  g_assert_null (wrong->certificate);
  g_assert_null (shorter->certificate);
  g_assert_null (longer->certificate);
  g_assert_cmpuint (g_bytes_get_size (told->certificate), ==, 32);
  g_assert_cmpint (((const guint8 *) g_bytes_get_data (told->certificate, NULL))[31], ==, 31);
  g_assert_true (g_bytes_equal (copy->certificate, told->certificate));
}

static void
test_reader (void)
{
  g_autofree char *longest = g_strnfill (127, 'x');
  g_autofree char *longest_changes = g_strdup_printf ("{'reader': <'%s'>}", longest);
  g_autofree char *longer_changes = g_strdup_printf ("{'reader': <'%sx'>}", longest);
  g_autoptr (TokendReading) none = parse ("{}");
  g_autoptr (TokendReading) wrong = parse ("{'reader': <b'R'>}");
  g_autoptr (TokendReading) empty = parse ("{'reader': <''>}");
  g_autoptr (TokendReading) beyond = parse (longer_changes);
  g_autoptr (TokendReading) shortest = parse ("{'reader': <'R'>}");
  g_autoptr (TokendReading) at_the_limit = parse (longest_changes);
  g_autoptr (TokendReading) copy = tokend_reading_copy (at_the_limit);

  g_assert_null (none->reader);
  g_assert_null (wrong->reader);
  g_assert_null (empty->reader);
  g_assert_null (beyond->reader);
  g_assert_cmpstr (shortest->reader, ==, "R");
  g_assert_cmpstr (at_the_limit->reader, ==, longest);
  g_assert_cmpstr (copy->reader, ==, longest);
}

/* Bytes in hexadecimal form, at most 33 of them; what is none is dropped. */
static void
test_atr (void)
{
  g_autofree char *longest = g_strnfill (66, 'F');
  g_autofree char *longer = g_strnfill (67, 'F');
  const struct {
    const char *atr, *kept;
  } rows[] = {
    { "", NULL },      { "3B", "3B" },       { "3B09A", "3B09A" }, { "3b", NULL },
    { "3B 09", NULL }, { longest, longest }, { longer, NULL },
  };
  g_autoptr (TokendReading) none = parse ("{}");
  g_autoptr (TokendReading) wrong = parse ("{'atr': <b'3B'>}");

  g_assert_null (none->atr);
  g_assert_null (wrong->atr);
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *changes = g_strdup_printf ("{'atr': <'%s'>}", rows[i].atr);
    g_autoptr (TokendReading) reading = parse (changes);
    g_autoptr (TokendReading) copy = tokend_reading_copy (reading);

    g_assert_cmpstr (reading->atr, ==, rows[i].kept);
    g_assert_cmpstr (copy->atr, ==, rows[i].kept);
  }
}

static const struct {
  const char *changes;
  const char *named; /* in the message */
} bad[] = {
  { "{'flags': <()>}", "flags" },
  { "{'flags': <16>}", "flags" },
  { "{'flags': <uint64 16>}", "flags" },
  { "{'flags': <'16'>}", "flags" },
  { "{'manufacturer': <()>}", "manufacturer" },
  { "{'model': <()>}", "model" },
  { "{'serial': <()>}", "serial" },
  { "{'label': <()>}", "label" },
  { "{'label': <'ETOKEN'>}", "label" },
  { "{'label': <[1, 2, 3]>}", "label" },
  { "{'serial': <['02', 'a1']>}", "serial" },
  { "{'model': <uint32 7>}", "model" },
  { "{'manufacturer': <<b'SafeNet'>>}", "manufacturer" },
};

static void
test_bad (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GVariant) variant = make_variant (bad[i].changes);
    g_autoptr (GError) error = NULL;

    g_test_message ("%s", bad[i].changes);
    g_assert_null (tokend_reading_parse (variant, &error));
    g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
    g_assert_nonnull (strstr (error->message, bad[i].named));
  }
}

static void
test_nothing (void)
{
  g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
  g_autoptr (GError) error = NULL;

  g_assert_null (tokend_reading_parse (variant, &error));
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
}

static GVariant *
make_variant_with_text (const char *key, gsize length)
{
  g_autoptr (GBytes) text = g_bytes_new_take (g_strnfill (length, 'x'), length);
  g_autoptr (GVariant) plain = make_variant ("{}");
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (plain);

  g_variant_dict_insert_value (&dict, key,
                               g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, text, TRUE));
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

static void
test_text_lengths (void)
{
  static const char *const keys[] = { "manufacturer", "model", "serial", "label" };
  static const struct {
    gsize length;
    gboolean is_sound;
  } lengths[] = { { 0, TRUE }, { 1, TRUE }, { 32, TRUE }, { 33, FALSE }, { 10485760, FALSE } };

  for (gsize k = 0; k < G_N_ELEMENTS (keys); k++)
    for (gsize l = 0; l < G_N_ELEMENTS (lengths); l++) {
      g_autoptr (GVariant) variant = make_variant_with_text (keys[k], lengths[l].length);
      g_autoptr (GError) error = NULL;
      g_autoptr (TokendReading) reading = tokend_reading_parse (variant, &error);

      g_test_message ("%s of %" G_GSIZE_FORMAT " bytes", keys[k], lengths[l].length);
      g_assert_cmpint (reading != NULL, ==, lengths[l].is_sound);
      if (!lengths[l].is_sound) {
        g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_MODULE_FAILED);
        g_assert_cmpuint (strlen (error->message), <, 200);
      }
    }
}

static const struct {
  const char *a;
  const char *b;
  gboolean same_token, same_physical_token;
} pairs[] = {
  { "{}", "{}", TRUE, TRUE },
  { "{}", "{'flags': <uint32 4>, 'pin-retries-remaining': <uint32 0>}", TRUE, TRUE },
  { "{'label': <@ay []>}", "{'label': <@ay []>}", TRUE, TRUE },
  { "{'label': <[byte 0x55]>}", "{'label': <[byte 0x56]>}", FALSE, TRUE },
  { "{'serial': <[byte 0x55]>}", "{'serial': <[byte 0x56]>}", FALSE, FALSE },
  { "{'model': <[byte 0x55]>}", "{'model': <[byte 0x56]>}", FALSE, FALSE },
  { "{'manufacturer': <[byte 0x55]>}", "{'manufacturer': <[byte 0x56]>}", FALSE, FALSE },
  { "{'serial': <[byte 0x55]>}", "{'serial': <[byte 0x55, 0x00]>}", FALSE, FALSE },
  { "{'serial': <@ay []>}", "{'serial': <[byte 0x00]>}", FALSE, FALSE },
  /* A serial that tells nothing apart: they may be one, by two labels. */
  { "{'serial': <@ay []>}", "{'serial': <@ay []>, 'label': <[byte 0x56]>}", FALSE, TRUE },
  /* Where one field ends and the next begins is part of it. */
  { "{'model': <[byte 0x41, 0x42]>, 'serial': <[byte 0x43]>}",
    "{'model': <[byte 0x41]>, 'serial': <[byte 0x42, 0x43]>}", FALSE, FALSE },
  { "{'manufacturer': <[byte 0x41]>, 'model': <@ay []>}",
    "{'manufacturer': <@ay []>, 'model': <[byte 0x41]>}", FALSE, FALSE },
};

static void
test_identity (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pairs); i++) {
    g_autoptr (TokendReading) a = parse (pairs[i].a);
    g_autoptr (TokendReading) b = parse (pairs[i].b);
    g_autofree char *a_id = tokend_reading_physical_id (a);
    g_autofree char *b_id = tokend_reading_physical_id (b);

    g_test_message ("%s and %s", pairs[i].a, pairs[i].b);
    g_assert_cmpint (tokend_reading_same_token (a, b), ==, pairs[i].same_token);
    g_assert_cmpint (tokend_reading_same_token (b, a), ==, pairs[i].same_token);
    g_assert_cmpint (g_str_equal (a_id, b_id), ==, pairs[i].same_physical_token);
  }
}

static const struct {
  const char *reading;
  gboolean has_serial;
} serials[] = {
  { "{'serial': <@ay []>}", FALSE },
  { "{'serial': <[byte 0x30, 0x20, 0x00]>}", FALSE },
  { "{'serial': <[byte 0x30, 0x31]>}", TRUE },
  { "{'serial': <[byte 0x31, 0x30]>}", TRUE },
  { "{}", TRUE },
};

static void
test_serial (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (serials); i++) {
    g_autoptr (TokendReading) reading = parse (serials[i].reading);

    g_test_message ("%s", serials[i].reading);
    g_assert_cmpint (tokend_reading_has_serial (reading), ==, serials[i].has_serial);
  }
}

/* It is in file names and in the journal, and outlives an upgrade of the service. */
static void
test_physical_id (void)
{
  g_autoptr (TokendReading) reading = parse ("{}");
  g_autofree char *id = tokend_reading_physical_id (reading);
  g_autofree char *expected = g_compute_checksum_for_string (
      G_CHECKSUM_SHA256, "\015SafeNet, Inc.\006eToken\01002a1b2c3", -1);

  g_assert_cmpstr (id, ==, expected);
}

static void
test_copy (void)
{
  TokendReading *original =
      parse ("{'pin-retries-remaining': <uint32 2>, 'puk-retries-maximum': <uint32 5>}");
  g_autoptr (TokendReading) copy = tokend_reading_copy (original);

  g_assert_true (tokend_reading_same_token (original, copy));
  tokend_reading_free (original);
  assert_text (copy->label, "ETOKEN");
  g_assert_cmpint (copy->counters[TOKEND_ROLE_PIN].remaining, ==, 2);
  g_assert_cmpint (copy->counters[TOKEND_ROLE_PUK].maximum, ==, 5);
}

/* An end that no calendar can show is none. */
static void
test_certificate (void)
{
  static const struct {
    const char *changes;
    gint64 not_after;
  } rows[] = {
    { "{}", 0 },
    { "{'certificate-not-after': <uint64 1>}", 1 },
    { "{'certificate-not-after': <uint64 1900000000000000>}", 1900000000000000 },
    { "{'certificate-not-after': <uint64 253402300799000000>}", 253402300799000000 },
    { "{'certificate-not-after': <uint64 253402300799000001>}", 0 },
    { "{'certificate-not-after': <uint64 18446744073709551615>}", 0 },
    { "{'certificate-not-after': <int64 1900000000000000>}", 0 },
    { "{'certificate-not-after': <'soon'>}", 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendReading) reading = parse (rows[i].changes);
    g_autoptr (TokendReading) copy = tokend_reading_copy (reading);

    g_test_message ("%s", rows[i].changes);
    g_assert_cmpint (reading->certificate_not_after, ==, rows[i].not_after);
    g_assert_cmpint (copy->certificate_not_after, ==, rows[i].not_after);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reading/plain", test_plain);
  g_test_add_func ("/reading/unused", test_unused);
  g_test_add_func ("/reading/no-certificate", test_no_certificate);
  g_test_add_func ("/reading/certificate", test_certificate);
  g_test_add_func ("/reading/flags", test_flags);
  g_test_add_func ("/reading/counters", test_counters);
  g_test_add_func ("/reading/lengths", test_lengths);
  g_test_add_func ("/reading/insertion", test_insertion);
  g_test_add_func ("/reading/unread", test_unread);
  g_test_add_func ("/reading/begun-at", test_begun_at);
  g_test_add_func ("/reading/unread/longest", test_longest_unread);
  g_test_add_func ("/reading/issuer", test_issuer);
  g_test_add_func ("/reading/certificate-hash", test_certificate_hash);
  g_test_add_func ("/reading/reader", test_reader);
  g_test_add_func ("/reading/atr", test_atr);
  g_test_add_func ("/reading/bad", test_bad);
  g_test_add_func ("/reading/nothing", test_nothing);
  g_test_add_func ("/reading/text-lengths", test_text_lengths);
  g_test_add_func ("/reading/identity", test_identity);
  g_test_add_func ("/reading/serial", test_serial);
  g_test_add_func ("/reading/physical-id", test_physical_id);
  g_test_add_func ("/reading/copy", test_copy);
  return g_test_run ();
}
