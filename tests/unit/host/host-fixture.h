/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "host-client.h"
#include "tokend-error.h"

/* What the tests of the module host have in common: a folder for the token and the stub module, and
 * the steps of a use of the host, each held to what it is to answer. */

#define HOST_NEW_PIN "471147"

typedef struct {
  char *folder;
  char *log;  /* of the stub module */
  char *gate; /* FIFO */
} HostFixture;

void host_fixture_set_up (HostFixture *fixture, gconstpointer data);
void host_fixture_tear_down (HostFixture *fixture, gconstpointer data);
gboolean host_fixture_log_has (HostFixture *fixture, const char *function);
void host_fixture_wait_for_log (HostFixture *fixture, const char *function);
void host_fixture_open_gate (HostFixture *fixture);

int pipe_with (const char *text, gsize length);

GVariant *host_load_arguments (const char *path, const char *const *environment);
GVariant *host_stub_arguments (HostFixture *fixture, const char *hang, gboolean with_gate);
void host_load (HostClient *host, GVariant *arguments);
void host_load_softhsm (HostClient *host, HostFixture *fixture);
void host_assert_answer (HostClient *host, const char *method, GVariant *arguments,
                         TokendError expected);

GVariant *host_read_one_token (HostClient *host);
guint host_flags_of (GVariant *reading);
guint host_read_flags (HostClient *host);

GVariant *host_request_for (GVariant *reading, const char *operation);
GVariant *host_prepare (HostClient *host, GVariant *request, int code, int new_pin, int lock,
                        GError **error);
GVariant *host_prepare_with (HostClient *host, const char *operation, const char *code,
                             const char *new_pin, GError **error);
void host_assert_prepares (HostClient *host, const char *operation, const char *code);
GVariant *host_assert_commits (HostClient *host, const char *expected, gboolean expected_sent,
                               const char *expected_reason);
void host_commits (HostClient *host, const char *result, gboolean sent, const char *reason);

void host_assert_leaves (HostClient *host, int expected_status);
