/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include <glib/gi18n.h>
#include <unistd.h>

#include "json.h"
#include "outcome.h"
#include "report.h"
#include "session.h"
#include "table.h"

static const char *
words_for_state (const char *state)
{
  if (g_str_equal (state, "ready"))
    return _ ("ready");
  if (g_str_equal (state, "loading"))
    return _ ("loading");
  if (g_str_equal (state, "failed"))
    return _ ("failed");
  return state;
}

static void
print_table (GVariant *modules)
{
  const char *const headers[] = { _ ("NAME"), _ ("STATE"),  _ ("PROFILE"),
                                  _ ("PATH"), _ ("REASON"), NULL };
  g_autoptr (TokenctlTable) table = tokenctl_table_new (headers);
  g_autofree char *text = NULL;

  for (gsize i = 0; i < g_variant_n_children (modules); i++) {
    g_autoptr (GVariant) module = g_variant_get_child_value (modules, i);
    const char *state = tokenctl_status_string (module, "state");
    g_autofree char *reason = tokenctl_words_of_service (tokenctl_status_string (module, "reason"));

    tokenctl_table_add (table, tokenctl_status_string (module, "name"), TOKENCTL_EMPHASIS_NONE);
    tokenctl_table_add (table, words_for_state (state),
                        g_str_equal (state, "failed") ? TOKENCTL_EMPHASIS_LOCKED
                                                      : TOKENCTL_EMPHASIS_NONE);
    tokenctl_table_add (table, tokenctl_status_string (module, "profile"), TOKENCTL_EMPHASIS_NONE);
    tokenctl_table_add (table, tokenctl_status_string (module, "path"), TOKENCTL_EMPHASIS_NONE);
    tokenctl_table_add (table, reason, TOKENCTL_EMPHASIS_NONE);
  }

  text = tokenctl_table_to_text (table, tokenctl_colour_wanted (STDOUT_FILENO));
  g_print ("%s", text);
}

static void
print_modules (GVariant *modules, gboolean json)
{
  if (json) {
    tokenctl_json_print (modules, TRUE);
  } else if (g_variant_n_children (modules) > 0) {
    print_table (modules);
  } else {
    g_printerr ("%s\n", _ ("No PKCS#11 module is configured for tokend. The driver of a token "
                           "brings one, with a .module file for p11-kit."));
  }
}

static TokenctlExit
run (const TokenctlCommand *command, int argc, char **argv)
{
  g_autoptr (TokenctlSession) session = NULL;
  g_autoptr (GVariant) modules = NULL;
  g_autoptr (GError) error = NULL;
  g_auto (GStrv) none = NULL;
  gboolean json = FALSE;
  TokenctlExit status;
  const GOptionEntry options[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("Print a JSON array"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  if (!tokenctl_command_parse (command, options, argc, argv, &none, &status))
    return status;
  if ((session = tokenctl_session_open (&error)) == NULL
      || (modules = tokenctl_bus_modules (session->bus, &error)) == NULL)
    return tokenctl_report_error (error);

  print_modules (modules, json);
  return TOKENCTL_EXIT_DONE;
}

const TokenctlCommand tokenctl_command_modules = {
  "modules",
  "",
  N_ ("Show the PKCS#11 modules that tokens are looked for with"),
  run,
};
