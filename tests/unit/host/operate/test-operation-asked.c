/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* An operation on a token whose card is asked itself. What the card answers is played. */
#include "card-numbers.h"
#include "fake-token.h"
#include "operation.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

static struct {
  gboolean is_wanted;
  guint n_lookups, n_asked;
  CK_FLAGS flags; /* what the card's answers add to those of the token */
} card;

gboolean
__wrap_tokend_card_numbers_are_wanted (void)
{
  return card.is_wanted;
}

void
__wrap_tokend_slot_readers_look_up (const TokendReadFunctions *functions, const GArray *last,
                                    GArray *readings)
{
  card.n_lookups++;
  g_array_index (readings, TokendSlotReading, 0).reader = "READER";
}

void
__wrap_tokend_card_numbers_read (const TokendReadFunctions *functions, const char *reader,
                                 TokendHostReading *reading)
{
  g_assert_cmpstr (reader, ==, "READER");
  card.n_asked++;
  reading->flags |= card.flags;
}

static int
pipe_with (const char *text)
{
  int ends[2];

  g_assert_cmpint (pipe2 (ends, O_CLOEXEC), ==, 0);
  g_assert_cmpint (write (ends[1], text, strlen (text)), ==, (gssize) strlen (text));
  close (ends[1]);
  return ends[0];
}

static TokendPkcs11Operation *
prepare (gboolean unlock)
{
  g_autoptr (GError) error = NULL;
  TokendOperationRequest request = {
    .unlock = unlock,
    .method = unlock ? TOKEND_UNLOCK_METHOD_SO_LOGIN_INIT_PIN : TOKEND_UNLOCK_METHOD_NONE,
    .code_limits = { 4, 255 },
    .new_pin_limits = { 4, 8 },
  };
  TokendHostReading reading;
  TokendPkcs11Operation *operation;
  int code = pipe_with ("87654321"), new_pin = pipe_with ("4711");

  g_assert_true (tokend_host_reading_init (&reading, &fake.info[0]));
  request.identity = reading.identity;
  operation = tokend_pkcs11_operation_open (&fake_read_functions, &fake_operation_functions,
                                            &request, &error);
  g_assert_no_error (error);
  g_assert_true (tokend_pkcs11_operation_read_codes (operation, code, new_pin, &error));
  close (code);
  close (new_pin);
  return operation;
}

/* It is asked wherever a profile says how, whatever the module is. */
static void
test_asked (void)
{
  for (int is_wanted = 0; is_wanted < 2; is_wanted++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;

    fake_reset ();
    memset (&card, 0, sizeof card);
    card.is_wanted = is_wanted;
    operation = prepare (TRUE);
    g_assert_cmpuint (card.n_lookups, ==, (guint) is_wanted);
    g_assert_cmpuint (card.n_asked, ==, (guint) is_wanted);
  }
}

/* Whatever a look before it showed: a card that wants its codes hashed is sent none in clear. */
static void
test_hashed_at_the_last_look (void)
{
  for (int unlock = 0; unlock < 2; unlock++) {
    g_autoptr (TokendPkcs11Operation) operation = NULL;
    g_autofree char *reason = NULL;
    TokendOperationResult result;

    fake_reset ();
    memset (&card, 0, sizeof card);
    card.is_wanted = TRUE;
    operation = prepare (unlock);
    card.flags = TOKEND_TOKEN_CODES_HASHED;
    tokend_pkcs11_operation_commit (operation, &result);
    reason = result.reason;
    g_assert_cmpint (result.outcome, ==, TOKEND_OUTCOME_FAILED);
    g_assert_false (result.sent);
    g_assert_false (result.accepted);
    g_assert_true (g_str_has_prefix (reason, "KDF-DO: "));
    g_assert_cmpstr (fake.calls->str, ==, "");
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/operation/asked", test_asked);
  g_test_add_func ("/operation/asked/hashed-at-the-last-look", test_hashed_at_the_last_look);
  return g_test_run ();
}
