/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tracker.h"
#include "token.h"

G_BEGIN_DECLS

/* For the files of a token alone: token.c, what becomes of it, and token-status.c, what it says. */
struct _TokendToken {
  GObject parent_instance;

  TokendService *service;
  TokendTokenSource *source; /* NULL once the token is gone */
  char *object_path;

  TokendReading *reading;
  GError *unread;          /* why the last read of it failed; NULL: it did not */
  gboolean is_owed;        /* who asked could not be told: is told to ask again when it was read */
  gboolean is_read_after;  /* by the host of the operation that is under way, after it */
  gboolean counters_known; /* FALSE: since the last reading, something happened that was not read */
  gint64 read_at;          /* wall clock, for people */
  gint64 read_at_monotonic;
  gint64 not_before; /* a read that began before this may not have seen the last operation */
  TokendCounter counters[TOKEND_N_ROLES];
  TokendTracker tracker;
  gint64 certificate_not_after; /* microseconds since the epoch, or 0: not known */
  gint64 told_not_after;        /* the same, as the subscribers know it */
  gboolean told_double;         /* likewise, whether there is another one like it */
  gboolean is_shown;            /* on the bus, so that subscribers know of it */
  gboolean is_seen;             /* by the host that reads it now */
  guint slot_events;            /* as that has told */
  guint64 seen_insertion;       /* likewise; 0: it has not */

  TokendTarget *target;
  guint64 insertion; /* as it was last read; 0: not known */
  char *manufacturer;
  char *model;
  char *serial;
  char *label;
  const TokendProfile *profile;  /* of the module, or NULL */
  const TokendProfile *provider; /* or NULL */
  char *issuer;                  /* of the certificate, or NULL: none was read */
  GBytes *certificate;           /* its SHA-256, or NULL: likewise */
  char *reader;                  /* pcscd's name of where it is, or NULL: not known */
  gint64 seen_since;             /* see TokendView; 0: there was a break */
  gint64 seen_at;                /* likewise */
  TokendKinship kinship;         /* its texts are NULL until it is known */
};

G_END_DECLS
