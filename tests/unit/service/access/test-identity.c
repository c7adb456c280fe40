/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Who calls. The bus, what it knows of a caller, and logind are played here: the linker puts them
 * in the place of GIO's, see meson.build. */
#include "callers.h"

/* A linker's names, which no header has. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"

#define S1 ((char *) "1")
#define S2 ((char *) "2")

#define ACTIVE TOKEND_PRESENCE_ACTIVE
#define NONE TOKEND_PRESENCE_NONE
#define UNKNOWN TOKEND_PRESENCE_UNKNOWN

static const struct {
  const char *what;
  TokendIdentity then, now;
  gboolean has_lapsed;
} rows[] = {
  { "active still", { .desktop = S1, .presence = ACTIVE }, { .desktop = S1, .presence = ACTIVE } },
  { "not active any more",
    { .desktop = S1, .presence = ACTIVE },
    { .desktop = S1, .presence = NONE },
    TRUE },
  { "another session",
    { .desktop = S1, .presence = ACTIVE },
    { .desktop = S2, .presence = ACTIVE },
    TRUE },
  { "not known any more", { .desktop = S1, .presence = ACTIVE }, { 0 }, TRUE },
  { "never active", { .desktop = S1, .presence = NONE }, { .desktop = S1, .presence = NONE } },
  { "active only now", { .desktop = S1, .presence = NONE }, { .desktop = S1, .presence = ACTIVE } },
  { "in no session", { .presence = NONE }, { .presence = NONE } },
  { "in no session, as far as was known", { .presence = NONE }, { 0 } },
  { "never known", { 0 }, { 0 }, TRUE },
  { "known only now, and active", { 0 }, { .desktop = S1, .presence = ACTIVE } },
  { "known only now, and not active", { 0 }, { .desktop = S1, .presence = NONE }, TRUE },
};

static void
test_lapsed (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++) {
    g_test_message ("%s", rows[i].what);
    g_assert_cmpint (tokend_identity_has_lapsed (&rows[i].then, &rows[i].now), ==,
                     rows[i].has_lapsed);
  }
}

static const struct {
  TokendPresence at_call, after_prompt, counts;
} looks[] = {
  { ACTIVE, ACTIVE, ACTIVE },  { ACTIVE, NONE, ACTIVE },   { ACTIVE, UNKNOWN, ACTIVE },
  { NONE, ACTIVE, ACTIVE },    { NONE, NONE, NONE },       { NONE, UNKNOWN, UNKNOWN },
  { UNKNOWN, ACTIVE, ACTIVE }, { UNKNOWN, NONE, UNKNOWN }, { UNKNOWN, UNKNOWN, UNKNOWN },
};

static void
test_looked_again (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (looks); i++) {
    TokendIdentity self = { .desktop = g_strdup (S1), .presence = looks[i].at_call };
    const TokendIdentity later = { .desktop = S2, .presence = looks[i].after_prompt };

    g_test_message ("%d, then %d", (int) looks[i].at_call, (int) looks[i].after_prompt);
    tokend_identity_look_again (&self, &later);
    g_assert_cmpint (self.presence, ==, looks[i].counts);
    if (looks[i].counts == ACTIVE)
      g_assert_cmpstr (self.desktop, ==, looks[i].at_call == ACTIVE ? S1 : S2);
    tokend_identity_clear (&self);
  }
}

typedef struct {
  const char *question;
  const char
      *answer; /* the reply as text, "!" and an error's name, or "": the bus itself is lost */
} Talk;

/* What is asked, one after the other, and which question is answered now. */
static const Talk *talk;
static guint n_asked;
static GAsyncReadyCallback answered;
static gpointer answered_data;
static GVariantType *answer_type;

void
__wrap_g_dbus_connection_call (GDBusConnection *bus, const char *name, const char *path,
                               const char *interface, const char *method, GVariant *arguments,
                               const GVariantType *type, GDBusCallFlags flags, int timeout,
                               GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  g_autofree char *words = g_variant_print (g_variant_ref_sink (arguments), FALSE);
  g_autofree char *question =
      g_strdup_printf ("%s %s %s.%s %s", name, path, interface, method, words);

  g_variant_unref (arguments);
  g_assert_cmpstr (question, ==, talk[n_asked++].question);
  g_assert_cmpint (flags, ==, G_DBUS_CALL_FLAGS_NO_AUTO_START);
  g_assert_cmpint (timeout, ==, 2000);
  g_assert_null (answered);
  answered = callback;
  answered_data = user_data;
  answer_type = g_variant_type_copy (type);
}

GVariant *
__wrap_g_dbus_connection_call_finish (GDBusConnection *bus, GAsyncResult *result, GError **error)
{
  const char *answer = talk[n_asked - 1].answer;
  g_autoptr (GVariantType) type = g_steal_pointer (&answer_type);
  g_autoptr (GError) problem = NULL;
  GVariant *reply;

  if (*answer == '(') {
    reply = g_variant_parse (type, answer, NULL, NULL, &problem);
    g_assert_no_error (problem);
    return g_variant_ref_sink (reply);
  }
  if (*answer == '!')
    problem = g_dbus_error_new_for_dbus_error (answer + 1, "no");
  else
    problem = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CLOSED, "the bus is lost");
  g_propagate_error (error, g_steal_pointer (&problem));
  return NULL;
}

/* The bus has answered before, whatever it said. */
void
__wrap_tokend_caller_ask_credentials (TokendCaller *caller, TokendCallerFunc func,
                                      gpointer user_data)
{
  func (caller, user_data);
}

static void
on_looked_up (GObject *source, GAsyncResult *result, gpointer is_over)
{
  g_assert_true (g_task_propagate_boolean (G_TASK (result), NULL));
  *(gboolean *) is_over = TRUE;
}

/* Looks up who that is, and answers whatever is asked. */
static void
look_up (TokendIdentity *identity, TokendCaller *caller, const Talk *said)
{
  gboolean is_over = FALSE;

  talk = said;
  n_asked = 0;
  tokend_identity_look_up (identity, NULL, caller, on_looked_up, &is_over);
  while (!is_over)
    if (answered != NULL) {
      GAsyncReadyCallback callback = g_steal_pointer (&answered);

      callback (NULL, NULL, answered_data);
    } else
      g_main_context_iteration (NULL, TRUE);
  g_assert_null (answered);
  g_assert_null (talk[n_asked].question);
}

#define LOGIND "org.freedesktop.login1"
#define MANAGER LOGIND " /org/freedesktop/login1 " LOGIND ".Manager"
#define ALL_OF(path, interface)                                                                    \
  LOGIND " " path " org.freedesktop.DBus.Properties.GetAll ('" LOGIND "." interface "',)"

#define WHICH_SESSION MANAGER ".GetSessionByPID (42,)"
#define WHICH_USER MANAGER ".GetUser (1000,)"
#define SESSION_OF(user, rest) "({'User': <(uint32 " user ", objectpath '/u')>" rest "},)"

#define IN_SESSION                                                                                 \
  {                                                                                                \
    WHICH_SESSION, "('/s',)"                                                                       \
  }
#define IN_NONE                                                                                    \
  {                                                                                                \
    WHICH_SESSION, "!" LOGIND ".NoSessionForPID"                                                   \
  }
#define OF_USER                                                                                    \
  {                                                                                                \
    WHICH_USER, "('/u',)"                                                                          \
  }
#define WITH_DISPLAY                                                                               \
  {                                                                                                \
    ALL_OF ("/u", "User"), "({'Display': <('c1', objectpath '/d')>},)"                             \
  }

static const struct {
  const char *what;
  Talk talk[7];
  gboolean is_nobody, is_of_nobody; /* the process, or its user, is not known */
  TokendPresence presence;
  const char *session, *desktop;
} answers[] = {
  { "an active session",
    { IN_SESSION,
      { ALL_OF ("/s", "Session"), SESSION_OF ("1000", ", 'Id': <'3'>, 'Active': <true>") } },
    .presence = ACTIVE,
    .session = "3",
    .desktop = "3" },
  { "one that is not in front",
    { IN_SESSION,
      { ALL_OF ("/s", "Session"), SESSION_OF ("1000", ", 'Id': <'3'>, 'Active': <false>") } },
    .presence = NONE,
    .session = "3",
    .desktop = "3" },
  { "one that does not say whether it is",
    { IN_SESSION, { ALL_OF ("/s", "Session"), SESSION_OF ("1000", ", 'Id': <'3'>") } },
    .session = "3",
    .desktop = "3" },
  { "one of another user, whose process had that number",
    { IN_SESSION,
      { ALL_OF ("/s", "Session"), SESSION_OF ("1001", ", 'Id': <'3'>, 'Active': <true>") } },
    .presence = NONE },
  { "one of nobody",
    { IN_SESSION, { ALL_OF ("/s", "Session"), "({'Id': <'3'>, 'Active': <true>},)" } } },
  { "one that has ended",
    { IN_SESSION, { ALL_OF ("/s", "Session"), "!org.freedesktop.DBus.Error.UnknownObject" } } },
  { "in none, but with a desktop",
    { IN_NONE,
      OF_USER,
      WITH_DISPLAY,
      { ALL_OF ("/d", "Session"), SESSION_OF ("1000", ", 'Id': <'c1'>, 'Active': <true>") } },
    .presence = ACTIVE,
    .desktop = "c1" },
  { "in none, with a desktop that is not in front",
    { IN_NONE,
      OF_USER,
      WITH_DISPLAY,
      { ALL_OF ("/d", "Session"), SESSION_OF ("1000", ", 'Id': <'c1'>, 'Active': <false>") } },
    .presence = NONE,
    .desktop = "c1" },
  { "in none, with a desktop that has gone",
    { IN_NONE, OF_USER, WITH_DISPLAY, { ALL_OF ("/d", "Session"), "" } } },
  { "in none, without a desktop",
    { IN_NONE, OF_USER, { ALL_OF ("/u", "User"), "({'Display': <('', objectpath '/')>},)" } },
    .presence = NONE },
  { "in none, with who knows what desktop",
    { IN_NONE, OF_USER, { ALL_OF ("/u", "User"), "({'Name': <'alice'>},)" } } },
  { "in none, of a user who has left",
    { IN_NONE, OF_USER, { ALL_OF ("/u", "User"), "!org.freedesktop.DBus.Error.UnknownObject" } } },
  { "in none, of a user who has none",
    { IN_NONE, { WHICH_USER, "!" LOGIND ".NoSuchUser" } },
    .presence = NONE },
  { "in none, of a user whom logind says nothing of",
    { IN_NONE, { WHICH_USER, "!org.freedesktop.DBus.Error.NoReply" } } },
  { "logind is not there",
    { { WHICH_SESSION, "!org.freedesktop.DBus.Error.ServiceUnknown" } },
    .presence = NONE },
  { "logind has left",
    { { WHICH_SESSION, "!org.freedesktop.DBus.Error.NameHasNoOwner" } },
    .presence = NONE },
  { "logind does not answer", { { WHICH_SESSION, "!org.freedesktop.DBus.Error.NoReply" } } },
  { "another than logind answers", { { WHICH_SESSION, "!" LOGIND "2.NoSessionForPID" } } },
  { "the bus is lost", { { WHICH_SESSION, "" } } },
  { "no process", { { NULL } }, .is_nobody = TRUE },
  { "no user", { { NULL } }, .is_of_nobody = TRUE },
};

static void
test_looked_up (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (answers); i++) {
    TokendCaller caller = { .is_known = !answers[i].is_of_nobody,
                            .uid = 1000,
                            .pid = answers[i].is_nobody ? 0 : 42 };
    TokendIdentity identity = { 0 };

    g_test_message ("%s", answers[i].what);
    look_up (&identity, &caller, answers[i].talk);
    g_assert_cmpint (identity.known, ==, !answers[i].is_nobody && !answers[i].is_of_nobody);
    if (identity.known) {
      g_assert_cmpuint (identity.uid, ==, 1000);
      g_assert_cmpuint (identity.pid, ==, 42);
    }
    g_assert_cmpint (identity.presence, ==, answers[i].presence);
    g_assert_cmpstr (identity.session, ==, answers[i].session);
    g_assert_cmpstr (identity.desktop, ==, answers[i].desktop);

    tokend_identity_clear (&identity);
    g_assert_false (identity.known);
    g_assert_cmpint (identity.presence, ==, UNKNOWN);
    g_assert_null (identity.session);
    g_assert_null (identity.desktop);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/identity/looked-up", test_looked_up);
  g_test_add_func ("/identity/lapsed", test_lapsed);
  g_test_add_func ("/identity/looked-again", test_looked_again);
  return g_test_run ();
}
