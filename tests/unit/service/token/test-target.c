/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "targets.h"

#include <string.h>

#define PIN TOKEND_ROLE_PIN
#define PUK TOKEND_ROLE_PUK

/* Whether what is recorded of one target holds for another; see target_of(). */
static const struct {
  const char *target, *other;
  gboolean is_same, pin_may_be, puk_may_be;
} rows[] = {
  { "c/a", "c/a", TRUE, TRUE, TRUE },     { "c/a", "c/b", FALSE, FALSE, TRUE },
  { "c/a", "c/ab", FALSE, FALSE, TRUE },  { "c/ab", "c/a", FALSE, FALSE, TRUE },
  { "c=a", "c/a", TRUE, TRUE, TRUE },     { "c=a", "c/b", TRUE, TRUE, TRUE },
  { "c/a", "d/a", FALSE, FALSE, FALSE },  { "c=a", "d/a", FALSE, FALSE, FALSE },
  { "c=a", "cd/a", FALSE, FALSE, FALSE }, { "cd=a", "c/a", FALSE, FALSE, FALSE },
  { "c~a", "c/a", TRUE, TRUE, TRUE },     { "c~a", "c/b", FALSE, TRUE, TRUE },
};

static void
test_sharing (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_autoptr (TokendTarget) target = target_of (rows[i].target);
    g_autoptr (TokendTarget) other = target_of (rows[i].other);

    g_test_message ("%s and %s", rows[i].target, rows[i].other);
    g_assert_cmpint (tokend_target_is_same (target, other->id), ==, rows[i].is_same);
    g_assert_cmpint (tokend_target_may_be_same (target, PIN, other->id), ==, rows[i].pin_may_be);
    g_assert_cmpint (tokend_target_may_be_same (target, PUK, other->id), ==, rows[i].puk_may_be);
  }
}

static TokendTarget *
make (const char *serial, const char *label, gboolean is_shared)
{
  TokendReading reading = { .manufacturer = g_bytes_new_static ("M", 1),
                            .model = g_bytes_new_static ("m", 1),
                            .serial = g_bytes_new_static (serial, strlen (serial)),
                            .label = g_bytes_new_static (label, strlen (label)) };
  TokendTarget *target = tokend_target_new (&reading, is_shared);

  g_bytes_unref (reading.manufacturer);
  g_bytes_unref (reading.model);
  g_bytes_unref (reading.serial);
  g_bytes_unref (reading.label);
  return target;
}

/* Two tokens as a module shows them. */
static const struct {
  const char *serial_a, *label_a, *serial_b, *label_b;
  gboolean is_same_card, is_same_target, is_known_card;
} tokens[] = {
  { "1", "auth", "1", "auth", TRUE, TRUE, TRUE },
  { "1", "auth", "1", "sign", TRUE, FALSE, TRUE },
  { "1", "auth", "2", "auth", FALSE, FALSE, TRUE },
  /* Without a serial nothing tells one card with two labels from two cards. */
  { "", "auth", "", "auth", TRUE, TRUE, FALSE },
  { "", "auth", "", "sign", TRUE, FALSE, FALSE },
  { "0000", "auth", "0000", "sign", TRUE, FALSE, FALSE },
};

/* What the profile says is no part of the name: it may be another one's module, or say something
 * else tomorrow. */
static void
test_name (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (tokens); i++) {
    g_autoptr (TokendTarget) a = make (tokens[i].serial_a, tokens[i].label_a, FALSE);
    g_autoptr (TokendTarget) b = make (tokens[i].serial_b, tokens[i].label_b, TRUE);
    g_autofree char *card = tokend_target_id_get_card (b->id);

    g_test_message ("%s %s and %s %s", tokens[i].serial_a, tokens[i].label_a, tokens[i].serial_b,
                    tokens[i].label_b);
    g_assert_cmpint (g_str_equal (a->card, b->card), ==, tokens[i].is_same_card);
    g_assert_cmpint (g_str_equal (a->id, b->id), ==, tokens[i].is_same_target);
    g_assert_cmpstr (card, ==, b->card);
    g_assert_cmpstr (tokend_target_get_holder (a), ==, a->id);
    g_assert_cmpint (tokend_target_shares_codes (a), ==, FALSE);
    g_assert_cmpint (tokend_target_shares_codes (b), ==, tokens[i].is_known_card);
    g_assert_cmpstr (tokend_target_get_holder (b), ==, tokens[i].is_known_card ? b->card : b->id);
  }
}

/* A target that is related to the second, and a third one: whether tries there count at the
 * first. */
static const struct {
  const char *target, *other;
  gboolean pin_may_be, puk_may_be;
} related[] = {
  { "A/l&B/l", "B/l", TRUE, TRUE },  { "A/l&B/l", "A/l", TRUE, TRUE },
  { "A/l&B/l", "B/m", FALSE, TRUE }, { "A/l&B=l", "B=m", TRUE, TRUE },
  { "A/l&B/l", "A/m", FALSE, TRUE }, { "A/l&B/l", "C/l", FALSE, FALSE },
};

/* Only more careful: nothing is the same for certain. */
static void
test_related (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (related); i++) {
    g_autoptr (TokendTarget) target = target_of (related[i].target);
    g_autoptr (TokendTarget) other = target_of (related[i].other);

    g_test_message ("%s and %s", related[i].target, related[i].other);
    g_assert_cmpint (tokend_target_may_be_same (target, PIN, other->id), ==, related[i].pin_may_be);
    g_assert_cmpint (tokend_target_may_be_same (target, PUK, other->id), ==, related[i].puk_may_be);
    g_assert_cmpint (tokend_target_is_same (target, other->id), ==,
                     g_str_equal (related[i].other, "A/l"));
  }
}

/* A card with a serial number is the same wherever it was meanwhile. */
static void
test_stay (void)
{
  g_autoptr (TokendTarget) known = target_of ("A/l");
  g_autoptr (TokendTarget) unknown = target_of ("A~l");
  g_autofree char *name = NULL;

  tokend_target_set_stay (known, 42);
  tokend_target_set_stay (unknown, 42);
  g_assert_cmpstr (known->id, ==, "A/l");
  g_assert_cmpstr (unknown->id, ==, "A/l/0000002a");
  name = tokend_target_id_get_name (unknown->id);
  g_assert_cmpstr (name, ==, "A/l");
}

/* What only may be the same bars, and is not told of. */
static void
test_shown_as (void)
{
  g_autoptr (TokendTarget) target = target_of ("A/l");
  g_autoptr (TokendTarget) b = target_of ("B/l");
  g_autoptr (TokendTarget) c = target_of ("C/l");
  g_autoptr (GPtrArray) others = g_ptr_array_new ();

  g_assert_true (tokend_target_is_shown_as (target, target->id));
  g_assert_false (tokend_target_is_shown_as (target, b->id));
  g_ptr_array_add (others, b);
  g_ptr_array_add (others, c);
  for (guint n_one = 0; n_one <= 2; n_one++) {
    tokend_target_relate (target, others, 0, 0, n_one);
    g_assert_true (tokend_target_is_shown_as (target, target->id));
    g_assert_cmpint (tokend_target_is_shown_as (target, b->id), ==, n_one > 0);
    g_assert_cmpint (tokend_target_is_shown_as (target, c->id), ==, n_one > 1);
    g_assert_true (tokend_target_may_be_same (target, PIN, c->id));
  }
}

/* What may have left the reader counts meanwhile; that is not recorded. */
static void
test_doubtful (void)
{
  g_autoptr (TokendTarget) target = target_of ("A/l");
  g_autoptr (TokendTarget) b = target_of ("B/l");
  g_autoptr (TokendTarget) c = target_of ("C/l");
  g_autoptr (GPtrArray) others = g_ptr_array_new ();

  g_assert_true (tokend_target_may_be_same_later (target, PIN, target->id));
  g_assert_false (tokend_target_may_be_same_later (target, PIN, b->id));
  g_ptr_array_add (others, b);
  g_ptr_array_add (others, c);
  for (guint n_doubtful = 0; n_doubtful <= 2; n_doubtful++) {
    tokend_target_relate (target, others, 0, n_doubtful, 2);
    g_assert_true (tokend_target_may_be_same (target, PIN, b->id));
    g_assert_true (tokend_target_may_be_same (target, PIN, c->id));
    g_assert_true (tokend_target_may_be_same_later (target, PIN, target->id));
    g_assert_cmpint (tokend_target_may_be_same_later (target, PIN, b->id), ==, n_doubtful < 1);
    g_assert_cmpint (tokend_target_may_be_same_later (target, PUK, c->id), ==, n_doubtful < 2);
  }
  tokend_target_relate (target, others, 1, 1, 2);
  g_assert_false (tokend_target_is_doubtful (target, 0));
  g_assert_true (tokend_target_is_doubtful (target, 1));
  g_assert_false (tokend_target_is_doubtful (target, 2));
}

/* Whether what a third target recorded, which was related to @other, counts at @target by that. */
static void
test_may_have_been (void)
{
  static const struct {
    const char *target, *other;
    TokendRole role;
    gboolean may_now, may_later;
  } been[] = {
    { "A/l", "A/l", PIN, TRUE, TRUE },
    { "A/l", "A/m", PIN, FALSE, FALSE },
    { "A/l", "A/m", PUK, TRUE, TRUE },
    { "A/l&B/l", "B/l", PIN, TRUE, TRUE },
    { "A/l&B/l", "C/l", PIN, FALSE, FALSE },
    { "A/l!B/l", "B/l", PIN, TRUE, FALSE },
    { "A/l&B/l", "B/m", PUK, TRUE, TRUE },
    { "A/l&B/l", "B/m", PIN, FALSE, FALSE },
    /* What has no serial number, in its stay and in another one */
    { "A/l&B?1", "B?1", PIN, TRUE, TRUE },
    { "A/l&B?1", "B?2", PIN, FALSE, FALSE },
    { "B?1", "B?1", PIN, TRUE, TRUE },
    { "B?1", "B?2", PIN, TRUE, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (been); i++) {
    g_autoptr (TokendTarget) target = target_of (been[i].target);
    g_autoptr (TokendTarget) other = target_of (been[i].other);

    g_test_message ("%s, %s", been[i].target, been[i].other);
    g_assert_cmpint (tokend_target_may_have_been (target, been[i].role, other->id, FALSE), ==,
                     been[i].may_now);
    g_assert_cmpint (tokend_target_may_have_been (target, been[i].role, other->id, TRUE), ==,
                     been[i].may_later);
  }
}

static void
test_cards (void)
{
  g_autoptr (TokendTarget) target = target_of ("A/l");
  g_autoptr (TokendTarget) b = target_of ("B/l");
  g_autoptr (TokendTarget) b_again = target_of ("B/m");
  g_autoptr (TokendTarget) c = target_of ("C/l");
  g_autoptr (GPtrArray) others = g_ptr_array_new ();
  g_auto (GStrv) alone = tokend_target_list_cards (target);
  g_auto (GStrv) all = NULL;
  g_autofree char *text = NULL;

  g_assert_cmpuint (g_strv_length (alone), ==, 1);
  g_assert_cmpstr (alone[0], ==, "A");
  g_ptr_array_add (others, b);
  g_ptr_array_add (others, c);
  g_ptr_array_add (others, b_again);
  tokend_target_relate (target, others, 0, 0, others->len);
  all = tokend_target_list_cards (target);
  text = g_strjoinv (" ", all);
  g_assert_cmpstr (text, ==, "A B C");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/target/sharing", test_sharing);
  g_test_add_func ("/target/name", test_name);
  g_test_add_func ("/target/related", test_related);
  g_test_add_func ("/target/stay", test_stay);
  g_test_add_func ("/target/shown-as", test_shown_as);
  g_test_add_func ("/target/doubtful", test_doubtful);
  g_test_add_func ("/target/may-have-been", test_may_have_been);
  g_test_add_func ("/target/cards", test_cards);
  return g_test_run ();
}
