/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tracker.h"
#include "token.h"

G_BEGIN_DECLS

/* For the files of a token alone. token.c keeps it up to date, and token-status.c gives its status.
 */
struct _TokendToken {
  GObject parent_instance;

  TokendService *service;
  TokendTokenSource *source; /* NULL once the token is gone */
  char *object_path;

  TokendReading *reading;
  gboolean is_left_open; /* the card may take a code of ours for verified still */
  GError *unread;        /* why the last read of it failed, or NULL */
  gboolean is_owed; /* a caller could not be told, and is told to ask again after the next read */
  gboolean is_read_after;  /* by the host of the operation under way, after the code */
  gboolean counters_known; /* FALSE: something has happened since the last reading */
  gint64 read_at;          /* wall clock, for people */
  gint64 read_at_monotonic;
  gint64 not_before; /* a read that began earlier may have missed the last operation */
  TokendCounter counters[TOKEND_N_ROLES];
  TokendTracker tracker;
  gboolean has_no_certificate;
  gint64 certificate_not_after; /* microseconds since the epoch, or 0: not known */
  gint64 told_not_after;        /* as the subscribers know it */
  gboolean told_double;         /* whether it has a double, as the subscribers know it */
  gboolean is_shown;            /* on the bus, so that subscribers know of it */
  gboolean is_seen;             /* by the host that reads it now */
  guint slot_events;            /* of that host */
  guint64 seen_insertion;       /* as that host told it; 0: it did not */

  TokendTarget *target;
  guint64 insertion; /* as it was last read; 0: not known */
  char *manufacturer;
  char *model;
  char *serial;
  char *label;
  const TokendProfile *profile;  /* the module's, or NULL */
  const TokendProfile *provider; /* or NULL */
  char *issuer;                  /* the certificate's, or NULL: none was read */
  GBytes *certificate;           /* its SHA-256, or NULL: none was read */
  char *reader;                  /* the name of its pcscd reader, or NULL: not known */
  gint64 seen_since;             /* see TokendView; 0: there was a break */
  gint64 seen_at;                /* see TokendView */
  TokendRelations relations;     /* its strings are NULL until it is known */
};

G_END_DECLS
