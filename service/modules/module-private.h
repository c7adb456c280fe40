/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "health-private.h"
#include "host.h"
#include "module.h"

G_BEGIN_DECLS

/* For the files of a module alone. module.c starts and reads its host, module-describe.c says how
 * it is, module-watch.c decides when it is read, and module-operation.c has it make room for an
 * operation. */
struct _TokendModule {
  GObject parent_instance;

  TokendService *service;
  char *name;
  char *path;
  int priority;
  TokendModuleState state;
  /* Why the last read or start failed, or did not reach all cards; NULL: it did. */
  char *reason;
  gboolean is_busy; /* because another program is using a card */
  TokendHealth health;
  guint restart_source;
  TokendHost *host; /* NULL unless ready */
  GCancellable *cancellable;
  GPtrArray *tokens; /* of TokendToken */

  GPtrArray *readers;      /* of GTask: callers that wait for the present read */
  GPtrArray *next_readers; /* of GTask: callers that came after it began, and need the next */
  gboolean reading;
  gint64 read_begun_at; /* monotonic, microseconds */

  gboolean is_watched;
  guint poll;
  TokendWatchMethod watch_method;
  gboolean is_waiting;   /* the host answers when a token may have changed */
  gboolean cannot_wait;  /* the module does not know how, or does nothing else meanwhile */
  gint64 wait_begun_at;  /* monotonic, microseconds */
  gboolean has_let_go;   /* its host was ended, and is to be started when the card is closed */
  gboolean is_unchanged; /* what was read is as it is, as long as the host waits; "readers" alone */
};

void tokend_module_start_read (TokendModule *self);
void tokend_module_end_host (TokendModule *self);

/* module-describe.c */
const char *tokend_module_explain_doubt (TokendDoubt doubt);

/* module-watch.c */
TokendWatchMethod tokend_module_choose_watch_method (TokendModule *self);
void tokend_module_watch_on (TokendModule *self);
gboolean tokend_module_is_unchanged (TokendModule *self);
void tokend_module_begin_wait (TokendModule *self);
void tokend_module_stop_watch (TokendModule *self, const GError *error);

G_END_DECLS
