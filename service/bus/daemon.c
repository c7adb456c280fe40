/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "daemon.h"

#include "audit.h"
#include "call.h"
#include "config.h"
#include "dispatch.h"
#include "gate.h"
#include "idle.h"
#include "journal.h"
#include "large-messages.h"
#include "module-files.h"
#include "tracker.h"
#include "open-operations.h"
#include "refusal-limit.h"
#include "relate.h"
#include "service.h"
#include "token-object.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <sys/file.h>
#include <unistd.h>

/* How long the service waits for the modules before it owns the name. */
#define NAME_DELAY_MAX_MS 1500
#define STOP_POLL_MS 100
/* How long a stopping service waits for callers that have not sent a code. */
#define STOP_PATIENCE (3 * G_TIME_SPAN_SECOND)
/* How long a leaving service serves those who called before. A prompt may take ten minutes, and
 * nobody can have the service started again meanwhile. */
#define LEAVE_PATIENCE (5 * G_TIME_SPAN_SECOND)

struct _TokendDaemon {
  GObject parent_instance;

  TokendService service;
  TokendDispatch dispatch;
  TokendModuleFiles *files;
  TokendIdle *idle; /* NULL: it does not leave */
  GMainLoop *loop;
  int state_lock;
  GError *error; /* why it ended, unless it was asked to */
  guint n_loading;
  guint name_delay;
  guint name;
  guint stop;
  gint64 patient_until; /* monotonic, microseconds */
  gboolean is_ending;   /* the name must not be owned again */
};

G_DEFINE_FINAL_TYPE (TokendDaemon, tokend_daemon, G_TYPE_OBJECT)

static void
tokend_daemon_init (TokendDaemon *self)
{
  self->loop = g_main_loop_new (NULL, FALSE);
}

static void
tokend_daemon_finalize (GObject *object)
{
  TokendDaemon *self = TOKEND_DAEMON (object);
  TokendService *service = &self->service;

  g_clear_handle_id (&self->name_delay, g_source_remove);
  g_clear_handle_id (&self->stop, g_source_remove);
  g_clear_handle_id (&self->name, g_bus_unown_name);
  g_clear_object (&self->idle);
  tokend_dispatch_unregister (&self->dispatch, service);
  g_object_run_dispose (G_OBJECT (service->callers));
  g_ptr_array_unref (service->modules);
  g_object_unref (service->objects);
  g_object_unref (service->gate);
  g_object_run_dispose (G_OBJECT (service->audit));
  g_object_unref (service->audit);
  g_object_unref (service->ledger);
  g_object_unref (service->refused);
  tokend_refusal_limit_free (service->refusal_limit);
  g_object_unref (service->operations);
  g_object_unref (service->callers);
  g_object_unref (service->claims);
  tokend_loss_log_free (service->loss_log);
  tokend_rate_limit_free (service->snapshot_limit);
  g_bytes_unref (service->key);
  g_object_unref (service->ending);
  tokend_module_files_free (self->files);
  g_ptr_array_unref (service->profiles);
  g_object_unref (service->bus);
  g_clear_error (&self->error);
  close (self->state_lock);
  g_main_loop_unref (self->loop);
  G_OBJECT_CLASS (tokend_daemon_parent_class)->finalize (object);
}

static void
tokend_daemon_class_init (TokendDaemonClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = tokend_daemon_finalize;
}

static gboolean
is_watch_needed (TokendDaemon *self)
{
  return tokend_callers_count_subscribers (self->service.callers) > 0
         || tokend_open_operations_count_needs (self->service.operations) > 0;
}

/* Watches the tokens for subscribers and open operations. */
static void
watch_if_needed (TokendDaemon *self)
{
  const TokendService *service = &self->service;
  const gboolean is_needed = is_watch_needed (self);

  tokend_module_files_set_watched (self->files, is_needed);
  for (guint i = 0; i < service->modules->len; i++)
    tokend_module_set_watched (service->modules->pdata[i], is_needed);
}

static void
begin_to_stop (TokendDaemon *self)
{
  g_autoptr (GError) ending = tokend_call_new_ending_error ();

  self->is_ending = TRUE;
  self->service.is_leaving = FALSE;
  self->patient_until = g_get_monotonic_time () + STOP_PATIENCE;
  tokend_claims_stop (self->service.claims);
  g_cancellable_cancel (self->service.ending);
  for (guint i = 0; i < self->service.modules->len; i++)
    tokend_module_give_up_reads (self->service.modules->pdata[i], ending);
}

/* Waits for a code that may have been sent: its host would complete in any case, and so its result
 * is recorded. */
static gboolean
quit_when_idle (gpointer user_data)
{
  TokendDaemon *self = user_data;
  const gint64 now = g_get_monotonic_time ();

  if (self->service.is_leaving && now >= self->patient_until)
    begin_to_stop (self);
  if (tokend_claims_count (self->service.claims) > 0
      || (tokend_callers_count (self->service.callers) > 0 && now < self->patient_until))
    return G_SOURCE_CONTINUE;
  self->stop = 0;
  g_main_loop_quit (self->loop);
  return G_SOURCE_REMOVE;
}

static void
stop (TokendDaemon *self)
{
  if (!g_cancellable_is_cancelled (self->service.ending))
    begin_to_stop (self);
  if (self->stop == 0 && quit_when_idle (self) == G_SOURCE_CONTINUE)
    self->stop = g_timeout_add (STOP_POLL_MS, quit_when_idle, self);
}

static gboolean
on_terminate (gpointer user_data)
{
  TokendDaemon *self = user_data;

  /* systemd asks for the end as soon as the name is given up. A service that leaves because nobody
   * needs it still serves what came before. */
  if (self->service.is_leaving)
    return G_SOURCE_CONTINUE;
  g_clear_handle_id (&self->name, g_bus_unown_name);
  stop (self);
  return G_SOURCE_CONTINUE;
}

/* Gives the name up in the bus daemon's order. Whoever called before is in the queue now and is
 * served; whoever calls after has the service started again. */
static void
on_idle (TokendIdle *idle, gpointer user_data)
{
  TokendDaemon *self = user_data;

  tokend_debug ("Nobody needs the service");
  self->service.is_leaving = TRUE;
  self->is_ending = TRUE;
  self->patient_until = g_get_monotonic_time () + LEAVE_PATIENCE;
  g_clear_handle_id (&self->name, g_bus_unown_name);
  if (self->stop == 0)
    self->stop = g_timeout_add (STOP_POLL_MS, quit_when_idle, self);
}

static void
on_name_lost (GDBusConnection *bus, const char *name, gpointer user_data)
{
  TokendDaemon *self = user_data;

  if (self->error == NULL)
    g_set_error (&self->error, G_DBUS_ERROR, G_DBUS_ERROR_ADDRESS_IN_USE,
                 "The bus name %s cannot be owned", name);
  stop (self);
}

static void
own_name (TokendDaemon *self)
{
  g_clear_handle_id (&self->name_delay, g_source_remove);
  if (self->name == 0 && !self->is_ending)
    self->name = g_bus_own_name_on_connection (self->service.bus, TOKEND_BUS_NAME,
                                               G_BUS_NAME_OWNER_FLAGS_DO_NOT_QUEUE, NULL,
                                               on_name_lost, self, NULL);
}

static gboolean
on_name_delay (gpointer user_data)
{
  TokendDaemon *self = user_data;

  self->name_delay = 0;
  own_name (self);
  return G_SOURCE_REMOVE;
}

static void
on_module_load_ended (TokendModule *module, gpointer user_data)
{
  TokendDaemon *self = user_data;

  if (--self->n_loading == 0)
    own_name (self);
}

static void
on_shows (TokendModule *module, TokendToken *token, gpointer user_data)
{
  TokendDaemon *self = user_data;

  tokend_token_object_export (&self->service, token);
}

static void
on_module_added (TokendModule *module, gpointer user_data)
{
  TokendDaemon *self = user_data;

  self->n_loading++;
  tokend_module_set_watched (module, is_watch_needed (self));
  g_signal_connect (module, "load-ended", G_CALLBACK (on_module_load_ended), self);
  g_signal_connect (module, "shows", G_CALLBACK (on_shows), self);
  g_signal_connect_swapped (module, "changed", G_CALLBACK (tokend_relate), &self->service);
}

static void
start_modules (TokendDaemon *self)
{
  tokend_module_files_load (self->files);
  self->name_delay =
      g_timeout_add (self->service.modules->len > 0 ? NAME_DELAY_MAX_MS : 0, on_name_delay, self);
}

/* Keeps a second service out, which would forget what this one records in the ledger. */
static int
lock_state (GError **error)
{
  int fd = open (TOKEND_STATE_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  if (fd >= 0 && flock (fd, LOCK_EX | LOCK_NB) == 0)
    return fd;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s cannot be used: %s",
               TOKEND_STATE_DIR,
               errno == EWOULDBLOCK ? "another tokend has it" : g_strerror (errno));
  if (fd >= 0)
    close (fd);
  return -1;
}

/**
 * tokend_daemon_new:
 * @bus: the system bus.
 * @may_leave: whether it ends once nobody has needed it for a while.
 * @error: the state folder is missing, or another service's.
 *
 * Returns: (transfer full) (nullable): the service, with nothing on the bus yet.
 */
TokendDaemon *
tokend_daemon_new (GDBusConnection *bus, gboolean may_leave, GError **error)
{
  int state_lock = lock_state (error);
  TokendDaemon *self;
  TokendService *service;

  if (state_lock < 0)
    return NULL;
  self = g_object_new (TOKEND_TYPE_DAEMON, NULL);
  self->state_lock = state_lock;
  service = &self->service;

  service->bus = g_object_ref (bus);
  service->objects = g_dbus_object_manager_server_new (TOKEND_OBJECT_PATH);
  service->gate = tokend_gate_new ();
  service->callers = tokend_callers_new (bus);
  service->audit = tokend_audit_new (service->callers);
  service->ledger = tokend_ledger_new (TOKEND_STATE_DIR);
  service->refused = tokend_refused_new ();
  service->refusal_limit = tokend_refusal_limit_new ();
  service->operations = tokend_open_operations_new ();
  service->loss_log = tokend_loss_log_new ();
  service->snapshot_limit = tokend_tracker_limit_new ();
  service->key = tokend_relate_make_key ();
  service->ending = g_cancellable_new ();
  service->claims = tokend_claims_new (TOKEND_RUN_DIR "/locks");
  service->profiles = tokend_profiles_load (TOKEND_PROFILE_DIR, TOKEND_ADMIN_PROFILE_DIR);
  service->modules = g_ptr_array_new_with_free_func (g_object_unref);
  self->files = tokend_module_files_new (service, on_module_added, self);
  tokend_large_messages_watch (bus);
  g_signal_connect_swapped (service->callers, "changed", G_CALLBACK (watch_if_needed), self);
  g_signal_connect_swapped (service->operations, "changed", G_CALLBACK (watch_if_needed), self);
  if (may_leave) {
    self->idle = tokend_idle_new (service);
    g_signal_connect (self->idle, "idle", G_CALLBACK (on_idle), self);
  }
  return self;
}

/**
 * tokend_daemon_run:
 *
 * Serves until SIGTERM or SIGINT, or until nobody needs it.
 *
 * Returns: %FALSE if it ended for another reason.
 */
gboolean
tokend_daemon_run (TokendDaemon *self, GError **error)
{
  guint terminate, interrupt;

  if (!tokend_dispatch_register (&self->dispatch, &self->service, error))
    return FALSE;
  g_dbus_object_manager_server_set_connection (self->service.objects, self->service.bus);

  terminate = g_unix_signal_add (SIGTERM, on_terminate, self);
  interrupt = g_unix_signal_add (SIGINT, on_terminate, self);
  start_modules (self);
  g_main_loop_run (self->loop);
  /* Sends the last reply. */
  g_dbus_connection_flush_sync (self->service.bus, NULL, NULL);
  g_source_remove (terminate);
  g_source_remove (interrupt);

  if (self->error != NULL)
    g_propagate_error (error, g_steal_pointer (&self->error));
  return error == NULL || *error == NULL;
}
