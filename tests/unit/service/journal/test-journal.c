/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-spy.h"
#include "journal.h"

static void
count_free (gpointer n_freed)
{
  ++*(guint *) n_freed;
}

static GVariant *
make_entry (void)
{
  g_auto (GVariantDict) fields = G_VARIANT_DICT_INIT (NULL);

  tokend_journal_put_text (&fields, "MESSAGE", "a try was lost");
  return g_variant_ref_sink (g_variant_dict_end (&fields));
}

static void
test_composed_entry_is_not_kept (void)
{
  g_autoptr (GVariant) entry = make_entry ();
  guint n_freed = 0;

  /* The same, as it is composed: floating. */
  tokend_journal_variant (
      G_LOG_LEVEL_WARNING,
      g_variant_new_from_data (G_VARIANT_TYPE_VARDICT, g_variant_get_data (entry),
                               g_variant_get_size (entry), TRUE, count_free, &n_freed));
  journal_spy_expect ("a try was lost");
  g_assert_cmpuint (n_freed, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  journal_spy_install ();
  g_test_add_func ("/journal/composed-entry-is-not-kept", test_composed_entry_is_not_kept);
  return g_test_run ();
}
