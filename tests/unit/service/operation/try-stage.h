/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "operation-private.h"

/*
 * An operation that has claimed its token, for the steps of operation-try.c. Whatever these call
 * that is no pure function is played here, at once: the host, the token, the ledger. It answers as
 * it is told to, and what it was asked is kept. The linker puts it in the place of the real ones:
 * see meson.build.
 */
typedef struct {
  Operation operation;
  TokendCaller caller;
  TokendService service;
  TokendProfile profile;
  TokendCounterRules rules[TOKEND_N_ROLES];
  TokendPinPolicy policy;
  TokendCodeRules code_rules[TOKEND_N_ROLES];
  TokendWrongCode wrong_code;
  GString *calls; /* what was asked, one word after another */

  int result; /* how the step ended, or -1: it has not */

  gboolean does_not_start;   /* the host */
  gboolean has_ended;        /* the host, before Commit */
  const char *prepared;      /* the reading; NULL: Prepare is an error */
  gboolean is_dead;          /* that error is the bus's, not the host's */
  gboolean has_no_profile;   /* the token */
  gsize digest_length;       /* in bytes */
  const char *outcome;       /* NULL: no answer comes to Commit */
  const char *closes;        /* what Close says of the card: "closed", "left-open"; NULL: nothing */
  const char *after[2];      /* the readings after it; none: they are an error */
  gboolean ledger_is_broken; /* nothing can be written */

  GHashTable *environment; /* of the host */
  TokendHostKind host_kind;
  GVariant *request;
  GUnixFDList *fds;
  int handles[3];             /* of the code, the new PIN, the lock in @fds */
  TokendCounterReading noted; /* of the role that a failure was noted of */
} TryStage;

extern TryStage stage;

/* In GVariant's text form, of the token of the stage, which has a PIN and a PUK. */
#define READING_OF(serial, flags)                                                                  \
  "{'manufacturer': <b'M'>, 'model': <b'N'>, 'serial': <b'" serial                                 \
  "'>, 'label': <b'L'>, 'flags': <uint32 " G_STRINGIFY (flags) ">}"
#define READING(flags) READING_OF ("1", flags)

TokendReading *stage_parse (const char *reading);
void stage_show (const char *reading); /* what the service has last read of the token */
void stage_set_up (TokendRole role);
void stage_tear_down (void);
