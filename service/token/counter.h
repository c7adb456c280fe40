/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "tokend-status.h"

G_BEGIN_DECLS

#define TOKEND_RETRIES_UNKNOWN (-1)

/**
 * TokendFlagsMeaning:
 *
 * What the CKF_…_COUNT_LOW, FINAL_TRY and LOCKED flags of a module are worth; profile key `Flags`.
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
  int maximum;   /* likewise */
} TokendCounterReading;

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
  gboolean lost;      /* an earlier record could not be read: any number may have been spent */
  /* For people alone, as what follows: some of it is of other targets, which only may be the
   * same. */
  gboolean elsewhere;
  TokendState seen; /* LOCKED or FINAL_TRY: what our last try let us see */
  guint wrong;      /* codes of ours that were refused since the last success */
  guint pending;    /* of @spent, those of which it is not known what became of them */
  /* When the last of all these was sent, wall clock, in microseconds; 0: not known. */
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
  gboolean another_remains; /* proven: one more wrong code would not be the last */

  /* What people are told of the record besides. */
  gboolean is_record_lost;    /* else more might be known */
  gboolean is_sent_elsewhere; /* so would it, but for codes sent to what only may be the same */
  /* LOCKED or FINAL_TRY: the token has let the service's last try see that, and nobody since; or
   * UNKNOWN. */
  TokendState seen;
  guint
      wrong; /* codes that the service has sent, and the token refused, since the last right one */
  guint maybe_lost; /* tries more of which nobody knows what became of them */
  gint64 sent_at;   /* when the last of these was sent; 0: not known */
} TokendCounter;

/* Of which nothing is known. */
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

G_END_DECLS
