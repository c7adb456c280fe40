/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "newcomers.h"
#include "pcsc.h"
#include "reader-reach.h"
#include "reader-watch-private.h"

G_BEGIN_DECLS

/* For the files of the watch alone: reader-watch.c, what the reading thread does, and reader-look.c, what the waiting one. */
struct _TokendReaderWatch {
  GMutex turn; /* of what follows: of the thread that waits, or of the one that looks on after it */
  TokendPcsc *looking;
  TokendNewcomers *newcomers;
  gint64 close_look_until;

  /* The reading thread's */
  TokendPcsc *reading;
  TokendReaderReach *reach;
  TokendReaderAccess access;
  gint64 begun_at;        /* when the read began */
  gboolean can_leave_out; /* the module can be told to leave out readers */
  TokendReaderHold hold;

  GMutex lock;             /* of what follows, which both use */
  TokendReaderScope scope; /* its states and what is left out of them are the reading thread's */
  guint n_waits;           /* begun */
  guint n_look_ons;        /* likewise, one after each wait */
  gboolean is_reading;
  gboolean is_in_use; /* when the last read began, programs were connected to cards */
  gboolean is_lost;   /* nobody has been told what was to be read */
  gint64 read_at;     /* when the last read ended */
  guint n_reads;      /* begun or ended; cards that were let go of count as well */
};

G_END_DECLS
