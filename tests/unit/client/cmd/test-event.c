/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event.h"

#include "json.h"

#define BEFORE                                                                                     \
  "{'label': <'ETOKEN'>, 'pin-state': <'ok'>, 'pin-retries-remaining': <uint32 3>, "               \
  "'pin-retries-maximum': <uint32 3>, 'puk-state': <'unknown'>, 'read-at': <uint64 1>}"
#define SAME                                                                                       \
  "{'pin-state': <'ok'>, 'label': <'ETOKEN'>, 'pin-retries-remaining': <uint32 3>, "               \
  "'pin-retries-maximum': <uint32 3>, 'puk-state': <'unknown'>, 'read-at': <uint64 2>}"
#define ENDED "{'label': <'ETOKEN'>, 'certificate-not-after': <uint64 1000040000000000>}"
#define RENEWED "{'label': <'ETOKEN'>, 'certificate-not-after': <uint64 1100040000000000>}"
#define LOCKED "{'label': <'ETOKEN'>, 'pin-state': <'locked'>, 'puk-state': <'unknown'>}"

static GVariant *
parse (const char *text)
{
  return g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
}

static void
test_worth (void)
{
  g_autoptr (GVariant) before = parse (BEFORE);
  g_autoptr (GVariant) same = parse (SAME);
  g_autoptr (GVariant) ended = parse (ENDED);
  g_autoptr (GVariant) renewed = parse (RENEWED);
  g_autoptr (GVariant) locked = parse (LOCKED);

  g_assert_false (tokenctl_event_is_worth_telling (before, same));
  g_assert_true (tokenctl_event_is_worth_telling (before, locked));
  g_assert_true (tokenctl_event_is_worth_telling (locked, before));
  g_assert_true (tokenctl_event_is_worth_telling (ended, renewed));
}

static void
test_text (void)
{
  g_autoptr (GVariant) before = parse (BEFORE);
  g_autoptr (GVariant) locked = parse (LOCKED);
  g_autoptr (GVariant) ended = parse (ENDED);
  g_autoptr (GVariant) renewed = parse (RENEWED);
  const struct {
    TokenctlEvent event;
    const char *text;
  } rows[] = {
    { { TOKENCTL_EVENT_ADDED, "/t/1", NULL, before },
      "ETOKEN: here; PIN: 3 of 3 tries left; PUK: not known" },
    { { TOKENCTL_EVENT_ADDED, "/t/1", NULL, NULL }, "/t/1: here; its status cannot be read" },
    { { TOKENCTL_EVENT_REMOVED, "/t/1", NULL, before }, "ETOKEN: unplugged" },
    { { TOKENCTL_EVENT_CHANGED, "/t/1", before, locked },
      "ETOKEN: PIN: 3 of 3 tries left → locked" },
    { { TOKENCTL_EVENT_CHANGED, "/t/1", before, before }, "ETOKEN: its status changed" },
    { { TOKENCTL_EVENT_CHANGED, "/t/1", ended, renewed },
      "ETOKEN: The certificate ended on 9 November 2004. A new one is needed." },
    { { TOKENCTL_EVENT_CHANGED, "/t/1", ended, ended }, "ETOKEN: its status changed" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autofree char *text = tokenctl_event_to_text (&rows[i].event, FALSE);

    g_assert_cmpstr (text, ==, rows[i].text);
  }
}

static void
test_json (void)
{
  g_autoptr (GVariant) status =
      parse ("{'label': <'a\"b\\\\\\u0001ş'>, 'can-unlock': <true>, 'n': <uint32 3>, "
             "'read-at': <uint64 1795000000000000>}");
  TokenctlEvent event = { TOKENCTL_EVENT_CHANGED, "/t/1", NULL, status };
  g_autoptr (GVariant) dictionary = tokenctl_event_to_dictionary (&event);
  g_autofree char *json = tokenctl_json (dictionary, FALSE);

  g_assert_cmpstr (json, ==,
                   "{\"event\":\"changed\",\"path\":\"/t/1\",\"label\":\"a\\\"b\\\\\\u0001ş\","
                   "\"can-unlock\":true,\"n\":3,\"read-at\":1795000000000000}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/event/worth", test_worth);
  g_test_add_func ("/event/text", test_text);
  g_test_add_func ("/event/json", test_json);
  return g_test_run ();
}
