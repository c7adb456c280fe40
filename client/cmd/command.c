/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command.h"

#include "config.h"

#include <glib/gi18n.h>

#include "report.h"

/* A label and a serial number. */
#define WORDS_MAX 2

static const TokenctlCommand *const commands[] = {
  &tokenctl_command_status,  &tokenctl_command_unlock,  &tokenctl_command_set_pin,
  &tokenctl_command_modules, &tokenctl_command_monitor,
};

static const char *
exit_status_help (void)
{
  return _ ("Exit status:\n"
            "  0  done\n"
            "  1  another failure\n"
            "  2  wrong usage\n"
            "  3  not authorized\n"
            "  4  no such token\n"
            "  5  wrong code\n"
            "  6  locked\n"
            "  7  refused for safety\n"
            "  8  busy, or timed out\n"
            "  9  the outcome is not known: look at the status");
}

/* Returns no translation of the empty text, which is the catalogue's head. */
static const char *
words_for_parameters (const TokenctlCommand *command)
{
  return *command->parameters != '\0' ? _ (command->parameters) : "";
}

static TokenctlExit
report_usage (const char *problem, const char *program)
{
  g_autofree char *words = g_strdup_printf (_ ("%s\nSee “%s --help”."), problem, program);

  tokenctl_report (words);
  return TOKENCTL_EXIT_USAGE;
}

static gboolean
take_words (const TokenctlCommand *command, int argc, char **argv, char ***words)
{
  int allowed = *command->parameters != '\0' ? WORDS_MAX : 0;

  if (argc - 1 > allowed)
    return FALSE;
  *words = g_strdupv (argv + 1);
  return TRUE;
}

/* Returns: what the help has below the options. */
static char *
description_of (const TokenctlCommand *command)
{
  if (*command->parameters == '\0')
    return g_strdup (exit_status_help ());
  return g_strdup_printf ("%s\n\n%s",
                          _ ("TOKEN is a label, a serial number, or both one after the other, as "
                             "the\nstatus table shows them. It is needed only if there are "
                             "several tokens."),
                          exit_status_help ());
}

/* Removes the "--" before the arguments, if there is one. */
static int
without_dashes (int argc, char **argv)
{
  if (argc > 1 && g_str_equal (argv[1], "--")) {
    for (int i = 1; i < argc; i++)
      argv[i] = argv[i + 1];
    argc--;
  }
  return argc;
}

/**
 * tokenctl_command_parse:
 * @argc: the number of arguments
 * @argv: the arguments, the subcommand's name first
 * @words: (out) (transfer full) (array zero-terminated=1): the arguments besides options; %NULL if
 *   there is nothing to do
 * @status: (out): the exit status if there is nothing more to do
 *
 * Returns: whether to go on
 */
gboolean
tokenctl_command_parse (const TokenctlCommand *command, const GOptionEntry *options, int argc,
                        char **argv, char ***words, TokenctlExit *status)
{
  g_autoptr (GOptionContext) context = g_option_context_new (words_for_parameters (command));
  g_autofree char *program = g_strdup_printf ("tokenctl %s", command->name);
  g_autofree char *description = description_of (command);
  g_autoptr (GError) error = NULL;
  gboolean help = FALSE;
  const GOptionEntry help_option[] = {
    { "help", 'h', 0, G_OPTION_ARG_NONE, &help, N_ ("Show this help and exit"), NULL },
    G_OPTION_ENTRY_NULL,
  };

  g_set_prgname (program);
  g_option_context_set_help_enabled (context, FALSE);
  g_option_context_set_summary (context, _ (command->summary));
  g_option_context_set_description (context, description);
  g_option_context_add_main_entries (context, options, GETTEXT_PACKAGE);
  g_option_context_add_main_entries (context, help_option, GETTEXT_PACKAGE);

  *words = NULL;
  *status = TOKENCTL_EXIT_DONE;
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    *status = report_usage (error->message, program);
    return FALSE;
  }
  if (help) {
    g_autofree char *text = g_option_context_get_help (context, FALSE, NULL);

    g_print ("%s", text);
    return FALSE;
  }
  if (!take_words (command, without_dashes (argc, argv), argv, words)) {
    *status = report_usage (_ ("Too many arguments."), program);
    return FALSE;
  }
  return TRUE;
}

static char *
overview (void)
{
  GString *text = g_string_new (NULL);

  g_string_append (text, _ ("Usage:\n  tokenctl COMMAND [OPTION…]\n\n"
                            "Shows how many tries the PIN and PUK of your e-signature tokens have "
                            "left,\nunlocks a token with its PUK, changes its PIN.\n\n"));
  g_string_append (text, _ ("Commands:\n"));
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    const char *parameters = words_for_parameters (commands[i]);

    g_string_append_printf (text, "  %-8s %s%*s  %s\n", commands[i]->name, parameters,
                            MAX (0, 8 - (int) g_utf8_strlen (parameters, -1)), "",
                            _ (commands[i]->summary));
  }
  g_string_append (text, _ ("\nOptions:\n"
                            "  --help     Show this help, or that of a command, and exit\n"
                            "  --version  Show the version and exit\n\n"));
  g_string_append_printf (text, "%s\n", exit_status_help ());
  return g_string_free (text, FALSE);
}

TokenctlExit
tokenctl_run (int argc, char **argv)
{
  const char *word = argc > 1 ? argv[1] : "";
  g_autofree char *problem = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++) {
    if (g_str_equal (word, commands[i]->name))
      return commands[i]->run (commands[i], argc - 1, argv + 1);
  }

  if (g_str_equal (word, "--help") || g_str_equal (word, "-h")) {
    g_autofree char *text = overview ();

    g_print ("%s", text);
    return TOKENCTL_EXIT_DONE;
  }
  if (g_str_equal (word, "--version")) {
    g_print ("tokenctl %s\n", TOKEND_VERSION);
    return TOKENCTL_EXIT_DONE;
  }

  problem = *word != '\0' ? g_strdup_printf (_ ("Unknown command “%s”."), word)
                          : g_strdup (_ ("A command is missing."));
  return report_usage (problem, "tokenctl");
}
