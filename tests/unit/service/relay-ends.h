/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define DEADLINE_MS 10000
/* A socket that takes nothing more for this long has nobody who reads at its other end. */
#define BLOCKED_MS 200
#define MIB (1024 * 1024)
/* More than the kernel holds in two sockets, and less than any of the attacks. */
#define LITTLE_BYTES (2 * MIB)

/**
 * Ends:
 *
 * A relay between two ends that the test holds.
 */
typedef struct {
  guint n_fds_before;
  GSocketConnection *stream;
  int near; /* the stream's own */
  int peer;
} Ends;

void ends_set_up (Ends *ends, gconstpointer data);
void ends_tear_down (Ends *ends, gconstpointer data);
void ends_close_peer (Ends *ends);

/* At one end, by its descriptor. */
short wait_for (int fd, short events, int timeout_ms);
gsize push (int fd, gconstpointer bytes, gsize n_bytes);
void say (int fd, gconstpointer bytes, gsize n_bytes);
void say_line (int fd, const char *line);
void read_exactly (int fd, gpointer bytes, gsize n_bytes);
void hear (int fd, gconstpointer bytes, gsize n_bytes);
void hear_line (int fd, const char *line);
void hear_end (int fd);

G_END_DECLS
