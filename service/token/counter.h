/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tokend-status.h"

G_BEGIN_DECLS

#define TOKEND_RETRIES_UNKNOWN (-1)

/**
 * TokendFlagsMeaning:
 *
 * How far a module's CKF_…_COUNT_LOW, FINAL_TRY and LOCKED flags can be relied on; profile key
 * `Flags`.
 */
typedef enum {
  TOKEND_FLAGS_MEANING_NONE,      /*< nick=none >*/
  TOKEND_FLAGS_MEANING_EXACT,     /*< nick=exact >*/
  TOKEND_FLAGS_MEANING_LAST_ONLY, /*< nick=last-only >*/
  TOKEND_FLAGS_MEANING_LOW_ONLY,  /*< nick=low-only >*/
} TokendFlagsMeaning;

/**
 * TokendCounterReading:
 *
 * What the token shows of one role's counter.
 */
typedef struct {
  gboolean initialized;
  gboolean count_low;
  gboolean final_try;
  gboolean locked;
  int remaining; /* the token's own number, or TOKEND_RETRIES_UNKNOWN */
  int maximum;   /* the same */
  /* See tokend_flag_memory_observe(). */
  gboolean is_flag_gone;
} TokendCounterReading;

/**
 * TokendFlagMemory:
 *
 * What is remembered of one role's flags from one reading to the next.
 */
typedef struct {
  gboolean is_set;  /* one was, and has not gone since */
  gboolean is_gone; /* one was, and went when the token was used */
} TokendFlagMemory;

/**
 * TokendCounterRules:
 *
 * What the profile says of one role's counter.
 */
typedef struct {
  TokendFlagsMeaning flags;
  gboolean never_locks;
  int maximum; /* or TOKEND_RETRIES_UNKNOWN */
} TokendCounterRules;

/**
 * TokendCounterRecord:
 *
 * What the ledger says of one role's counter.
 */
typedef struct {
  guint spent;        /* tries since the last success, pending ones included */
  gboolean locked;    /* the token itself answered "locked", or showed it to the host that tried */
  gboolean final_try; /* it showed that host that one try was left */
  gboolean lost;      /* an earlier ledger could not be read: any number may have been spent */
  /* This and what follows is for people alone. Some tries were recorded of other targets, which may
   * be the same. */
  gboolean is_elsewhere;
  TokendState seen; /* LOCKED or FINAL_TRY, as our last try showed it */
  guint wrong;      /* codes of ours that were refused since the last success */
  guint pending;    /* tries of @spent whose result is not known */
  /* When the last code was sent, wall clock, in microseconds; 0: not known. */
  gint64 sent_at;
} TokendCounterRecord;

/**
 * TokendCounter:
 *
 * One role's status.
 */
typedef struct {
  TokendState state;
  int remaining; /* or TOKEND_RETRIES_UNKNOWN */
  int maximum;   /* or TOKEND_RETRIES_UNKNOWN */
  TokendRetriesSource source;
  gboolean another_remains; /* proven: one more wrong code is not the last */

  /* For people alone, as what follows. */
  gboolean never_locks;  /* no number of wrong codes locks */
  gboolean is_flag_gone; /* nothing is known, but that there was a flag that is gone */

  /* What people are told of the record. */
  gboolean is_record_lost;    /* more might be known otherwise */
  gboolean is_sent_elsewhere; /* likewise, of codes sent to what may be the same */
  /* LOCKED or FINAL_TRY, as the token showed it after the service's last try; or UNKNOWN. */
  TokendState seen;
  guint wrong;      /* codes of the service that the token refused since the last right one */
  guint maybe_lost; /* further tries whose result is not known */
  gint64 sent_at;   /* when the last code was sent; 0: not known */
} TokendCounter;

/* A counter of which nothing is known. */
extern const TokendCounter tokend_counter_unknown;

TokendCounter tokend_counter_evaluate (const TokendCounterReading *reading,
                                       const TokendCounterRules *rules,
                                       const TokendCounterRecord *record);
TokendCounter tokend_counter_tell (const TokendCounterReading *reading,
                                   const TokendCounterRules *rules,
                                   const TokendCounterRecord *record);

gboolean tokend_counter_is_uninitialized (const TokendCounterReading *reading);
gboolean tokend_counter_is_inconsistent (const TokendCounterReading *reading,
                                         const TokendCounterRules *rules);
gboolean tokend_counter_equal (const TokendCounter *a, const TokendCounter *b);
gboolean tokend_counter_is_tokens_word (const TokendCounter *counter);
int tokend_counter_get_minimum (const TokendCounter *counter);

void tokend_flag_memory_observe (TokendFlagMemory *self, TokendCounterReading *reading,
                                 gboolean may_be_used, gboolean by_trier);

G_END_DECLS
