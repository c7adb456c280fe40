/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* How long after the beginning of a use, or the last read, a card is read that others go on using.
 * In microseconds. */
#define TOKEND_READER_PATIENCE (1400 * G_TIME_SPAN_MILLISECOND)

/* How long a card is held that others stay connected to. Looking at everything on a card costs more
 * than asking it, and whoever works with it waits for that. Only letting go shows whether they have
 * left: this long after they were last seen at work; if they only stay, this long at first, then
 * ever more seldom. A program that wants the card for itself waits for the maximum at most. */
#define TOKEND_READER_HOLD_MIN (15 * G_TIME_SPAN_SECOND)
#define TOKEND_READER_HOLD_MAX G_TIME_SPAN_MINUTE

/* How often a card without a token is looked into: it may have been disturbed, or just been put in.
 * Looks within TOKEND_READER_PATIENCE, as callers may want them, count as one. */
#define TOKEND_READER_LOOKS_MAX 3

/* How long until a card is looked into again whose token was known: this long at first, then twice
 * as long each time, up to the maximum. A look is a few dozen commands to a card that nobody uses.
 */
#define TOKEND_READER_RETRY_MIN (10 * G_TIME_SPAN_SECOND)
#define TOKEND_READER_RETRY_MAX G_TIME_SPAN_MINUTE

/**
 * TokendCardUse:
 *
 * Whether any program is connected to a reader's card, as pcscd tells.
 */
typedef enum {
  TOKEND_CARD_ABSENT,
  TOKEND_CARD_FREE,
  TOKEND_CARD_SHARED,
  TOKEND_CARD_EXCLUSIVE, /* one program has it for itself alone */
} TokendCardUse;

/**
 * TokendReaderState:
 *
 * One reader at one time.
 */
typedef struct {
  TokendCardUse use;
  guint insertions; /* counted by pcscd; starts again with pcscd, or with the reader */
} TokendReaderState;

/**
 * TokendCardKnowledge:
 *
 * What the last read found in a reader.
 */
typedef enum {
  TOKEND_CARD_IS_OTHER, /* no card, or none that the module knows */
  TOKEND_CARD_IS_TOKEN,
  TOKEND_CARD_UNREAD, /* a card that could not be asked */
} TokendCardKnowledge;

/**
 * TokendReaderMemory:
 *
 * What is remembered of one reader from one read to the next; zero before the first.
 */
typedef struct {
  TokendReaderState at_read; /* before the module began to read */
  TokendCardKnowledge knowledge;
  gboolean is_known; /* a token was found in this card at some time */
  guint n_misses;    /* reads in a row that found none and count */
  gint64 missed_at;  /* when the last of them began */
  gint64 read_at;    /* when the last read ended */
  gint64 used_since; /* when another program began to use it since; 0: none has */
} TokendReaderMemory;

/**
 * TokendReaderHold:
 *
 * How long a card is held that others use for long; zero at first.
 */
typedef struct {
  gint64 length; /* of the present or last time */
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
