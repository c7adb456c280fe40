/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * That the certificate cannot be destroyed through us: what of PKCS#11 the service's sources name
 * at all, and what a watching host's memory holds.
 */
#include "pkcs11-module.h"

#include <string.h>

/* All functions that the module host takes out of a module's list. */
static const char *const taken[] = {
  "C_Finalize",        "C_FindObjects",       "C_FindObjectsFinal",
  "C_FindObjectsInit", "C_GetAttributeValue", "C_GetInfo",
  "C_GetSlotInfo",     "C_GetSlotList",       "C_GetTokenInfo",
  "C_InitPIN",         "C_Initialize",        "C_Login",
  "C_Logout",          "C_OpenSession",       "C_CloseSession",
  "C_SetPIN",          "C_WaitForSlotEvent",  NULL,
};

static GPtrArray *banned;

typedef void (*FileFunc) (const char *name, const char *text);

static guint
for_each_source (const char *folder, FileFunc func)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  guint count = 0;

  g_assert_nonnull (dir);
  while ((name = g_dir_read_name (dir)) != NULL) {
    g_autofree char *path = g_build_filename (folder, name, NULL);
    g_autofree char *text = NULL;

    if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
      count += for_each_source (path, func);
      continue;
    }
    if (!g_str_has_suffix (name, ".c") && !g_str_has_suffix (name, ".h"))
      continue;
    g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
    func (name, text);
    count++;
  }

  return count;
}

static GPtrArray *
find_all (const char *pattern, const char *text)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;
  GPtrArray *found = g_ptr_array_new_with_free_func (g_free);

  for (g_regex_match (regex, text, 0, &match); g_match_info_matches (match);
       g_match_info_next (match, NULL))
    g_ptr_array_add (found, g_match_info_fetch (match, 1));
  return found;
}

static void
check_names (const char *name, const char *text)
{
  /* The list of what is banned, for the compiler. */
  if (g_str_equal (name, "narrow-pkcs11.h"))
    return;
  for (guint i = 0; i < banned->len; i++) {
    g_autofree char *pattern =
        g_strdup_printf ("\\b%s\\b", (const char *) g_ptr_array_index (banned, i));

    if (g_regex_match_simple (pattern, text, 0, 0))
      g_error ("%s names %s", name, (const char *) g_ptr_array_index (banned, i));
  }
}

static void
collect_banned (const char *name, const char *text)
{
  if (g_str_equal (name, "narrow-pkcs11.h"))
    banned = find_all ("\\b(C_[A-Z][A-Za-z]+)\\b", text);
}

static gboolean
is_banned (const char *function)
{
  return g_ptr_array_find_with_equal_func (banned, function, g_str_equal, NULL);
}

/* Not even a comment of the service names what could destroy a token. */
static void
test_names (void)
{
  for_each_source (SERVICE_SOURCES, collect_banned);
  g_assert_nonnull (banned);
  g_assert_true (is_banned ("C_InitToken"));
  g_assert_true (is_banned ("C_DestroyObject"));
  g_assert_true (is_banned ("C_CreateObject"));
  g_assert_true (is_banned ("C_CopyObject"));
  g_assert_true (is_banned ("C_SetAttributeValue"));
  g_assert_true (is_banned ("C_GenerateKeyPair"));
  g_assert_cmpuint (for_each_source (SERVICE_SOURCES, check_names), >, 20);
  g_ptr_array_unref (g_steal_pointer (&banned));
}

static void
check_taking (const char *name, const char *text)
{
  g_autoptr (GPtrArray) names = find_all ("->\\s*(C_[A-Z][A-Za-z]+)\\b", text);
  g_autoptr (GPtrArray) lists = find_all ("\\b(CK_FUNCTION_LIST\\w*|ck_function_list)\\b", text);
  g_autoptr (GPtrArray) headers =
      find_all ("#include [<\"](p11-kit/p11-kit\\.h|p11-kit/pkcs11\\.h|pkcs11\\.h)[>\"]", text);

  if (g_str_equal (name, "pkcs11-module.c")) {
    for (guint i = 0; i < names->len; i++)
      g_assert_true (g_strv_contains (taken, g_ptr_array_index (names, i)));
    g_assert_cmpuint (names->len, >=, g_strv_length ((char **) taken));
    return;
  }
  if (names->len > 0 || lists->len > 0)
    g_error ("%s has to do with a whole function list", name);
  if (headers->len > 0 && !g_str_equal (name, "narrow-pkcs11.h"))
    g_error ("%s includes PKCS#11 as a whole", name);
}

/* One file takes functions out of the list; it is short enough to be read. */
static void
test_taking (void)
{
  for_each_source (SERVICE_SOURCES, check_taking);
}

static void
check_transmitting (const char *name, const char *text)
{
  if (!g_str_equal (name, "card-question.c") && !g_str_equal (name, "narrow-pcsc.h"))
    g_assert_false (g_regex_match_simple ("winscard\\.h|SCardTransmit|SCardControl", text, 0, 0));
  if (g_str_equal (name, "card-question.c"))
    g_assert_true (g_regex_match_simple ("SCardTransmit", text, 0, 0));
}

/* One file sends a card commands. */
static void
test_transmitting (void)
{
  for_each_source (SERVICE_SOURCES, check_transmitting);
}

static void
load (TokendReadFunctions *read, TokendOperationFunctions *operation)
{
  g_autoptr (GVariant) environment = g_variant_ref_sink (g_variant_new ("a{ss}", NULL));
  g_autoptr (GError) error = NULL;

  tokend_pkcs11_module_load (STUB_MODULE, environment, read, operation, &error);
  g_assert_no_error (error);
}

/* A watching host's tables hold no function that takes a code, under whatever name. */
static void
test_watching (void)
{
  TokendReadFunctions read;
  TokendReadFunctions ignored;
  TokendOperationFunctions operation;
  void *codes[G_STRUCT_OFFSET (TokendOperationFunctions, set_pin) / sizeof (void *) + 1];
  void *held[sizeof read / sizeof (void *)];

  load (&read, NULL);
  load (&ignored, &operation);
  memcpy (codes, &operation, sizeof operation);
  memcpy (held, &read, sizeof read);
  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++) {
    g_assert_nonnull (codes[i]);
    for (gsize j = 0; j < G_N_ELEMENTS (held); j++)
      g_assert_true (held[j] != codes[i]);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/narrow/names", test_names);
  g_test_add_func ("/narrow/taking", test_taking);
  g_test_add_func ("/narrow/transmitting", test_transmitting);
  g_test_add_func ("/narrow/watching", test_watching);
  return g_test_run ();
}
