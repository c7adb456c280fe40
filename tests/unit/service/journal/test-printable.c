/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "printable.h"

#include <string.h>

#define BAD "\357\277\275" /* U+FFFD */
#define BYTES(text) (text), sizeof (text) - 1

static const struct {
  const char *what;
  const char *raw;
  gsize length;
  const char *printable;
} rows[] = {
  { "empty", BYTES (""), "" },
  { "ASCII", BYTES ("ETOKEN 1"), "ETOKEN 1" },
  { "Turkish", BYTES ("Çağrı İğne Şık"), "Çağrı İğne Şık" },
  { "four bytes", BYTES ("\360\237\224\221"), "\360\237\224\221" },
  { "combining mark", BYTES ("e\314\201"), "e\314\201" },
  { "markup is kept", BYTES ("<b>&amp;\"'</b> $(label) %s"), "<b>&amp;\"'</b> $(label) %s" },
  { "no-break space is kept", BYTES ("a\302\240b"), "a\302\240b" },
  { "U+FFFD is kept", BYTES (BAD), BAD },

  { "NUL", BYTES ("a\0b"), "a" BAD "b" },
  { "only NUL", BYTES ("\0\0"), BAD BAD },
  { "newline", BYTES ("a\nb"), "a" BAD "b" },
  { "carriage return", BYTES ("a\rb"), "a" BAD "b" },
  { "tab", BYTES ("a\tb"), "a" BAD "b" },
  { "escape sequence", BYTES ("\033[31mred"), BAD "[31mred" },
  { "backspace", BYTES ("a\bb"), "a" BAD "b" },
  { "DEL", BYTES ("a\177"), "a" BAD },
  { "C1 control", BYTES ("\302\233"), BAD },

  { "right-to-left override U+202E", BYTES ("\342\200\256abc"), BAD "abc" },
  { "left-to-right override U+202D", BYTES ("\342\200\255"), BAD },
  { "embedding U+202A", BYTES ("\342\200\252"), BAD },
  { "pop U+202C", BYTES ("\342\200\254"), BAD },
  { "isolates U+2066 to U+2069", BYTES ("\342\201\246\342\201\247\342\201\250\342\201\251"),
    BAD BAD BAD BAD },
  { "marks U+200E, U+200F, U+061C", BYTES ("\342\200\216\342\200\217\330\234"), BAD BAD BAD },
  { "zero width U+200B, U+200D, U+FEFF", BYTES ("\342\200\213\342\200\215\357\273\277"),
    BAD BAD BAD },
  { "soft hyphen", BYTES ("a\302\255b"), "a" BAD "b" },
  { "line separator", BYTES ("\342\200\250"), BAD },
  { "paragraph separator", BYTES ("\342\200\251"), BAD },
  { "private use U+E000", BYTES ("\356\200\200"), BAD },
  { "unassigned U+0378", BYTES ("\315\270"), BAD },
  { "noncharacter U+FFFE", BYTES ("\357\277\276"), BAD },
  { "tag character U+E0041", BYTES ("\363\240\201\201"), BAD },
};

static const struct {
  const char *what;
  const char *raw;
  gsize length;
} invalid[] = {
  { "Latin-5", BYTES ("\335mza") },
  { "lone continuation", BYTES ("a\200b") },
  { "cut at the end", BYTES ("ab\304") },
  { "overlong NUL", BYTES ("a\300\200b") },
  { "overlong slash", BYTES ("\300\257") },
  { "surrogate", BYTES ("\355\240\200") },
  { "beyond Unicode", BYTES ("\364\220\200\200") },
  { "all ones", BYTES ("\377\377\377\377") },
};

static char *
make_printable (const char *raw, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (raw, length);

  return tokend_printable (bytes);
}

static void
test_table (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *printable = make_printable (rows[i].raw, rows[i].length);

    g_test_message ("%s", rows[i].what);
    g_assert_cmpstr (printable, ==, rows[i].printable);
  }
}

static void
test_invalid (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (invalid); i++) {
    g_autofree char *printable = make_printable (invalid[i].raw, invalid[i].length);

    g_test_message ("%s", invalid[i].what);
    g_assert_true (g_utf8_validate (printable, -1, NULL));
    g_assert_nonnull (strstr (printable, BAD));
  }
}

/* Whatever 32 bytes are: valid, nothing that moves the cursor or turns the writing, nothing
 * gone. */
static void
test_any (void)
{
  for (guint round = 0; round < 20000; round++) {
    char raw[32];
    gsize length = (gsize) g_test_rand_int_range (0, sizeof raw + 1);
    g_autofree char *printable = NULL;

    for (gsize i = 0; i < length; i++)
      raw[i] = (char) g_test_rand_int_range (0, 256);
    printable = make_printable (raw, length);
    g_assert_true (g_utf8_validate (printable, -1, NULL));
    g_assert_cmpint (length == 0, ==, printable[0] == '\0');
    for (const char *p = printable; *p != '\0'; p = g_utf8_next_char (p)) {
      gunichar character = g_utf8_get_char (p);
      g_assert_false (g_unichar_iscntrl (character));
      g_assert_cmpint (g_unichar_type (character), !=, G_UNICODE_FORMAT);
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/printable/table", test_table);
  g_test_add_func ("/printable/invalid", test_invalid);
  g_test_add_func ("/printable/any", test_any);
  return g_test_run ();
}
