/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "reader-child-private.h"
#include "reader-use.h"
#include "tokend-module.h"

G_BEGIN_DECLS

/**
 * TokendReader:
 *
 * One reader of pcscd, and the process that reads its card, while there is one.
 */
typedef struct _TokendReader TokendReader;

/**
 * TokendReaderOwner:
 *
 * The owner of readers.
 */
typedef struct TokendReaderOwner {
  TokendReaderSetup setup;
  gboolean is_watched;             /* whether cards that others use are kept for the next read */
  void (*changed) (gpointer data); /* something was read, or could not be */
  void (*ended) (gpointer data, TokendReader *reader); /* its process has let go of the card */
  gpointer data;
} TokendReaderOwner;

TokendReader *tokend_reader_new (const TokendReaderOwner *owner, const char *name);

void tokend_reader_look (TokendReader *self, const TokendReaderState *state);
void tokend_reader_read (TokendReader *self);
void tokend_reader_demand (TokendReader *self);
void tokend_reader_let_go (TokendReader *self);

gboolean tokend_reader_has_news (TokendReader *self);
gboolean tokend_reader_is_awaited (TokendReader *self);
TokendDoubt tokend_reader_get_doubt (TokendReader *self);
gboolean tokend_reader_is_worth_a_look (TokendReader *self);
gboolean tokend_reader_is_over (TokendReader *self);
void tokend_reader_tell (TokendReader *self, GVariantBuilder *readings);
void tokend_reader_free (TokendReader *self);

G_END_DECLS
