/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * TokendReaderChild:
 *
 * A process that reads the card in one reader, see reader-host.c. Of the thread of its context.
 */
typedef struct _TokendReaderChild TokendReaderChild;

/**
 * TokendReaderEvents:
 *
 * What becomes of it; called in its context.
 */
typedef struct {
  void (*begun) (gpointer data); /* it begins to read */
  /* @failure: why nothing could be read, or empty. @tokens: aa{sv}. @certificates: for the next
   * question. */
  void (*answered) (gpointer data, const char *failure, GVariant *tokens, GVariant *certificates);
  void (*ended) (gpointer data); /* the process is gone; tokend_reader_child_free() is due */
} TokendReaderEvents;

/**
 * TokendReaderSetup:
 *
 * What each of them is told.
 */
typedef struct {
  GMainContext *context;
  char *module;
  GVariant *environment; /* a{ss} */
  GVariant *questions;   /* TOKEND_QUESTIONS_TYPE */
} TokendReaderSetup;

TokendReaderChild *tokend_reader_child_new (const TokendReaderSetup *setup, const char *reader,
                                            const TokendReaderEvents *events, gpointer data);
void tokend_reader_child_free (TokendReaderChild *self);
void tokend_reader_child_ask (TokendReaderChild *self, GVariant *certificates);
void tokend_reader_child_end (TokendReaderChild *self);
void tokend_reader_child_kill (TokendReaderChild *self);

G_END_DECLS
