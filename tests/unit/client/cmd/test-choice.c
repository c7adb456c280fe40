/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "choice-words.h"

#include "exit-code.h"
#include "status.h"
#include "tokend-error.h"

/* What may be plugged in; a row of a table below names those that are by their letters. */
static const struct {
  char letter;
  const char *manufacturer;
  const char *label;
  const char *serial;
  gboolean is_shared;
  const char *pin_id; /* NULL: not told */
} known[] = {
  { 'a', "A", "ETOKEN", "0001", FALSE },
  { 'A', "A", "ETOKEN", "0001", FALSE }, /* the same by another module */
  { 'b', "A", "ETOKEN2", "0102", FALSE },
  { 'c', "B", "TWIN", "0201", FALSE },
  { 'd', "B", "TWIN", "0202", FALSE },
  { 'e', "C", "0001", "0301", FALSE }, /* its label is another one's serial number */
  { 'f', "D", "my card", "0401", FALSE },
  { 'g', "D", "", "05 01", FALSE },
  { 'h', "E", "-json", "0601", FALSE },
  { 'i', "E", "-a b", "0602", FALSE },
  { 'p', "P", "CARD (PIN)", "ff01", TRUE }, /* two cards of one PIN each */
  { 'q', "P", "CARD (sig)", "ff01", TRUE },
  { 'P', "P", "CARD (PIN)", "ff02", TRUE },
  { 'Q', "P", "CARD (sig)", "ff02", TRUE },
  { 's', "S", "SIGN", "ee01", FALSE }, /* two cards of two PINs each */
  { 't', "S", "AUTH", "ee01", FALSE },
  { 'S', "S", "SIGN", "ee02", FALSE },
  { 'T', "S", "AUTH", "ee02", FALSE },
  { 'x', "X", "NUMBERLESS", "", FALSE },
  { 'y', "Y", "NUMBERLESS", "", FALSE },
  { 'z', "Z", "NUMBERLESS", "0701", FALSE },
  { 'o', "O", "ZEROS", "0000", FALSE },
  { 'k', "K", "TWICE", "0901", FALSE, "R" }, /* one name in two readers */
  { 'K', "K", "TWICE", "0901", FALSE, "S" },
  { 'I', "T", "\304\260mza", "0801", FALSE },         /* İmza */
  { 'C', "T", "\303\207A\304\236RI", "0901", FALSE }, /* ÇAĞRI */
};

static TokenctlToken *
token_new (char letter)
{
  const char path[] = { '/', letter, '\0' };

  for (gsize i = 0; i < G_N_ELEMENTS (known); i++) {
    if (known[i].letter == letter)
      return tokenctl_token_new (
          path, g_variant_new_parsed ("{'manufacturer': <%s>, 'label': <%s>, 'serial': <%s>, "
                                      "'pin-shared': <%b>, 'pin-id': <%s>, 'preferred': <true>}",
                                      known[i].manufacturer, known[i].label, known[i].serial,
                                      known[i].is_shared,
                                      known[i].pin_id != NULL ? known[i].pin_id : ""));
  }
  g_assert_not_reached ();
}

static GPtrArray *
tokens_of (const char *letters)
{
  GPtrArray *tokens = g_ptr_array_new_with_free_func ((GDestroyNotify) tokenctl_token_free);

  for (const char *p = letters; *p != '\0'; p++)
    g_ptr_array_add (tokens, token_new (*p));
  return tokens;
}

static char *
letters_of (GPtrArray *tokens)
{
  GString *letters = g_string_new (NULL);

  for (guint i = 0; i < tokens->len; i++)
    g_string_append (letters, ((TokenctlToken *) tokens->pdata[i])->path + 1);
  return g_string_free (letters, FALSE);
}

#define NONE TOKENCTL_FOUND_NONE
#define ONE TOKENCTL_FOUND_ONE
#define START TOKENCTL_FOUND_BY_START
#define SEVERAL TOKENCTL_FOUND_SEVERAL

static void
test_choose (void)
{
  static const struct {
    const char *plugged_in;
    const char *words[3];
    TokenctlFound by_script, by_person;
    const char *for_script, *for_person; /* those of the choice; for a person NULL: the same */
  } rows[] = {
    { "", { NULL }, NONE, NONE, "", NULL },
    { "", { "ETOKEN" }, NONE, NONE, "", NULL },
    { "b", { NULL }, ONE, ONE, "b", NULL },
    { "aA", { NULL }, ONE, ONE, "aA", NULL },
    { "aAb", { NULL }, SEVERAL, SEVERAL, "aAb", NULL },
    { "pq", { NULL }, ONE, ONE, "pq", NULL }, /* one PIN */
    { "st", { NULL }, SEVERAL, SEVERAL, "st", NULL },
    /* All of a name goes before the start of one; the start is for a person. */
    { "aAb", { "ETOKEN" }, ONE, ONE, "aA", NULL },
    { "b", { "ETOKEN" }, NONE, START, "b", "b" },
    { "aAb", { "ETOKEN2" }, ONE, ONE, "b", NULL },
    { "aAb", { "ETO" }, NONE, SEVERAL, "aAb", "aAb" },
    { "aAb", { "010" }, NONE, START, "b", "b" },
    { "aAb", { "0102" }, ONE, ONE, "b", NULL },
    { "aAb", { "0001" }, ONE, ONE, "aA", NULL },
    { "aAbe", { "0001" }, SEVERAL, SEVERAL, "aAe", NULL },
    /* Case does not matter for what is suggested, and for that alone. */
    { "aAb", { "etoken" }, NONE, NONE, "aAb", NULL },
    { "ab", { "etoken2" }, NONE, NONE, "ab", NULL },
    { "ab", { "ETOKEN22" }, NONE, NONE, "ab", NULL },
    { "abc", { "twin" }, NONE, NONE, "c", NULL },
    { "abI", { "imza" }, NONE, NONE, "I", NULL },
    { "pP", { "FF01" }, NONE, NONE, "p", NULL },
    { "bC", { "cag" }, NONE, NONE, "C", NULL },
    { "bI", { "\303\211TOKEN2 X" }, NONE, NONE, "b", NULL }, /* É */
    { "g", { "X" }, NONE, NONE, "", NULL },
    { "ab", { "X" }, NONE, NONE, "", NULL },
    /* What is no UTF-8 is like nothing. */
    { "abf", { "\360" }, NONE, NONE, "", NULL },
    { "abf", { "ETOKEN", "\360" }, NONE, NONE, "", NULL },
    { "abf", { "\360", "0102" }, NONE, NONE, "b", NULL },
    /* A script's variable that is not set means no token. */
    { "b", { "" }, NONE, NONE, "", NULL },
    { "g", { "" }, NONE, NONE, "", NULL },
    { "x", { "" }, NONE, NONE, "", NULL },
    { "b", { "ETOKEN2", "" }, NONE, NONE, "b", NULL },
    /* Two words are a label and a serial number, whole, in this order. */
    { "cd", { "TWIN" }, SEVERAL, SEVERAL, "cd", NULL },
    { "cd", { "TWIN", "0202" }, ONE, ONE, "d", NULL },
    { "cd", { "TWIN", "020" }, NONE, NONE, "cd", NULL },
    { "cd", { "TWI", "0202" }, NONE, NONE, "d", NULL },
    { "cd", { "0202", "TWIN" }, NONE, NONE, "cd", NULL },
    { "ab", { "ETOKEN", "0102" }, NONE, NONE, "ab", NULL },
    { "af", { "my", "card" }, NONE, NONE, "f", NULL }, /* nobody has quoted it */
    { "f", { "my" }, NONE, START, "f", "f" },
    { "xz", { "NUMBERLESS", "" }, ONE, ONE, "x", NULL },
    { "g", { "", "05 01" }, ONE, ONE, "g", NULL },
    { "xy", { "NUMBERLESS", "" }, SEVERAL, SEVERAL, "xy", NULL },
    /* By the same name there may be another module's token in another reader: which one is meant
     * nobody knows. */
    { "kK", { NULL }, SEVERAL, SEVERAL, "kK", NULL },
    { "kK", { "TWICE" }, SEVERAL, SEVERAL, "kK", NULL },
    { "kK", { "TWICE", "0901" }, SEVERAL, SEVERAL, "kK", NULL },
    { "K", { "TWICE" }, ONE, ONE, "K", NULL },
    /* Two cards with the same labels. The serial number names one if it has one PIN. */
    { "pqPQ", { "CARD (PIN)" }, SEVERAL, SEVERAL, "pP", NULL },
    { "pqPQ", { "ff01" }, ONE, ONE, "pq", NULL },
    { "pqPQ", { "ff0" }, NONE, SEVERAL, "pqPQ", "pqPQ" },
    { "pq", { "CARD" }, NONE, START, "pq", "pq" },
    { "pqPQ", { "CARD (PIN)", "ff02" }, ONE, ONE, "P", NULL },
    { "stST", { "SIGN" }, SEVERAL, SEVERAL, "sS", NULL },
    { "stST", { "ee01" }, SEVERAL, SEVERAL, "st", NULL },
    { "stST", { "SIGN", "ee01" }, ONE, ONE, "s", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) tokens = tokens_of (rows[i].plugged_in);

    for (gboolean is_person = FALSE; is_person <= TRUE; is_person++) {
      const TokenctlWanted wanted = { rows[i].words, is_person };
      g_autoptr (TokenctlChoice) choice = tokenctl_choose (tokens, &wanted);
      g_autofree char *chosen = letters_of (choice->tokens);
      const char *expected =
          is_person && rows[i].for_person != NULL ? rows[i].for_person : rows[i].for_script;

      g_test_message ("row %" G_GSIZE_FORMAT, i);
      g_assert_cmpint (choice->found, ==, is_person ? rows[i].by_person : rows[i].by_script);
      g_assert_cmpint (tokenctl_choice_is_one (choice), ==,
                       choice->found == ONE || choice->found == START);
      g_assert_cmpstr (chosen, ==, expected);
    }
  }
}

/* Nor does a caller that has no words at all name a token. */
static void
test_without_words (void)
{
  const TokenctlWanted wanted = { NULL, TRUE };
  g_autoptr (GPtrArray) tokens = tokens_of ("b");
  g_autoptr (TokenctlChoice) choice = tokenctl_choose (tokens, &wanted);

  g_assert_cmpint (choice->found, ==, ONE);
  g_assert_false (tokenctl_is_named (tokens, &wanted));
}

/* A token that is not seen may have the same label, and a script is not shown which one it is. */
static void
test_is_named (void)
{
  static const struct {
    const char *words[3];
    gboolean by_script, by_person;
  } rows[] = {
    { { "ETOKEN" }, FALSE, TRUE },
    { { "0102" }, TRUE, TRUE },
    { { "ETO" }, FALSE, FALSE },
    { { "01" }, FALSE, FALSE },
    { { "" }, FALSE, FALSE },
    { { NULL }, FALSE, FALSE },
    { { "ETOKEN", "0001" }, TRUE, TRUE },
    { { "ETOKEN", "000" }, FALSE, FALSE },
    { { "ETOKEN", "0102" }, FALSE, FALSE },
    { { "ETOKEN2", "0001" }, FALSE, FALSE },
    { { "TWIN" }, FALSE, TRUE }, /* each of the two */
    { { "0001", "" }, FALSE, FALSE },
    { { "NUMBERLESS", "" }, FALSE, TRUE },
    { { "NUMBERLESS" }, FALSE, TRUE },
    { { "0000" }, FALSE, TRUE }, /* others may have it */
    { { "ZEROS", "0000" }, FALSE, TRUE },
  };
  g_autoptr (GPtrArray) tokens = tokens_of ("abcdxo");

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    for (gboolean is_person = FALSE; is_person <= TRUE; is_person++) {
      const TokenctlWanted wanted = { rows[i].words, is_person };

      g_test_message ("row %" G_GSIZE_FORMAT, i);
      g_assert_cmpint (tokenctl_is_named (tokens, &wanted), ==,
                       is_person ? rows[i].by_person : rows[i].by_script);
    }
  }
}

/* What status advises, and that it is then taken, by a script too. */
static void
test_argument (void)
{
  static const struct {
    const char *plugged_in;
    char of;
    const char *argument;
    gboolean works;
  } rows[] = {
    { "aAb", 'A', "ETOKEN", TRUE },      { "aAbe", 'a', "ETOKEN", TRUE },
    { "aAbe", 'e', "0301", TRUE },       { "cd", 'd', "0202", TRUE },
    { "f", 'f', "'my card'", TRUE },     { "g", 'g', "'05 01'", TRUE },
    { "h", 'h', "-- -json", TRUE },      { "i", 'i', "-- '-a b'", TRUE },
    { "pq", 'q', "'CARD (sig)'", TRUE }, { "pqPQ", 'q', "ff01", TRUE },
    { "pqPQ", 'P', "ff02", TRUE },       { "stST", 't', "AUTH ee01", TRUE },
    { "st", 's', "SIGN", TRUE },         { "xz", 'x', "NUMBERLESS ''", TRUE },
    { "xy", 'x', "NUMBERLESS", FALSE }, /* once the other one is out */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) tokens = tokens_of (rows[i].plugged_in);
    const TokenctlToken *token =
        tokens->pdata[strchr (rows[i].plugged_in, rows[i].of) - rows[i].plugged_in];
    g_auto (GStrv) names = tokenctl_names_of (tokens, token);
    g_autofree char *argument = tokenctl_argument_of (tokens, token);
    const TokenctlWanted wanted = { (const char *const *) names, FALSE };

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    g_assert_cmpstr (argument, ==, rows[i].argument);
    g_assert_cmpint (names != NULL, ==, rows[i].works);
    if (names != NULL) {
      g_autoptr (TokenctlChoice) choice = tokenctl_choose (tokens, &wanted);

      g_assert_cmpint (choice->found, ==, TOKENCTL_FOUND_ONE);
      g_assert_true (tokenctl_token_has_same_pin (choice->tokens->pdata[0], token));
    }
  }
}

/* The error of a choice that is none, and what its words must have and must not have. */
static void
test_errors (void)
{
  static const struct {
    const char *plugged_in;
    const char *words[3];
    int problem; /* of another token; or -1 */
    int exit;
    const char *has[4];
    const char *lacks;
  } rows[] = {
    { "", { NULL }, -1, TOKENCTL_EXIT_NO_SUCH_TOKEN, { "plugged in" }, NULL },
    { "aAb", { NULL }, -1, TOKENCTL_EXIT_USAGE, { "“0001”", "“0102”", "“ETOKEN2”" }, NULL },
    { "cd", { "TWIN" }, -1, TOKENCTL_EXIT_USAGE, { "“TWIN”", "“0201”", "“0202”" }, NULL },
    { "xy", { "NUMBERLESS", "" }, -1, TOKENCTL_EXIT_USAGE, { "Take the others out" }, NULL },
    { "ab",
      { "etoken2" },
      -1,
      TOKENCTL_EXIT_NO_SUCH_TOKEN,
      { "“etoken2”", "“0001”", "“0102”", "Did you mean ETOKEN, ETOKEN2?" },
      NULL },
    { "aAb", { "X" }, -1, TOKENCTL_EXIT_NO_SUCH_TOKEN, { "“0001”", "“0102”" }, "Did you mean" },
    { "ab",
      { "ETOKEN", "0102" },
      -1,
      TOKENCTL_EXIT_NO_SUCH_TOKEN,
      { "the label “ETOKEN” and the serial “0102”", "Did you mean ETOKEN, ETOKEN2?" },
      NULL },
    { "pqPQ",
      { "FF01" },
      -1,
      TOKENCTL_EXIT_NO_SUCH_TOKEN,
      { "“ff01”", "“ff02”", "Did you mean ff01?" },
      NULL },
    /* What could not be read may be what is meant; but not in place of what is found. */
    { "a",
      { "0102" },
      TOKEND_ERROR_BUSY,
      TOKENCTL_EXIT_BUSY,
      { "“0102”", "program is using" },
      NULL },
    { "",
      { "0102" },
      TOKEND_ERROR_BUSY,
      TOKENCTL_EXIT_BUSY,
      { "“0102”", "program is using" },
      NULL },
    { "a",
      { "0102" },
      TOKEND_ERROR_MODULE_FAILED,
      TOKENCTL_EXIT_FAILED,
      { "module failed" },
      NULL },
    { "cd", { "TWIN" }, TOKEND_ERROR_BUSY, TOKENCTL_EXIT_USAGE, { "“0201”" }, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (GPtrArray) tokens = tokens_of (rows[i].plugged_in);
    g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
    const TokenctlWanted wanted = { rows[i].words, FALSE };
    g_autoptr (TokenctlChoice) choice = NULL;
    g_autoptr (GError) error = NULL;

    g_test_message ("row %" G_GSIZE_FORMAT, i);
    if (rows[i].problem >= 0) {
      g_ptr_array_add (problems,
                       g_error_new (TOKEND_ERROR, TOKEND_ERROR_TIMED_OUT, "It took too long"));
      g_ptr_array_add (problems, g_error_new (TOKEND_ERROR, rows[i].problem, "It is"));
      if (rows[i].problem != TOKEND_ERROR_BUSY)
        g_ptr_array_remove_index (problems, 0);
    }
    choice = tokenctl_match (tokens, &wanted, problems, &error);
    g_assert_null (choice);
    g_assert_error (error, TOKENCTL_ERROR, rows[i].exit);
    for (gsize j = 0; j < G_N_ELEMENTS (rows[i].has) && rows[i].has[j] != NULL; j++)
      g_assert_nonnull (strstr (error->message, rows[i].has[j]));
    if (rows[i].lacks != NULL)
      g_assert_null (strstr (error->message, rows[i].lacks));
  }
}

/* Whatever could not be read is told as it is where no token was named. */
static void
test_errors_without_a_name (void)
{
  const char *const words[] = { NULL };
  const TokenctlWanted wanted = { words, FALSE };
  g_autoptr (GPtrArray) tokens = tokens_of ("");
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  g_autoptr (GError) error = NULL;

  g_ptr_array_add (problems, g_error_new (TOKEND_ERROR, TOKEND_ERROR_BUSY, "It is"));
  g_assert_null (tokenctl_match (tokens, &wanted, problems, &error));
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_BUSY);
}

static void
test_candidates_are_listed_once (void)
{
  const char *const words[] = { NULL };
  const TokenctlWanted wanted = { words, FALSE };
  g_autoptr (GPtrArray) tokens = tokens_of ("aAb");
  g_autoptr (GPtrArray) problems = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;

  g_assert_null (tokenctl_match (tokens, &wanted, problems, &error));
  g_assert_nonnull (strstr (error->message, "0001"));
  g_assert_true (strstr (error->message, "0001") == g_strrstr (error->message, "0001"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/choice/choose", test_choose);
  g_test_add_func ("/choice/without-words", test_without_words);
  g_test_add_func ("/choice/is-named", test_is_named);
  g_test_add_func ("/choice/argument", test_argument);
  g_test_add_func ("/choice/errors", test_errors);
  g_test_add_func ("/choice/errors/without-a-name", test_errors_without_a_name);
  g_test_add_func ("/choice/candidates", test_candidates_are_listed_once);
  return g_test_run ();
}
