/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal-spy.h"
#include "module-config.h"
#include "scratch.h"

#define LIBRARIES "/usr/lib/pkcs11"

/* The warnings of this test. */
static GHashTable *told;

/* The modules as "name=path" in their order, with a blank between them. */
static char *
load (const Scratch *scratch)
{
  g_autofree char *admin = scratch_path (scratch, "admin");
  g_autofree char *package = scratch_path (scratch, "package");
  const char *directories[] = { admin, package, NULL };
  g_autoptr (GPtrArray) configs =
      tokend_module_configs_load (directories, LIBRARIES, "tokend", told);
  g_autoptr (GString) list = g_string_new (NULL);

  for (guint i = 0; i < configs->len; i++) {
    const TokendModuleConfig *config = configs->pdata[i];
    g_string_append_printf (list, "%s%s=%s", i > 0 ? " " : "", config->name, config->path);
  }
  return g_strdup (list->str);
}

static void
assert_modules (const Scratch *scratch, const char *expected)
{
  g_autofree char *list = load (scratch);

  g_assert_cmpstr (list, ==, expected);
}

static const struct {
  const char *what;
  const char *content;  /* of package/a.module */
  const char *expected; /* modules */
  const char *warning;  /* or NULL */
} files[] = {
  { "absolute", "module: /opt/a.so\n", "a=/opt/a.so", NULL },
  { "relative", "module: a.so\n", "a=" LIBRARIES "/a.so", NULL },
  { "relative, with a folder", "module: vendor/a.so\n", "a=" LIBRARIES "/vendor/a.so", NULL },
  { "no newline at the end", "module: /a.so", "a=/a.so", NULL },
  { "no blank", "module:/a.so\n", "a=/a.so", NULL },
  { "many blanks", " \t module \t : \t /a b.so \t \n", "a=/a b.so", NULL },
  { "colon in the value", "module: /opt/a:b.so\n", "a=/opt/a:b.so", NULL },
  { "comments and empty lines", "# module: /b.so\n\n  # x\nmodule: /a.so\n\n", "a=/a.so", NULL },
  { "CRLF", "module: /a.so\r\npriority: 3\r\n\r\n", "a=/a.so", NULL },
  { "unknown options", "module: /a.so\nx-vendor: y\nmanaged: no\n", "a=/a.so", NULL },
  { "the last of two stands", "module: /a.so\nmodule: /b.so\n", "a=/b.so", NULL },
  { "UTF-8", "module: /opt/imzalı.so\n", "a=/opt/imzalı.so", NULL },
  { "empty file", "", "", NULL },
  { "no module", "priority: 3\n", "", NULL },
  { "empty module", "module:\n", "", NULL },
  { "remote", "remote: |ssh host p11-kit remote /a.so\n", "", NULL },
  { "names are case-sensitive", "Module: /a.so\n", "", NULL },
  { "bad line", "module: /a.so\nnonsense\n", "", "line 2" },
  { "not UTF-8", "module: /\377.so\n", "", "line 1" },
  { "not UTF-8 in a comment", "# \377\nmodule: /a.so\n", "a=/a.so", NULL },

  { "enabled here", "module: /a.so\nenable-in: tokend\n", "a=/a.so", NULL },
  { "enabled here and there", "module: /a.so\nenable-in: p11-kit, tokend\n", "a=/a.so", NULL },
  { "enabled, by blanks", "module: /a.so\nenable-in: p11-kit tokend\n", "a=/a.so", NULL },
  { "enabled elsewhere", "module: /a.so\nenable-in: p11-kit\n", "", NULL },
  { "enabled nowhere", "module: /a.so\nenable-in:\n", "", NULL },
  { "enabled for one of a like name", "module: /a.so\nenable-in: tokend2 xtokend\n", "", NULL },
  { "disabled here", "module: /a.so\ndisable-in: tokend\n", "", NULL },
  { "disabled here and there", "module: /a.so\ndisable-in: x,tokend,y\n", "", NULL },
  { "disabled elsewhere", "module: /a.so\ndisable-in: firefox\n", "a=/a.so", NULL },
  { "disabled nowhere", "module: /a.so\ndisable-in:\n", "a=/a.so", NULL },
  { "disabled for one of a like name", "module: /a.so\ndisable-in: tokend2\n", "a=/a.so", NULL },
  { "enabled stands above disabled", "module: /a.so\nenable-in: tokend\ndisable-in: tokend\n",
    "a=/a.so", NULL },

  { "the trust store", "module: p11-kit-trust.so\n", "", NULL },
  { "the trust store, absolute", "module: /usr/lib/pkcs11/p11-kit-trust.so\n", "", NULL },
  { "the proxy", "module: /usr/lib/p11-kit-proxy.so\n", "", NULL },
  { "the library itself", "module: /usr/lib/libp11-kit.so.0\n", "", NULL },
  { "one of a like name", "module: p11-kit-client.so\n", "a=" LIBRARIES "/p11-kit-client.so",
    NULL },
  { "p11-kit's name as a folder", "module: /p11-kit-trust.so/a.so\n", "a=/p11-kit-trust.so/a.so",
    NULL },
};

static void
test_file (Scratch *scratch, gconstpointer user_data)
{
  guint i = GPOINTER_TO_UINT (user_data);

  scratch_write (scratch, "package/a.module", files[i].content);
  assert_modules (scratch, files[i].expected);
  if (files[i].warning != NULL)
    journal_spy_expect (files[i].warning);
  journal_spy_expect_nothing ();
}

static void
test_no_folders (Scratch *scratch, gconstpointer user_data)
{
  assert_modules (scratch, "");
  journal_spy_expect_nothing ();
}

/* A bad file takes no other with it. */
static void
test_bad_file_alone (Scratch *scratch, gconstpointer user_data)
{
  g_autofree char *folder = scratch_path (scratch, "package/folder.module");

  scratch_write (scratch, "package/a.module", "module: /a.so\n");
  scratch_write (scratch, "package/b.module", "nonsense\n");
  scratch_write (scratch, "package/c.module", "module: /c.so\n");
  scratch_write (scratch, "package/folder.module/inside", "");
  assert_modules (scratch, "a=/a.so c=/c.so");
  journal_spy_expect ("b.module");
}

static void
test_bad_file_is_told_once (Scratch *scratch, gconstpointer user_data)
{
  scratch_write (scratch, "package/b.module", "nonsense\n");
  assert_modules (scratch, "");
  journal_spy_expect ("b.module");
  assert_modules (scratch, "");
  journal_spy_expect_nothing ();
  scratch_write (scratch, "package/b.module", "\n\nother nonsense\n");
  assert_modules (scratch, "");
  journal_spy_expect ("b.module");
  scratch_write (scratch, "package/b.module", "module: /b.so\n");
  assert_modules (scratch, "b=/b.so");
  scratch_write (scratch, "package/b.module", "\n\nother nonsense\n");
  assert_modules (scratch, "");
  journal_spy_expect ("b.module");
}

static void
test_file_names (Scratch *scratch, gconstpointer user_data)
{
  scratch_write (scratch, "package/good-1_2.x.module", "module: /good.so\n");
  scratch_write (scratch, "package/.hidden.module", "module: /hidden.so\n");
  scratch_write (scratch, "package/.module", "module: /nameless.so\n");
  scratch_write (scratch, "package/_underscore.module", "module: /underscore.so\n");
  scratch_write (scratch, "package/a.module.dpkg-old", "module: /old.so\n");
  scratch_write (scratch, "package/a.module~", "module: /backup.so\n");
  scratch_write (scratch, "package/a.conf", "module: /conf.so\n");
  scratch_write (scratch, "package/module", "module: /plain.so\n");
  assert_modules (scratch, "good-1_2.x=/good.so");
}

static void
test_precedence (Scratch *scratch, gconstpointer user_data)
{
  /* Option by option: what the administrator does not say, the package says. */
  scratch_write (scratch, "package/a.module", "module: /package/a.so\npriority: 9\n");
  scratch_write (scratch, "admin/a.module", "priority: 1\n");
  scratch_write (scratch, "package/b.module", "module: /package/b.so\npriority: 5\n");
  scratch_write (scratch, "admin/b.module", "module: /admin/b.so\n");
  scratch_write (scratch, "package/c.module", "module: /package/c.so\n");
  scratch_write (scratch, "admin/c.module", "disable-in: tokend\n");
  scratch_write (scratch, "package/d.module", "module: /package/d.so\ndisable-in: tokend\n");
  scratch_write (scratch, "admin/d.module", "enable-in: tokend\n");
  scratch_write (scratch, "package/e.module", "module: /package/e.so\n");
  scratch_write (scratch, "admin/e.module", "module:\n");
  scratch_write (scratch, "admin/f.module", "module: /admin/f.so\npriority: 2\n");
  assert_modules (scratch, "b=/admin/b.so f=/admin/f.so a=/package/a.so d=/package/d.so");
}

static void
test_priority (Scratch *scratch, gconstpointer user_data)
{
  scratch_write (scratch, "package/z.module", "module: /z.so\npriority: 10\n");
  scratch_write (scratch, "package/y.module", "module: /y.so\npriority: 9\n");
  scratch_write (scratch, "package/b.module", "module: /b.so\n");
  scratch_write (scratch, "package/a.module", "module: /a.so\npriority: 0\n");
  scratch_write (scratch, "package/c.module", "module: /c.so\npriority: none\n");
  scratch_write (scratch, "package/n.module", "module: /n.so\npriority: -1\n");
  scratch_write (scratch, "package/m.module", "module: /m.so\npriority: 99999999999999999999\n");
  scratch_write (scratch, "package/l.module", "module: /l.so\npriority: -99999999999999999999\n");
  assert_modules (scratch, "m=/m.so z=/z.so y=/y.so a=/a.so b=/b.so c=/c.so n=/n.so l=/l.so");
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  g_test_set_nonfatal_assertions (); /* a row that fails hides no other */
  journal_spy_install ();
  told = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < G_N_ELEMENTS (files); i++) {
    g_autofree char *path = g_strdup_printf ("/module-config/file/%s", files[i].what);
    g_test_add (path, Scratch, GUINT_TO_POINTER (i), scratch_set_up, test_file, scratch_tear_down);
  }
  scratch_add_test ("/module-config/no-folders", test_no_folders);
  scratch_add_test ("/module-config/bad-file-alone", test_bad_file_alone);
  scratch_add_test ("/module-config/told-once", test_bad_file_is_told_once);
  scratch_add_test ("/module-config/file-names", test_file_names);
  scratch_add_test ("/module-config/precedence", test_precedence);
  scratch_add_test ("/module-config/priority", test_priority);
  status = g_test_run ();
  g_hash_table_unref (told);
  return status;
}
