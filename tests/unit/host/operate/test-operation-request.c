/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation-request.h"

#include "tokend-error.h"

#include <string.h>

/* A right request, in GVariant's text form, key by key. */
static const char *const common[] = {
  "'manufacturer': <[byte 0x41, 0x20, 0xff]>",
  "'model': <@ay []>",
  "'serial': <[byte 0x31]>",
  "'label': <[byte 0x4c]>",
  "'code-minimum-length': <uint32 4>",
  "'code-maximum-length': <uint32 255>",
  "'new-pin-minimum-length': <uint32 6>",
  "'new-pin-maximum-length': <uint32 8>",
  "'new-pin-characters': <'digits'>",
  "'digest-key': <[byte 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, "
  "21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32]>",
  "'wrong-code': <'user-not-logged-in'>",
  "'send-unusual-code': <true>",
  "'logout-closes': <true>",
};

#define UNLOCK "'operation': <'unlock'>", "'way': <'so-login-init-pin'>"
#define SET_PIN "'operation': <'set-pin'>", "'login-first': <true>"

/* The right request but for key @left_out (its index in common, or -1), and with @added (up to two,
 * or NULL). */
static gboolean
parse (TokendOperationRequest *request, int left_out, const char *const *added, GError **error)
{
  g_autoptr (GString) text = g_string_new ("{");
  g_autoptr (GVariant) variant = NULL;

  for (int i = 0; i < (int) G_N_ELEMENTS (common); i++) {
    if (i != left_out)
      g_string_append_printf (text, "%s, ", common[i]);
  }
  for (; *added != NULL; added++)
    g_string_append_printf (text, "%s, ", *added);
  g_string_truncate (text, text->len - 2);
  g_string_append_c (text, '}');

  variant = g_variant_parse (G_VARIANT_TYPE_VARDICT, text->str, NULL, NULL, NULL);
  g_assert_nonnull (variant);
  return tokend_operation_request_parse (request, variant, error);
}

static void
assert_refused (int left_out, const char *const *added, const char *key)
{
  TokendOperationRequest request;
  g_autoptr (GError) error = NULL;

  g_assert_false (parse (&request, left_out, added, &error));
  g_assert_error (error, TOKEND_ERROR, TOKEND_ERROR_INVALID_ARGS);
  g_assert_nonnull (strstr (error->message, key));
}

static void
test_right (void)
{
  TokendOperationRequest request;
  g_autoptr (GError) error = NULL;

  g_assert_true (parse (&request, -1, (const char *[]){ UNLOCK, NULL }, &error));
  g_assert_no_error (error);
  g_assert_true (request.unlock);
  g_assert_cmpint (request.method, ==, TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN);
  g_assert_cmpint (request.wrong_code, ==, TOKEND_WRONG_CODE_USER_NOT_LOGGED_IN);
  g_assert_cmpint (tokend_operation_request_role (&request), ==, TOKEND_ROLE_PUK);
  g_assert_cmpmem (request.identity.manufacturer.bytes, request.identity.manufacturer.length,
                   "A \xff", 3);
  g_assert_cmpuint (request.identity.model.length, ==, 0);
  g_assert_cmpuint (request.code_limits.minimum, ==, 4);
  g_assert_cmpuint (request.code_limits.maximum, ==, 255);
  g_assert_cmpuint (request.new_pin_limits.minimum, ==, 6);
  g_assert_cmpuint (request.new_pin_limits.maximum, ==, 8);
  g_assert_cmpint (request.new_pin_characters, ==, TOKEND_CHARACTERS_DIGITS);
  g_assert_true (request.send_unusual_code);
  g_assert_true (request.logout_closes);
  g_assert_cmpuint (request.digest_key[31], ==, 32);

  g_assert_true (parse (&request, -1, (const char *[]){ SET_PIN, NULL }, &error));
  g_assert_false (request.unlock);
  g_assert_true (request.login_first);
  g_assert_cmpint (request.method, ==, TOKEND_UNLOCK_METHOD_NONE);
  g_assert_true (parse (
      &request, -1, (const char *[]){ "'operation': <'set-pin'>", "'login-first': <false>", NULL },
      &error));
  g_assert_false (request.login_first);
  g_assert_true (parse (&request, 11,
                        (const char *[]){ SET_PIN, "'send-unusual-code': <false>", NULL }, &error));
  g_assert_false (request.send_unusual_code);
  /* A code may have to be of one length. */
  g_assert_true (parse (
      &request, 5, (const char *[]){ SET_PIN, "'code-maximum-length': <uint32 4>", NULL }, &error));
  g_assert_cmpint (tokend_operation_request_role (&request), ==, TOKEND_ROLE_PIN);
}

static void
test_key_missing (void)
{
  for (int i = 0; i < (int) G_N_ELEMENTS (common); i++) {
    g_autofree char *key = g_strndup (common[i] + 1, strcspn (common[i] + 1, "'"));

    assert_refused (i, (const char *[]){ SET_PIN, NULL }, key);
    /* Nor does something else in its place help. */
    assert_refused (i, (const char *[]){ SET_PIN, "'more': <1>", NULL }, key);
  }
  assert_refused (-1, (const char *[]){ "'operation': <'unlock'>", NULL }, "way");
  assert_refused (-1, (const char *[]){ "'operation': <'set-pin'>", NULL }, "login-first");
  assert_refused (-1, (const char *[]){ "'way': <'so-login-init-pin'>", NULL }, "operation");
}

static void
test_key_too_many (void)
{
  assert_refused (-1, (const char *[]){ UNLOCK, "'more': <1>", NULL }, "too many");
  assert_refused (-1, (const char *[]){ SET_PIN, "'more': <1>", NULL }, "too many");
  assert_refused (-1, (const char *[]){ SET_PIN, "'way': <'so-login-init-pin'>", NULL },
                  "too many");
  assert_refused (-1, (const char *[]){ UNLOCK, "'login-first': <false>", NULL }, "too many");
  assert_refused (-1, (const char *[]){ SET_PIN, "'label': <[byte 0x4d]>", NULL }, "too many");
}

static void
test_value_wrong (void)
{
  static const struct {
    int left_out;
    const char *instead;
  } rows[] = {
    { 0, "'manufacturer': <'text'>" },
    { 3, "'label': <[byte 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, "
         "21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33]>" },
    { 4, "'code-minimum-length': <4>" },
    { 5, "'code-maximum-length': <uint32 3>" },
    { 7, "'new-pin-maximum-length': <uint32 5>" },
    { 8, "'new-pin-characters': <'letters'>" },
    { 9, "'digest-key': <[byte 1, 2, 3]>" },
    { 10, "'wrong-code': <'any'>" },
    { 11, "'send-unusual-code': <1>" },
    { 12, "'logout-closes': <'yes'>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *key = g_strndup (rows[i].instead + 1, strcspn (rows[i].instead + 1, "'"));

    assert_refused (rows[i].left_out, (const char *[]){ SET_PIN, rows[i].instead, NULL }, key);
  }
  assert_refused (-1, (const char *[]){ "'operation': <'set-pin'>", "'login-first': <'no'>", NULL },
                  "login-first");
  assert_refused (-1, (const char *[]){ "'operation': <'destroy'>", NULL }, "operation");
  assert_refused (-1, (const char *[]){ "'operation': <'unlock'>", "'way': <'none'>", NULL },
                  "way");
  assert_refused (-1, (const char *[]){ "'operation': <'unlock'>", "'way': <'guess'>", NULL },
                  "way");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/operation-request/right", test_right);
  g_test_add_func ("/operation-request/key-missing", test_key_missing);
  g_test_add_func ("/operation-request/key-too-many", test_key_too_many);
  g_test_add_func ("/operation-request/value-wrong", test_value_wrong);
  return g_test_run ();
}
