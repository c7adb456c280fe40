/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "target.h"

G_BEGIN_DECLS

/**
 * TokendView:
 *
 * A token as one module shows it, with what tells which other views are the same token.
 */
typedef struct {
  const TokendTarget *target;
  guint module;        /* its rank among the modules, 0 the first */
  const char *reader;  /* the name of its pcscd reader; NULL: not known */
  gint64 seen_since;   /* when the first read ended that showed it there without a break */
  gint64 seen_at;      /* when the last read began that showed it there */
  const char *path;    /* its object's on the bus, which no other view has */
  GBytes *certificate; /* SHA-256 of the one that the person signs with; NULL: not known */
  gboolean can_unlock;
  gboolean can_set_pin;
  TokendState shown[TOKEND_N_ROLES]; /* by itself, without the ledger */
} TokendView;

/**
 * TokendRelation:
 *
 * How one view stands to the others, which it names by their indexes.
 */
typedef struct {
  guint card;            /* the view that stands for all of the same physical token; maybe itself */
  guint pin;             /* the view that stands for all of the same PIN */
  gboolean is_preferred; /* of the modules that show this PIN, its one is the one to operate by */
  GArray *related; /* of guint: the same token under other names, and then what may be the same */
  guint n_one;     /* how many of these, the first, are the same token */
  guint first_doubtful; /* the first that may not have been there at the same time */
  guint n_doubtful;     /* how many of these */
  TokendCounterRecord shown[TOKEND_N_ROLES]; /* what others show of the same PIN, and of its PUK */
} TokendRelation;

GArray *tokend_views_relate (const TokendView *views, guint n_views);
gboolean tokend_view_was_with (const TokendView *self, const TokendView *other);
char *tokend_view_name_card (const TokendView *self);
char *tokend_view_name_pin (const TokendView *self);

G_END_DECLS
