/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* While others go on using a card, it is read this long after they began, and after the last
 * time. In microseconds. */
#define TOKEND_READER_PATIENCE (1400 * G_TIME_SPAN_MILLISECOND)

/* While others stay connected to a card its reader's host is kept: to look at all that is on the
 * card costs more than to ask it, and whoever works with it waits for that. Whether they have
 * left is seen only by letting go, which is done so long after they were last seen at work, and
 * if they only stay, so long at first, and ever more seldom if it was for nothing; but who wants
 * the card for himself alone waits no longer than the last for it. */
#define TOKEND_READER_HOLD_MIN (15 * G_TIME_SPAN_SECOND)
#define TOKEND_READER_HOLD_MAX G_TIME_SPAN_MINUTE

/* A card in which no token was found is looked into so often in all: it may have been disturbed,
 * or just been put in. Looks that come sooner after one another than TOKEND_READER_PATIENCE, as
 * callers may want them, count as one. */
#define TOKEND_READER_LOOKS_MAX 3

/* One whose token was known is looked into again all the same: this long after the last time at
 * first, twice that after the next, and then ever more seldom until this. Each look is a few
 * dozen commands to a card that nobody uses. */
#define TOKEND_READER_RETRY_MIN (10 * G_TIME_SPAN_SECOND)
#define TOKEND_READER_RETRY_MAX G_TIME_SPAN_MINUTE

/** TokendCardUse: what pcscd tells of the card in a reader: whether any program is connected to
 * it. */
typedef enum {
  TOKEND_CARD_ABSENT,
  TOKEND_CARD_FREE,
  TOKEND_CARD_SHARED,
  TOKEND_CARD_EXCLUSIVE, /* one program has it for itself alone */
} TokendCardUse;

/** TokendReaderState: of one reader at one time. */
typedef struct {
  TokendCardUse use;
  guint insertions; /* pcscd's count; starts again with pcscd, or with the reader */
} TokendReaderState;

/** TokendCardKnowledge: what the last read found in a reader. */
typedef enum {
  TOKEND_CARD_IS_OTHER, /* no card, or none that the module knows */
  TOKEND_CARD_IS_TOKEN,
  TOKEND_CARD_UNREAD, /* a card that could not be asked */
} TokendCardKnowledge;

/** TokendReaderMemory: what is remembered of one reader from the last read until the next; all
 * zero before the first. */
typedef struct {
  TokendReaderState at_read; /* before the module began to read */
  TokendCardKnowledge knowledge;
  gboolean is_known; /* a token was found in this card at some time */
  guint n_misses;    /* reads in a row that found none, as far as they count */
  gint64 missed_at;  /* when the last of them began */
  gint64 read_at;    /* when the last read ended */
  gint64 used_since; /* another program has used it since then; 0: none has since that read */
} TokendReaderMemory;

/** TokendReaderHold: how long a card is held that others use for long; all zero before the first
 * time. */
typedef struct {
  gint64 length; /* of the last time, as it was begun */
  gint64 until;
} TokendReaderHold;

gboolean tokend_reader_is_another_card (const TokendReaderState *then,
                                        const TokendReaderState *now);
TokendReaderMemory tokend_reader_remember (const TokendReaderMemory *last,
                                           const TokendReaderState *before, gboolean was_ours,
                                           TokendCardKnowledge found, gint64 time);
gboolean tokend_reader_is_due (TokendReaderMemory *memory, const TokendReaderState *now,
                               gboolean is_ours, gint64 time);
gboolean tokend_reader_may_hold (TokendReaderHold *hold, gboolean is_ours, gboolean is_in_long_use,
                                 gboolean is_met, gint64 time);

G_END_DECLS
