/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "operation.h"

#include <glib/gi18n.h>
#include <signal.h>

#include "ask.h"
#include "choice-words.h"
#include "code-fd.h"
#include "outcome.h"
#include "printable.h"
#include "provider-words.h"
#include "record.h"
#include "refused-code.h"
#include "report.h"
#include "session.h"
#include "tokend-error.h"
#include "words.h"

static const char *const cancelled = N_ ("Cancelled. Nothing was sent to the token.");

/* A request, and what is known once its token is found. */
typedef struct {
  TokenctlRequest *request;
  TokenctlSession *session;
  TokenctlToken *token;
  char *token_argument;
  gboolean is_named;      /* for certain, see tokenctl_is_named() */
  gboolean is_by_start;   /* only the start of its name was given */
  gboolean is_by_another; /* its name is another view's, not the one that was given */
  gboolean has_other_pin; /* on the same card */
  TokenctlTries tries;
  TokendProvider *provider;      /* or NULL */
  TokenctlOpenOperation *opened; /* or NULL */
  TokenctlCode *code;            /* or NULL */
  TokenctlCode *new_pin;
} Target;

static gboolean
is_interactive (const TokenctlRequest *request)
{
  return request->code_fd == TOKENCTL_FD_NOT_GIVEN || request->new_pin_fd == TOKENCTL_FD_NOT_GIVEN;
}

/* Tells whether a code is given, so that nobody is asked which token is meant. */
static gboolean
has_descriptor (const TokenctlRequest *request)
{
  return request->code_fd != TOKENCTL_FD_NOT_GIVEN || request->new_pin_fd != TOKENCTL_FD_NOT_GIVEN;
}

static gboolean
claim_descriptors (TokenctlRequest *request, GError **error)
{
  const char *const options[] = { request->code_option, TOKENCTL_NEW_PIN_OPTION };
  int *const fds[] = { &request->code_fd, &request->new_pin_fd };

  if (!is_interactive (request) && request->code_fd == request->new_pin_fd) {
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE,
                 _ ("%s and %s must name two different file descriptors."), request->code_option,
                 TOKENCTL_NEW_PIN_OPTION);
    return FALSE;
  }
  return tokenctl_claim_fds (options, fds, G_N_ELEMENTS (options), error);
}

static gboolean
check_who_can_be_asked (const TokenctlRequest *request, TokenctlSession *session, GError **error)
{
  if (!is_interactive (request) || session->terminal != NULL)
    return TRUE;
  g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_USAGE,
               _ ("There is no terminal to ask for the codes on. Give them with %s and %s."),
               request->code_option, TOKENCTL_NEW_PIN_OPTION);
  return FALSE;
}

static gboolean
find_token (Target *target, GError **error)
{
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func ((GDestroyNotify) g_error_free);
  g_autoptr (GError) doubt = NULL;
  g_autoptr (GPtrArray) tokens = tokenctl_bus_tokens_to_operate (
      target->session->bus, &target->request->wanted, problems, &doubt, error);
  g_autoptr (TokenctlChoice) choice = NULL;
  TokenctlToken *picked;

  if (tokens == NULL)
    return FALSE;
  choice = tokenctl_match (tokens, &target->request->wanted, problems, error);
  if (choice == NULL)
    return FALSE;
  if (doubt != NULL) {
    g_propagate_error (error, g_steal_pointer (&doubt));
    return FALSE;
  }

  picked = tokenctl_tokens_pick (choice->tokens, tokens, target->request->role);
  target->token = tokenctl_token_new (picked->path, picked->status);
  target->token_argument = tokenctl_argument_of (tokens, picked);
  target->is_named = tokenctl_is_named (tokens, &target->request->wanted);
  target->is_by_start = choice->found == TOKENCTL_FOUND_BY_START;
  target->is_by_another = !g_ptr_array_find (choice->tokens, picked, NULL);
  target->has_other_pin = tokenctl_tokens_have_other_pin (tokens, picked);
  target->tries = tokenctl_status_tries (picked->status, target->request->role);
  target->provider =
      tokenctl_provider (tokenctl_status_string (picked->status, TOKEND_STATUS_PROVIDER));
  return TRUE;
}

/* Explains why the token cannot be unlocked. The status tells only of a code that is not set: there
 * may be no profile, or one without a method. */
static void
set_cannot_unlock (Target *target, GError **error)
{
  GVariant *status = target->token->status;
  g_autofree char *module =
      tokenctl_printable (tokenctl_status_string (status, TOKEND_STATUS_MODULE));
  g_autofree char *pin_step = tokenctl_next_step (status, TOKEND_ROLE_PIN, target->token_argument);
  g_autofree char *no_puk = tokenctl_name_puk (
      target->tries.puk_words, _ ("The token has no PUK to be unlocked with. Nothing was sent; no "
                                  "try was spent."));

  if (tokenctl_status_tries (status, TOKEND_ROLE_PIN).state == TOKEND_STATE_UNINITIALIZED)
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_FAILED,
                 _ ("%s\nNothing was sent; no try was spent."), pin_step);
  else if (target->tries.state == TOKEND_STATE_UNINITIALIZED)
    g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_FAILED, no_puk);
  else
    g_set_error (
        error, TOKENCTL_ERROR, TOKENCTL_EXIT_FAILED,
        _ ("tokend does not know how to unlock this token with the module “%s”. Nothing was sent; "
           "no try was spent. “tokenctl status --verbose” shows what it knows."),
        module);
}

/* Checks what can be known before a code is asked for, so that nobody types one in vain. */
static gboolean
check_that_it_can_be_done (Target *target, GError **error)
{
  GVariant *status = target->token->status;
  g_autofree char *next =
      tokenctl_next_step (status, target->request->role, target->token_argument);
  g_autofree char *more =
      tokenctl_words_for_provider (target->provider, status, target->request->role);
  g_autofree char *puk =
      tokenctl_words_for_puk_beside (target->provider, status, target->request->role);
  g_autoptr (GString) advice = NULL;

  if (tokenctl_status_is (status, TOKEND_STATUS_CAN_SET_PIN, FALSE)) {
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_FAILED,
                 _ ("tokend cannot send codes to this token. %s. Nothing was sent; no try was "
                    "spent."),
                 tokenctl_words_for_unsupported (status));
    return FALSE;
  }
  if (target->request->role == TOKEND_ROLE_PUK
      && tokenctl_status_is (status, TOKEND_STATUS_CAN_UNLOCK, FALSE)) {
    set_cannot_unlock (target, error);
    return FALSE;
  }

  switch (tokenctl_decide (&target->tries)) {
  case TOKENCTL_DECISION_LOCKED:
    advice = g_string_new (next);
    if (more != NULL)
      g_string_append_printf (advice, "\n%s", more);
    if (puk != NULL)
      g_string_append_printf (advice, "\n%s", puk);
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_LOCKED, _ ("%s\nNo try was spent."),
                 advice->str);
    return FALSE;
  case TOKENCTL_DECISION_NOT_SET:
    g_set_error_literal (error, TOKENCTL_ERROR, TOKENCTL_EXIT_FAILED,
                         next != NULL ? next : _ ("This token has no such code yet."));
    return FALSE;
  case TOKENCTL_DECISION_GO:
  case TOKENCTL_DECISION_FINAL_WORD:
  default:
    return TRUE;
  }
}

/* Tells which of the card's codes is wanted, since a wrong one costs a try. */
static void
explain_which (Target *target, const char *name)
{
  g_autofree char *text = NULL;
  g_autofree char *words = NULL;

  if (!target->has_other_pin)
    return;
  text =
      g_strdup_printf (target->request->role == TOKEND_ROLE_PUK
                           ? _ ("This card has several PINs. This is about the one of “%s” alone; "
                                "if each has a PUK of its own, take the PUK of this one.")
                           : _ ("This card has several PINs. This is about the one of “%s” alone."),
                       TOKENCTL_VALUE);
  words = tokenctl_name_puk_beside (target->tries.puk_words, text, name);
  tokenctl_terminal_say (target->session->terminal, words);
}

/* Tells whether the words for the tries do not say how many are left. */
static gboolean
is_number_missing (const TokenctlTries *tries)
{
  return !tries->remaining_known && tries->minimum == 0 && !tries->never_locks
         && tries->state != TOKEND_STATE_LOCKED && tries->state != TOKEND_STATE_FINAL_TRY;
}

/* Shows what the person decides on: the token, what is left, what can be lost, how to get the PUK.
 */
static void
explain (Target *target)
{
  TokenctlTerminal *terminal = target->session->terminal;
  GVariant *status = target->token->status;
  g_autofree char *name = tokenctl_token_name (target->token);
  g_autofree char *left = tokenctl_words_for_tries (&target->tries, target->request->role);
  gboolean puk = target->request->role == TOKEND_ROLE_PUK;
  g_autofree char *loss = puk ? tokenctl_words_for_puk_loss (target->provider, &target->tries)
                              : tokenctl_words_for_pin_loss (status);
  g_autofree char *source = tokenctl_words_for_puk_source (target->provider, &target->tries);
  g_autofree char *serial =
      tokenctl_printable (tokenctl_status_string (status, TOKEND_STATUS_SERIAL));
  g_autofree char *first = g_strdup_printf (_ ("Token: %s, serial %s"), name, serial);
  g_autofree char *role = tokenctl_words_for_code (&target->tries, target->request->role);
  g_autofree char *second = g_strdup_printf (_ ("%s: %s."), role, left);
  g_autofree char *record = tokenctl_words_for_record (status, target->request->role);
  g_autofree char *unknown =
      g_strdup_printf (_ ("%s: how many tries are left is not known."), role);

  tokenctl_terminal_say (terminal, first);
  explain_which (target, name);
  if (target->tries.state != TOKEND_STATE_UNKNOWN)
    tokenctl_terminal_say (terminal, second);
  if (is_number_missing (&target->tries))
    tokenctl_terminal_say (terminal, unknown);
  if (record != NULL)
    tokenctl_terminal_say (terminal, record);
  tokenctl_terminal_say (terminal, loss);
  if (puk && source != NULL)
    tokenctl_terminal_say (terminal, source);
}

/* Refuses a script that names one view and would send its code to another. */
static gboolean
confirm_another (Target *target, GError **error)
{
  g_autofree char *words = tokenctl_words_for_another (target->token, &target->request->wanted);
  g_autofree char *question = NULL;

  if (has_descriptor (target->request)) {
    g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
                 _ ("%s Nothing was sent; no try was spent. If you mean that one, name it: %s"),
                 words, target->token_argument);
    return FALSE;
  }
  question = g_strdup_printf (_ ("%s Is that the token that you mean?"), words);
  return tokenctl_ask_yes (target->session->terminal, question, error);
}

/* Returns: (nullable): why the token may not be the one that is meant. */
static char *
describe_doubt (Target *target, GError **error)
{
  g_autofree char *failed = NULL;
  g_autofree char *start = NULL;
  g_autoptr (GString) doubt = g_string_new (NULL);

  if (target->is_named || has_descriptor (target->request))
    return NULL;
  failed = tokenctl_bus_find_failed_module (target->session->bus, error);
  if (failed != NULL)
    g_string_append_printf (
        doubt, _ ("The module “%s” has failed, and a token that only it would show is not seen. "),
        failed);
  if (target->is_by_start) {
    start = tokenctl_printable (target->request->wanted.words[0]);
    g_string_append_printf (doubt, _ ("“%s” is only the start of its name. "), start);
  }
  return doubt->len > 0 ? g_string_free (g_steal_pointer (&doubt), FALSE) : NULL;
}

/* Returns: whether the token is the one that is meant, if its name leaves a doubt. */
static gboolean
confirm_token (Target *target, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *doubt = NULL;
  g_autofree char *question = NULL;

  if (target->is_by_another)
    return confirm_another (target, error);
  doubt = describe_doubt (target, &failure);
  if (failure != NULL) {
    g_propagate_error (error, g_steal_pointer (&failure));
    return FALSE;
  }
  if (doubt == NULL)
    return TRUE;
  question = g_strdup_printf (_ ("%sIs this the token that you mean?"), doubt);
  return tokenctl_ask_yes (target->session->terminal, question, error);
}

static gboolean
get_final_word (Target *target, GError **error)
{
  g_autofree char *code = NULL;
  g_autofree char *left = NULL;

  if (tokenctl_decide (&target->tries) != TOKENCTL_DECISION_FINAL_WORD
      || target->request->final_attempt)
    return TRUE;

  if (is_interactive (target->request)) {
    target->request->final_attempt =
        tokenctl_ask_final_word (target->session->terminal, target->token->status, error);
    return target->request->final_attempt;
  }

  code = tokenctl_words_for_code (&target->tries, target->request->role);
  left = tokenctl_words_for_tries (&target->tries, target->request->role);
  g_set_error (error, TOKENCTL_ERROR, TOKENCTL_EXIT_REFUSED,
               _ ("This may be the last try (%s: %s). Nothing was sent; no try was spent. If you "
                  "are sure of the code: --final-attempt"),
               code, left);
  return FALSE;
}

static gboolean
read_new_pin (Target *target, GError **error)
{
  /* Asks nobody and spends nothing. */
  g_autoptr (TokenctlCode) pin = tokenctl_code_from_fd (
      TOKENCTL_NEW_PIN_OPTION, target->request->new_pin_fd, NULL, TOKEND_CODE_ASK, error);
  const TokenctlNewPin wanted = { target->token->status, target->request->role, target->code };
  g_autoptr (GError) problem = NULL;

  if (pin == NULL)
    return FALSE;
  if (!tokenctl_check_new_pin (pin, &wanted, &problem)) {
    g_set_error (error, TOKENCTL_ERROR, problem->code, _ ("%s Nothing was sent; no try was spent."),
                 problem->message);
    return FALSE;
  }
  target->new_pin = g_steal_pointer (&pin);
  return TRUE;
}

/* Reads the codes that come by descriptors. */
static gboolean
read_codes (Target *target, GError **error)
{
  TokenctlRequest *request = target->request;
  const TokendCodeRules rules = tokenctl_status_code_rules (target->token->status, request->role);

  if (request->code_fd != TOKENCTL_FD_NOT_GIVEN) {
    target->code = tokenctl_code_from_fd (
        request->code_option, request->code_fd, &rules,
        request->send_unusual_code ? TOKEND_CODE_REFUSE : TOKEND_CODE_SEND, error);
    if (target->code == NULL)
      return FALSE;
  }
  return request->new_pin_fd == TOKENCTL_FD_NOT_GIVEN || read_new_pin (target, error);
}

/* Asks for the codes that are still missing. */
static gboolean
ask_for_codes (Target *target, GError **error)
{
  TokenctlTerminal *terminal = target->session->terminal;
  const TokendRole role = target->request->role;
  const TokendCodeRules rules = tokenctl_status_code_rules (target->token->status, role);
  g_autofree char *prompt = role == TOKEND_ROLE_PIN
                                ? g_strdup (_ ("Present PIN: "))
                                : tokenctl_name_puk (target->tries.puk_words, _ ("PUK: "));

  if (target->code == NULL)
    target->code = tokenctl_ask_present_code (terminal, prompt, &rules,
                                              target->request->send_unusual_code, error);
  if (target->code != NULL && target->new_pin == NULL) {
    const TokenctlNewPin wanted = { target->token->status, role, target->code };

    target->new_pin = tokenctl_ask_new_pin (terminal, &wanted, error);
  }
  return target->code != NULL && target->new_pin != NULL;
}

/* @is_opening: whether to leave out the options of the codes. */
static GVariant *
make_options (Target *target, gboolean is_opening)
{
  GVariantDict options;

  g_variant_dict_init (&options, NULL);
  if (target->tries.remaining_known)
    g_variant_dict_insert (&options, TOKEND_OPTION_EXPECTED_RETRIES, "u", target->tries.remaining);
  if (!is_opening && target->request->final_attempt)
    g_variant_dict_insert (&options, TOKEND_OPTION_FINAL_ATTEMPT, "b", TRUE);
  if (!is_opening && target->request->send_refused_code)
    g_variant_dict_insert (&options, TOKEND_OPTION_SEND_REFUSED_CODE, "b", TRUE);
  if (!is_opening && target->request->send_unusual_code)
    g_variant_dict_insert (&options, TOKEND_OPTION_SEND_UNUSUAL_CODE, "b", TRUE);
  return g_variant_ref_sink (g_variant_dict_end (&options));
}

/* Sets what the person is told at Ctrl-C. */
static void
set_last_words (TokenctlSession *session, const char *words)
{
  if (session->terminal != NULL)
    tokenctl_terminal_set_last_words (session->terminal, words);
}

static TokenctlExit
report_failure (Target *target, const GError *error)
{
  const gboolean nothing_sent = target->opened == NULL;
  TokenctlExplanation explanation = tokenctl_explain_error (error, !nothing_sent);
  gboolean ask_again = explanation.cost != TOKENCTL_COST_NONE
                       || explanation.exit == TOKENCTL_EXIT_LOCKED
                       || explanation.exit == TOKENCTL_EXIT_REFUSED;
  g_autoptr (GVariant) after =
      ask_again ? tokenctl_bus_refresh (target->session->bus, target->token->path, NULL) : NULL;
  TokenctlOutcome outcome = { .error = error,
                              .nothing_sent = nothing_sent,
                              .role = target->request->role,
                              .token_argument = target->token_argument,
                              .before = target->token->status,
                              .after = after,
                              .provider = target->provider,
                              .has_other_pin = target->has_other_pin };
  g_autofree char *words = tokenctl_words_for_outcome (&outcome);

  tokenctl_report (words);
  return explanation.exit;
}

/* Ends the program as Ctrl-C does everywhere else. */
static void
die_cancelled (Target *target)
{
  set_last_words (target->session, _ (cancelled));
  raise (SIGINT);
}

/* Hands the codes over, and has them sent. From here Ctrl-C does not say any more that nothing was
 * sent. Returns: (nullable): the status after it. */
static GVariant *
spend (Target *target, GError **error)
{
  g_autoptr (GVariant) options = make_options (target, FALSE);
  gboolean is_cancelled = FALSE;
  GVariant *after;

  if (!tokenctl_open_operation_write (target->opened, target->code, target->new_pin, error))
    return NULL;
  set_last_words (target->session,
                  _ ("Interrupted. If the code was sent already, the operation is completed, and "
                     "the new PIN may be set: “tokenctl status” shows the tries that are left."));
  after = tokenctl_open_operation_finish (target->opened, options, target->session->terminal,
                                          &is_cancelled, error);
  if (is_cancelled)
    die_cancelled (target);
  return after;
}

static gboolean
is_refused_code (Target *target, const GError *error)
{
  return is_interactive (target->request) && !target->request->send_refused_code
         && g_error_matches (error, TOKEND_ERROR, TOKEND_ERROR_ALREADY_REFUSED);
}

/* Returns: whether the person wants to send a code that the token has refused before. */
static gboolean
ask_refused_code (Target *target, const GError *refusal, GError **error)
{
  target->request->send_refused_code =
      tokenctl_ask_refused_code (target->session->terminal, refusal, target->request->role,
                                 &target->tries, target->has_other_pin, error);
  return target->request->send_refused_code
         && tokenctl_open_operation_again (target->opened, error);
}

static TokenctlExit
send_codes (Target *target)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) no = NULL;
  g_autoptr (GVariant) after = NULL;
  g_autofree char *words = NULL;

  if (!ask_for_codes (target, &error))
    return tokenctl_report_error (error);
  after = spend (target, &error);
  if (is_refused_code (target, error)) {
    set_last_words (target->session, _ (cancelled));
    if (!ask_refused_code (target, error, &no))
      return tokenctl_report_error (no);
    g_clear_error (&error);
    after = spend (target, &error);
  }
  if (after == NULL)
    return report_failure (target, error);
  words = tokenctl_words_for_success (after, target->token_argument);
  g_printerr ("%s\n", words);
  return TOKENCTL_EXIT_DONE;
}

/* Asks polkit and the token before a person types a code. */
static TokenctlExit
operate_on (Target *target)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) options = NULL;

  if (!check_that_it_can_be_done (target, &error))
    return tokenctl_report_error (error);
  if (is_interactive (target->request))
    explain (target);
  if (!confirm_token (target, &error) || !get_final_word (target, &error)
      || !read_codes (target, &error))
    return tokenctl_report_error (error);

  options = make_options (target, TRUE);
  target->opened = tokenctl_bus_open_operation (target->session->bus, target->token->path,
                                                target->request->role, options, &error);
  return target->opened != NULL ? send_codes (target) : report_failure (target, error);
}

static void
target_clear (Target *target)
{
  g_clear_pointer (&target->opened, tokenctl_open_operation_free);
  g_clear_pointer (&target->code, tokenctl_code_free);
  g_clear_pointer (&target->new_pin, tokenctl_code_free);
  g_clear_pointer (&target->token, tokenctl_token_free);
  g_clear_pointer (&target->provider, tokend_provider_free);
  g_clear_pointer (&target->token_argument, g_free);
}

/**
 * tokenctl_operation_run:
 * @request: what to do
 *
 * Runs `unlock` or `set-pin`. It finds the token, checks what can be known, lets the person decide,
 * has the operation opened, gets the codes, has them sent, and tells the outcome. Spends one try at
 * most.
 *
 * Returns: the exit status
 */
TokenctlExit
tokenctl_operation_run (TokenctlRequest *request)
{
  g_autoptr (TokenctlSession) session = NULL;
  g_autoptr (GError) error = NULL;
  Target target = { request };
  TokenctlExit status;

  if (!claim_descriptors (request, &error) || (session = tokenctl_session_open (&error)) == NULL
      || !check_who_can_be_asked (request, session, &error))
    return tokenctl_report_error (error);

  target.session = session;
  request->wanted.may_be_start = !has_descriptor (request);
  set_last_words (session, _ (cancelled));
  if (!find_token (&target, &error))
    return tokenctl_report_error (error);

  status = operate_on (&target);
  target_clear (&target);
  return status;
}
